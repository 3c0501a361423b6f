#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {

absl::StatusOr<Timestamp> DecidingTime(const Clock& clock) {
  const auto* const doubtful = dynamic_cast<const DoubtfulClock*>(&clock);
  if (doubtful == nullptr) return clock.Now();
  return doubtful->TrustedNow();
}

}  // namespace hourglass::issuance
