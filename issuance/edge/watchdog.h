// Whether the own port is answered.
#ifndef HOURGLASS_ISSUANCE_EDGE_WATCHDOG_H_
#define HOURGLASS_ISSUANCE_EDGE_WATCHDOG_H_

#include <chrono>
#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "hsm/base/mutex.h"
#include "issuance/edge/acceptor.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// Begins a TLS handshake with the own port as a stranger would, and hangs up when the first octet
// of an answer is there: the acceptor and the TLS behind it both live. Logs `port_not_answered`
// when they do not, each time, and `port_answered` when they do again.
class Watchdog {
 public:
  // How long an answer may take.
  static constexpr std::chrono::seconds kPatience{10};

  // Asks once each `interval`, the first time at once; after each answer `answered` is called on
  // the watchdog's thread. `acceptor` and `log` must outlive it.
  Watchdog(Acceptor* acceptor, std::chrono::milliseconds interval, std::function<void()> answered,
           const EventLog* log);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void Run();

  Acceptor* const acceptor_;
  const std::chrono::milliseconds interval_;
  const std::function<void()> answered_;
  const EventLog* const log_;
  Mutex mutex_;
  ConditionVariable stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// One try. OK when an octet came; else DEADLINE_EXCEEDED, or UNAVAILABLE with what the system says.
absl::Status ProbeOwnPort(Acceptor& acceptor, std::chrono::milliseconds patience);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_WATCHDOG_H_
