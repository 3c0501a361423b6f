#include "tools/gatewayd/patience.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>

namespace hourglass::gatewayd {

Patience::Patience(absl::Duration limit, int stop_fd)
    : end_(Clock::now() + absl::ToChronoNanoseconds(limit)), stop_fd_(stop_fd) {}

Patience Patience::AtMost(absl::Duration limit) const {
  return Patience(std::min(end_, Clock::now() + absl::ToChronoNanoseconds(limit)), stop_fd_);
}

absl::Status Patience::Await(int fd, short events) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now()).count();
    // poll passes over descriptors that are negative.
    pollfd ends[2] = {{fd, events, 0}, {stop_fd_, POLLIN, 0}};
    const int ready = poll(ends, 2, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return absl::ErrnoToStatus(errno, "poll");
    if (ends[1].revents != 0) return absl::CancelledError("told to stop");
    // Also where there is always more to read: what floods this program holds it up no longer.
    if (ready == 0 || left <= 0) return absl::DeadlineExceededError("no answer in time");
    return absl::OkStatus();
  }
}

absl::Status Patience::Sleep() const {
  const absl::Status slept = Await(-1, 0);
  return absl::IsDeadlineExceeded(slept) ? absl::OkStatus() : slept;
}

}  // namespace hourglass::gatewayd
