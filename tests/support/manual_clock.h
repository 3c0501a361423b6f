// A clock that a test moves.
#ifndef HOURGLASS_TESTS_SUPPORT_MANUAL_CLOCK_H_
#define HOURGLASS_TESTS_SUPPORT_MANUAL_CLOCK_H_

#include <atomic>
#include <chrono>

#include "issuance/base/clock.h"

namespace hourglass {

// Moves only when told. Safe to call from several threads.
class ManualClock final : public issuance::Clock {
 public:
  // Starts at the machine's time, so that TLS libraries and command-line tools agree with it.
  ManualClock() : now_(issuance::SystemClock().Now()) {}

  issuance::Timestamp Now() const override { return now_; }
  void Advance(std::chrono::microseconds by) { now_ = now_.load() + by; }

 private:
  std::atomic<issuance::Timestamp> now_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_MANUAL_CLOCK_H_
