// Whence a connection comes, and with whom its bound is shared.
#ifndef HOURGLASS_ISSUANCE_EDGE_PEER_ADDRESS_H_
#define HOURGLASS_ISSUANCE_EDGE_PEER_ADDRESS_H_

#include <sys/socket.h>

#include <string>

namespace hourglass::issuance {

struct PeerAddress {
  // As gRPC names it for each call: `ipv4:192.0.2.7:40123`, `ipv6:%5B2001:db8::7%5D:40123`.
  std::string name;
  // What one customer of a network has for itself: the octets of the IPv4 address, or of the first
  // 64 bits of an IPv6 address, which is what a site gives to each of its links (RFC 4291 section
  // 2.5.4). An IPv4 address written as IPv6 (::ffff:0:0/96) is an IPv4 address.
  std::string source;
};

// Of an AF_INET or AF_INET6 address; both empty for any other.
PeerAddress PeerAddressOf(const sockaddr_storage& address);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_PEER_ADDRESS_H_
