// The sockets that the service listens on.
#ifndef HOURGLASS_ISSUANCE_EDGE_LISTENING_SOCKETS_H_
#define HOURGLASS_ISSUANCE_EDGE_LISTENING_SOCKETS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "issuance/edge/descriptor.h"

namespace hourglass::issuance {

struct ListeningSockets {
  std::vector<Descriptor> sockets;  // at least one; non-blocking
  int port = 0;                     // of all of them
};

// Listens on `HOST:PORT` or `[IPV6]:PORT`; port 0 takes a free one. A name stands for all of its
// addresses, of which some may be missing on this machine; 0.0.0.0 and [::] stand for every address
// of both families. A port that another socket listens on is refused and never shared. Errors:
// UNAVAILABLE without a reason, with the address and what the system says.
absl::StatusOr<ListeningSockets> ListenOn(const std::string& host_port);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_LISTENING_SOCKETS_H_
