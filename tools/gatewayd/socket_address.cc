#include "tools/gatewayd/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include <cstddef>
#include <optional>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/base/host_port.h"

namespace hourglass::gatewayd {
namespace {

absl::Status Refused(absl::string_view why) { return Error(ErrorReason::kFieldInvalid, "", why); }

}  // namespace

absl::StatusOr<SocketAddress> SocketAddress::Parse(const std::string& text) {
  SocketAddress address;
  if (!text.empty() && text.front() == '/') {
    auto* const local = reinterpret_cast<sockaddr_un*>(&address.address_);
    if (text.size() >= sizeof(local->sun_path)) {
      return Refused(
          absl::StrCat("a socket's path has at most ", sizeof(local->sun_path) - 1, " octets"));
    }
    local->sun_family = AF_UNIX;
    memcpy(local->sun_path, text.c_str(), text.size() + 1);
    address.size_ = sizeof(sockaddr_un);
    return address;
  }
  const std::optional<issuance::HostPort> parts = issuance::ParseHostPort(text);
  if (!parts.has_value() || parts->port == 0) return Refused("must be ADDRESS:PORT");
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address.address_);
  if (inet_pton(AF_INET, parts->host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<in_port_t>(parts->port));
    address.size_ = sizeof(sockaddr_in);
    return address;
  }
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address.address_);
  if (inet_pton(AF_INET6, parts->host.c_str(), &v6->sin6_addr) != 1) {
    return Refused("must be ADDRESS:PORT, with an IP address and no name");
  }
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(static_cast<in_port_t>(parts->port));
  address.size_ = sizeof(sockaddr_in6);
  return address;
}

}  // namespace hourglass::gatewayd
