// A clock that a test moves and doubts.
#ifndef HOURGLASS_ISSUANCE_TIMEKEEPING_TESTING_DOUBTED_CLOCK_H_
#define HOURGLASS_ISSUANCE_TIMEKEEPING_TESTING_DOUBTED_CLOCK_H_

#include <atomic>

#include "absl/status/statusor.h"
#include "hsm/base/error.h"
#include "issuance/base/clock.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {

// Moves only when told, and is believed only while told so. Several threads may ask it and change
// whether it is believed, while none moves it.
class DoubtedClock final : public DoubtfulClock {
 public:
  explicit DoubtedClock(Timestamp start) : now(start) {}

  Timestamp Now() const override { return now; }
  absl::StatusOr<Timestamp> TrustedNow() const override {
    if (believed) return now;
    return Error(ErrorReason::kClockUntrusted, "", "the clock leapt");
  }

  Timestamp now;
  std::atomic<bool> believed = true;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TIMEKEEPING_TESTING_DOUBTED_CLOCK_H_
