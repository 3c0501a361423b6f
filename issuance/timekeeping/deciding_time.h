// The time by which something is decided or dated.
#ifndef HOURGLASS_ISSUANCE_TIMEKEEPING_DECIDING_TIME_H_
#define HOURGLASS_ISSUANCE_TIMEKEEPING_DECIDING_TIME_H_

#include "absl/status/statusor.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// A clock that is not always to be believed.
class DoubtfulClock : public Clock {
 public:
  // The time, where it may decide something. Errors: CLOCK_UNTRUSTED.
  virtual absl::StatusOr<Timestamp> TrustedNow() const = 0;
};

// What time it is for whatever decides or is dated by it: issuing, ages, retirement, retention
// (promise 10). Of a DoubtfulClock, as the service has, its TrustedNow; any other clock is the
// caller's own to believe. Errors: CLOCK_UNTRUSTED.
absl::StatusOr<Timestamp> DecidingTime(const Clock& clock);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TIMEKEEPING_DECIDING_TIME_H_
