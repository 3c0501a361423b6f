// Addresses of sockets as the configuration writes them.
#ifndef HOURGLASS_TOOLS_GATEWAYD_SOCKET_ADDRESS_H_
#define HOURGLASS_TOOLS_GATEWAYD_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include <string>

#include "absl/status/statusor.h"

namespace hourglass::gatewayd {

// A value.
class SocketAddress {
 public:
  // An absolute path of a Unix socket, `ADDRESS:PORT` or `[IPV6]:PORT`; no names, so that nobody's
  // answer decides whom this program talks to. Errors: FIELD_INVALID without a field.
  static absl::StatusOr<SocketAddress> Parse(const std::string& text);

  int family() const { return address_.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_storage address_ = {};
  socklen_t size_ = 0;
};

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_SOCKET_ADDRESS_H_
