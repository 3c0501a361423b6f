// Part of the running service: what is reached from outside.
#ifndef HOURGLASS_ISSUANCE_SERVER_LISTENER_H_
#define HOURGLASS_ISSUANCE_SERVER_LISTENER_H_

#include <grpcpp/server.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/config/config.h"
#include "issuance/edge/edge.h"
#include "issuance/edge/memory_guard.h"
#include "issuance/log/event_log.h"
#include "issuance/server/known_callers.h"
#include "issuance/server/served_services.h"
#include "issuance/server/tls_material.h"

namespace hourglass::issuance {

// The mutual-TLS listener: the edge, gRPC's server behind it, and the guard of their memory. Not
// for several threads.
class Listener {
 public:
  // Serves when it returns. All pointers must outlive this object. Errors: UNAVAILABLE without a
  // reason where the address cannot be listened on, or gRPC does not start; INTERNAL.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(const Config& config, TlsMaterial tls,
                                                         const KnownCallers* callers,
                                                         ServedServices* calls, const Clock* clock,
                                                         const EventLog* log);
  // Stops at once what Stop did not.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // `host:port` listened on, with the port that was free where the configuration said 0.
  const std::string& address() const { return address_; }

  // Takes no new connections nor calls, says NOT_SERVING, waits until those under way are answered,
  // at most `grace`, then cancels them and closes what is open. Idempotent.
  void Stop(std::chrono::milliseconds grace);

 private:
  Listener(const KnownCallers* callers, ServedServices* calls, const Clock* clock,
           const EventLog* log);
  absl::Status Listen(const Config& config, TlsMaterial tls, const EventLog& log);

  ServedServices* const calls_;
  Edge edge_;
  std::unique_ptr<grpc::Server> server_;  // null before Listen and after Stop
  std::string address_;
  std::optional<MemoryGuard> memory_guard_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_LISTENER_H_
