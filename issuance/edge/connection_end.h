// Connections that gRPC owns and has no calls for: what they received, and their end.
#ifndef HOURGLASS_ISSUANCE_EDGE_CONNECTION_END_H_
#define HOURGLASS_ISSUANCE_EDGE_CONNECTION_END_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// Aborts (RST, RFC 9293 section 3.10.5) this process's TCP connection to `peer`, as gRPC names it:
// `ipv4:192.0.2.7:40000`, `ipv6:%5B2001:db8::7%5D:40000`. What has come and is not read is dropped.
// gRPC finds the connection broken and cancels its calls. False where there is none. Looks at every
// open descriptor: for those who flood, not for every day. Safe to call from several threads.
bool EndConnectionOf(absl::string_view peer);

// By peer, the octets that this process's TCP connections at its own `port` have received since
// they were made (tcp(7), TCP_INFO).
std::map<std::string, std::uint64_t> ReceivedByPeer(int port);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_CONNECTION_END_H_
