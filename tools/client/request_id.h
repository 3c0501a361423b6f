// Ids for requests.
#ifndef HOURGLASS_TOOLS_CLIENT_REQUEST_ID_H_
#define HOURGLASS_TOOLS_CLIENT_REQUEST_ID_H_

#include <string>

namespace hourglass::client {

// A random UUID (RFC 9562 section 5.4) as text: what tells one request from every other, for ever.
// Ends the process if the machine has no randomness.
std::string NewRequestId();

// `size` random octets; ends the process if the machine has no randomness.
std::string RandomOctets(int size);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_REQUEST_ID_H_
