// The same PKCS#10 request as our reader, OpenSSL's and Botan's see it.
#ifndef HOURGLASS_TESTS_FUZZ_REQUEST_READINGS_H_
#define HOURGLASS_TESTS_FUZZ_REQUEST_READINGS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass {

// What OpenSSL makes of a request whose signature it verified.
struct OpensslReading {
  std::string subject_public_key_info;
  std::string key_identifier;
  // Empty if the request is within what we say that we accept, else why it is not, as
  // docs/certificate-requests.md has it. Decided by OpenSSL's reading alone, but for the DER, which
  // OpenSSL does not insist on.
  std::string refused_on_purpose;
};

// d2i_X509_REQ of all octets, and X509_REQ_verify. Empty where either fails.
std::optional<OpensslReading> ReadWithOpenssl(absl::string_view request);

// Ends the process with a message unless
//  - what we accept, OpenSSL accepts, with the same key and key identifier;
//  - what we accept and Botan parses has the same key there, and a signature that verifies;
//  - what OpenSSL accepts and is not refused on purpose, we accept.
void CompareReadings(absl::string_view request);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_FUZZ_REQUEST_READINGS_H_
