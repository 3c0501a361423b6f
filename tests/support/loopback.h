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

// A socket that takes connections, without blocking, on a free port.
struct Listener {
  issuance::Descriptor descriptor;
  int port = 0;
};

// On an IPv4 address of this machine; invalid where it is none.
Listener ListenOn(const std::string& address);

// A port of this IPv4 address that was free just now; 0 where there is none.
int FreePort(const std::string& address);

// Whether the other side ends the connection within so many seconds, its octets dropped.
bool EndsWithin(const issuance::Descriptor& connection, int seconds);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_LOOPBACK_H_
