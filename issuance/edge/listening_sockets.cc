#include "issuance/edge/listening_sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/base/host_port.h"

namespace hourglass::issuance {
namespace {

// The system cuts it to net.core.somaxconn.
constexpr int kBacklog = 65535;

using AddressesPtr = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

absl::Status Refused(const std::string& host_port, absl::string_view why) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", host_port, ": ", why));
}

void SetPort(addrinfo& address, int port) {
  if (address.ai_family == AF_INET) {
    reinterpret_cast<sockaddr_in*>(address.ai_addr)->sin_port = htons(static_cast<in_port_t>(port));
  } else {
    reinterpret_cast<sockaddr_in6*>(address.ai_addr)->sin6_port =
        htons(static_cast<in_port_t>(port));
  }
}

int PortOf(int socket) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(&address);
  const auto* ipv6 = reinterpret_cast<const sockaddr_in6*>(&address);
  return ntohs(address.ss_family == AF_INET ? ipv4->sin_port : ipv6->sin6_port);
}

// Invalid, with errno, where it cannot be. `only_ipv6`: not for IPv4 too.
Descriptor Listen(const addrinfo& address, bool only_ipv6) {
  Descriptor socket(
      ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket.valid()) return socket;
  const int on = 1;
  const int ipv6_only = only_ipv6 ? 1 : 0;
  // Connections inherit the second. Without the first a restart would wait for old connections.
  const bool is_set =
      setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
      setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
      (address.ai_family != AF_INET6 ||
       setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &ipv6_only, sizeof(ipv6_only)) == 0);
  if (!is_set || bind(socket.get(), address.ai_addr, address.ai_addrlen) != 0 ||
      listen(socket.get(), kBacklog) != 0) {
    const int error = errno;
    socket = Descriptor();
    errno = error;
  }
  return socket;
}

absl::StatusOr<AddressesPtr> Resolve(const std::string& host_port, const HostPort& parsed) {
  addrinfo hints = {};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(parsed.host.c_str(), absl::StrCat(parsed.port).c_str(), &hints, &found);
  if (error == EAI_SYSTEM) return Refused(host_port, std::strerror(errno));
  if (error != 0) return Refused(host_port, gai_strerror(error));
  return AddressesPtr(found, freeaddrinfo);
}

}  // namespace

absl::StatusOr<ListeningSockets> ListenOn(const std::string& host_port) {
  const std::optional<HostPort> parsed = ParseHostPort(host_port);
  if (!parsed.has_value()) return Refused(host_port, "is not host:port");
  const bool every_address = parsed->host == "0.0.0.0" || parsed->host == "::";
  HostPort first = *parsed;
  if (every_address) first.host = "::";
  ASSIGN_OR_RETURN(const AddressesPtr addresses, Resolve(host_port, first));
  ListeningSockets listening;
  listening.port = parsed->port;
  int error = EADDRNOTAVAIL;
  for (addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    SetPort(*address, listening.port);
    Descriptor socket = Listen(*address, !every_address);
    if (!socket.valid()) {
      error = errno;
      if (error == EADDRINUSE && parsed->port != 0) return Refused(host_port, std::strerror(error));
      continue;
    }
    listening.port = PortOf(socket.get());
    listening.sockets.push_back(std::move(socket));
  }
  if (!listening.sockets.empty()) return listening;
  // A machine without IPv6.
  if (every_address && (error == EAFNOSUPPORT || error == EADDRNOTAVAIL)) {
    ASSIGN_OR_RETURN(const AddressesPtr ipv4,
                     Resolve(host_port, HostPort{"0.0.0.0", parsed->port}));
    Descriptor socket = Listen(*ipv4, false);
    if (!socket.valid()) return Refused(host_port, std::strerror(errno));
    listening.port = PortOf(socket.get());
    listening.sockets.push_back(std::move(socket));
    return listening;
  }
  return Refused(host_port, std::strerror(error));
}

}  // namespace hourglass::issuance
