#include "issuance/edge/peer_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

PeerAddress OfIpv4(const in_addr& address, int port) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &address, text, sizeof(text));
  return {absl::StrCat("ipv4:", text, ":", port),
          std::string(reinterpret_cast<const char*>(&address), sizeof(address))};
}

}  // namespace

PeerAddress PeerAddressOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in ipv4;
    std::memcpy(&ipv4, &address, sizeof(ipv4));
    return OfIpv4(ipv4.sin_addr, ntohs(ipv4.sin_port));
  }
  if (address.ss_family != AF_INET6) return {};
  sockaddr_in6 ipv6;
  std::memcpy(&ipv6, &address, sizeof(ipv6));
  const int port = ntohs(ipv6.sin6_port);
  if (IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) {
    in_addr ipv4;
    std::memcpy(&ipv4, &ipv6.sin6_addr.s6_addr[12], sizeof(ipv4));
    return OfIpv4(ipv4, port);
  }
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, &ipv6.sin6_addr, text, sizeof(text));
  return {absl::StrCat("ipv6:%5B", text, "%5D:", port),
          std::string(reinterpret_cast<const char*>(&ipv6.sin6_addr), 8)};
}

}  // namespace hourglass::issuance
