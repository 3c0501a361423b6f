// How long a gateway's answer is waited for.
#ifndef HOURGLASS_TOOLS_GATEWAYD_PATIENCE_H_
#define HOURGLASS_TOOLS_GATEWAYD_PATIENCE_H_

#include <chrono>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace hourglass::gatewayd {

// Ends at a time, by a clock that does not jump, or when told to stop. Copies are cheap.
class Patience {
 public:
  // `stop_fd` can be read once this program is told to stop; negative: it never is.
  Patience(absl::Duration limit, int stop_fd);

  // The same stop, and at most `limit` of the time that is left.
  Patience AtMost(absl::Duration limit) const;

  // Waits until `fd` can be read (POLLIN) or written (POLLOUT), as `events` says. Errors:
  // DEADLINE_EXCEEDED after its end, even where `fd` can; CANCELLED when told to stop; UNAVAILABLE.
  absl::Status Await(int fd, short events) const;
  bool IsOver() const { return Clock::now() >= end_; }
  // Waits to its end, or until told to stop: CANCELLED.
  absl::Status Sleep() const;

 private:
  using Clock = std::chrono::steady_clock;
  Patience(Clock::time_point end, int stop_fd) : end_(end), stop_fd_(stop_fd) {}

  Clock::time_point end_;
  int stop_fd_;
};

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_PATIENCE_H_
