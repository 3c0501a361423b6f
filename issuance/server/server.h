// The whole service: its parts put together, and the listener before them.
#ifndef HOURGLASS_ISSUANCE_SERVER_SERVER_H_
#define HOURGLASS_ISSUANCE_SERVER_SERVER_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/config/config.h"
#include "issuance/log/event_log.h"
#include "issuance/timekeeping/kernel_time.h"

namespace hourglass::issuance {

class Server {
 public:
  // Opens the store, connects to the compliance service and serves behind a mutual-TLS listener.
  // Keys are opened in the background, and by whoever asks for a tenant first: a token that is away
  // is no reason not to start; nor is a clock that is doubted (TimeGuard). `clock`, `kernel`,
  // `entropy` and `log` must outlive the server. Errors:
  // CONFIGURATION_INVALID, JOURNAL_UNAVAILABLE; UNAVAILABLE without a reason where an address
  // cannot be listened on.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Config& config, const Clock* clock,
                                                       const KernelTime* kernel, Entropy* entropy,
                                                       const EventLog* log);

  // Stops at once what Stop did not.
  virtual ~Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // `host:port` listened on, with the port that was free where the configuration said 0.
  virtual const std::string& address() const = 0;

  // The same of the metrics; empty where the configuration wants none.
  virtual std::string metrics_address() const = 0;

  // Takes no new calls, says NOT_SERVING, and waits until those under way are answered, at most
  // `grace`; then cancels them. Idempotent; not for two threads at once.
  virtual void Stop(std::chrono::milliseconds grace) = 0;

 protected:
  Server() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_SERVER_H_
