// What stands between the network and gRPC.
#ifndef HOURGLASS_ISSUANCE_EDGE_EDGE_H_
#define HOURGLASS_ISSUANCE_EDGE_EDGE_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/edge/acceptor.h"
#include "issuance/edge/connection_table.h"
#include "issuance/edge/handshake_gate.h"
#include "issuance/edge/transport/open_calls.h"
#include "issuance/edge/watchdog.h"
#include "issuance/identity/caller.h"
#include "issuance/identity/revocation_lists.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

struct EdgeOptions {
  std::string listen;  // see ListenOn
  int connections = 4096;
  int connections_per_source = 1024;
};

// Accepts, counts and ends connections (Acceptor), lets callers through the TLS handshake and
// nobody else (HandshakeGate), and watches its own port (Watchdog). Not for several threads.
class Edge {
 public:
  // All must outlive this object; `revocations` may be null.
  Edge(const CallerDirectory* callers, RevocationLists* revocations, OpenCalls* open_calls,
       const Clock* clock, const EventLog* log)
      : callers_(callers),
        revocations_(revocations),
        open_calls_(open_calls),
        clock_(clock),
        log_(log) {}

  // Builds the server with these credentials, which must demand and verify a client certificate,
  // and gives it connections from then on. Errors: UNAVAILABLE where it cannot listen; INTERNAL.
  absl::StatusOr<std::unique_ptr<grpc::Server>> Start(
      const EdgeOptions& options, grpc::ServerBuilder& builder,
      const std::shared_ptr<grpc::ServerCredentials>& credentials);

  // 0 before Start.
  int port() const { return port_; }

  // Takes no new connections; those that there are stay. Before the server is shut down.
  // Idempotent.
  void Stop();

 private:
  const CallerDirectory* const callers_;
  RevocationLists* const revocations_;
  OpenCalls* const open_calls_;
  const Clock* const clock_;
  const EventLog* const log_;
  int port_ = 0;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> to_grpc_;
  std::optional<ConnectionTable> table_;
  std::optional<HandshakeGate> gate_;
  std::unique_ptr<Acceptor> acceptor_;
  std::optional<Watchdog> watchdog_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_EDGE_H_
