#include "issuance/timekeeping/time_rules.h"

#include <algorithm>
#include <limits>

namespace hourglass::issuance {
namespace {

using std::chrono::microseconds;

microseconds StepTolerance(bool synchronised) {
  return synchronised ? microseconds(kSynchronisedStepTolerance) : microseconds(kStepTolerance);
}

}  // namespace

absl::string_view ClockDoubtName(ClockDoubt doubt) {
  switch (doubt) {
    case ClockDoubt::kNone:
      return "";
    case ClockDoubt::kLeapt:
      return "leapt";
    case ClockDoubt::kBehind:
      return "behind";
    case ClockDoubt::kFarAhead:
      return "far_ahead";
  }
  return "";
}

TimeWindow WindowFor(const KnownTime& known, bool synchronised) {
  if (!known.reference.has_value()) {
    return {microseconds::max(), microseconds::min(), Timestamp::max()};
  }
  const microseconds tolerance = StepTolerance(synchronised);
  return {*known.reference - tolerance, *known.reference + tolerance,
          known.newest - kStepTolerance};
}

KnownTime Settle(KnownTime known, const ClockReading& reading) {
  const bool set_for_the_first_time = reading.synchronised && !known.settled;
  const bool explains_itself = known.reference.has_value()
                                   ? set_for_the_first_time
                                   : Judge(known, reading) == ClockDoubt::kNone;
  if (!explains_itself) return known;
  known.reference = reading.offset();
  known.settled = reading.synchronised;
  return known;
}

ClockDoubt Judge(const KnownTime& known, const ClockReading& reading) {
  if (known.reference.has_value()) {
    const microseconds step = reading.offset() - *known.reference;
    if (std::chrono::abs(step) > StepTolerance(reading.synchronised)) return ClockDoubt::kLeapt;
  }
  if (reading.wall < known.newest - kStepTolerance) return ClockDoubt::kBehind;
  if (!known.reference.has_value() && !reading.synchronised &&
      reading.wall > known.newest + kPlausibleAbsence) {
    return ClockDoubt::kFarAhead;
  }
  return ClockDoubt::kNone;
}

KnownTime Follow(KnownTime known, const ClockReading& reading, microseconds since_last) {
  known.newest = std::max(known.newest, reading.wall);
  if (!known.reference.has_value()) return known;
  const microseconds most = since_last / (reading.synchronised ? 12 : 60);
  const microseconds step = reading.offset() - *known.reference;
  known.reference = *known.reference + std::clamp(step, -most, most);
  return known;
}

}  // namespace hourglass::issuance
