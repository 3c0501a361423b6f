#include "tools/agent/waiter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/signals.h"

namespace hourglass::agent {

absl::StatusOr<Waiter> Waiter::Create(bool for_long) {
  sigset_t signals;
  sigemptyset(&signals);
  if (for_long) signals = BlockStraySignals();
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  const int signal_fd = pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0
                            ? signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)
                            : -1;
  // A timer that goes on while a laptop sleeps rings as soon as it wakes.
  const int timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  Waiter waiter(signal_fd, timer_fd);
  if (signal_fd < 0 || timer_fd < 0) {
    return Error(ErrorReason::kInternalError, "",
                 absl::StrCat("cannot wait for signals and times: ", strerror(errno)));
  }
  return waiter;
}

Waiter::Waiter(Waiter&& other) noexcept
    : signals_(std::exchange(other.signals_, -1)),
      timer_(std::exchange(other.timer_, -1)),
      told_(std::move(other.told_)),
      stopping_(other.stopping_) {}

Waiter::~Waiter() {
  if (signals_ >= 0) close(signals_);
  if (timer_ >= 0) close(timer_);
}

Instant Waiter::Now() const {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

Awaited Waiter::Wait(Instant instant, int event_fd, bool although_stopping) {
  // A timer of zero would be off; a time that has passed rings at once. From now on, and not at an
  // absolute time, which libfaketime would shift though it leaves this clock alone.
  itimerspec alarm = {};
  alarm.it_value = absl::ToTimespec(std::max(instant - Now(), absl::Nanoseconds(1)));
  timerfd_settime(timer_, 0, &alarm, nullptr);
  for (;;) {
    if (stopping_ && !although_stopping) return Awaited::kStop;
    // poll passes over descriptors that are negative.
    pollfd ends[3] = {{signals_, POLLIN, 0}, {event_fd, POLLIN, 0}, {timer_, POLLIN, 0}};
    if (poll(ends, 3, -1) < 0) continue;
    if (ends[0].revents != 0) TakeSignals();
    if (ends[1].revents != 0) return Awaited::kEvent;
    if (ends[2].revents != 0) return Awaited::kTime;
  }
}

void Waiter::TakeSignals() {
  signalfd_siginfo about = {};
  while (read(signals_, &about, sizeof(about)) == sizeof(about)) {
    const int number = static_cast<int>(about.ssi_signo);
    if (number == SIGTERM || number == SIGINT) {
      stopping_ = true;
    } else if (told_) {
      told_(SignalName(number), static_cast<int>(about.ssi_pid));
    }
  }
}

}  // namespace hourglass::agent
