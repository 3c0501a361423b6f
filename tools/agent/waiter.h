// The one place where an agent waits: for a time, for an event, or to be told to stop.
#ifndef HOURGLASS_TOOLS_AGENT_WAITER_H_
#define HOURGLASS_TOOLS_AGENT_WAITER_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "tools/agent/instant.h"

namespace hourglass::agent {

enum class Awaited { kTime, kEvent, kStop };

// For one thread. Move-only.
class Waiter {
 public:
  // From here on SIGTERM and SIGINT no longer end the process but every wait. To be called before
  // any other thread starts, which would otherwise get the signals. With `for_long` the stray
  // signals (hsm/base/signals.h), such as SIGHUP, do not end it either. Errors: INTERNAL_ERROR.
  static absl::StatusOr<Waiter> Create(bool for_long = false);
  ~Waiter();
  Waiter(Waiter&& other) noexcept;
  Waiter& operator=(Waiter&&) = delete;

  // Since the machine started; goes on while it sleeps, and never jumps.
  Instant Now() const;

  // Waits until `instant`, until `event_fd` (where it is not negative) can be read, or until a
  // signal to stop has come. Once one has, every wait ends at once with kStop, unless
  // `although_stopping`.
  Awaited Wait(Instant instant, int event_fd = -1, bool although_stopping = false);

  // Is called, while Wait waits, with the name of each stray signal that came, and its sender's
  // pid.
  void OnStraySignal(std::function<void(const std::string& name, int pid)> told) {
    told_ = std::move(told);
  }

  // Whether a signal to stop has come.
  bool stopping() const { return stopping_; }

 private:
  Waiter(int signals, int timer) : signals_(signals), timer_(timer) {}

  void TakeSignals();

  int signals_;
  int timer_;
  std::function<void(const std::string&, int)> told_;
  bool stopping_ = false;
};

}  // namespace hourglass::agent

#endif  // HOURGLASS_TOOLS_AGENT_WAITER_H_
