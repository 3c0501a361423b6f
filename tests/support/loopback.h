// Bare TCP on this machine.
#ifndef HOURGLASS_TESTS_SUPPORT_LOOPBACK_H_
#define HOURGLASS_TESTS_SUPPORT_LOOPBACK_H_

#include <string>

#include "issuance/edge/descriptor.h"

namespace hourglass {

// A TCP connection to an address of this machine; invalid, with errno, where nobody takes it.
issuance::Descriptor ConnectTo(const std::string& address, int port);

// The same to `HOST:PORT` of a service.
issuance::Descriptor ConnectTo(const std::string& host_port);

// Whether the other side ends the connection within so many seconds, its octets dropped.
bool EndsWithin(const issuance::Descriptor& connection, int seconds);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_LOOPBACK_H_
