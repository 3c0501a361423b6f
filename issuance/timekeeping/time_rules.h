// When a clock is believed. Pure rules: docs/decisions/0023-a-clock-that-leaps-decides-nothing.md
// has the cases they were made for.
#ifndef HOURGLASS_ISSUANCE_TIMEKEEPING_TIME_RULES_H_
#define HOURGLASS_ISSUANCE_TIMEKEEPING_TIME_RULES_H_

#include <chrono>
#include <optional>

#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// How far the clock may step against the uptime, or stand before the newest time on record.
inline constexpr std::chrono::seconds kStepTolerance(60);
// The same for a step that a time service stands for: a virtual machine that was paused and set
// right. A lie of that size makes a certificate at most as much too long.
inline constexpr std::chrono::minutes kSynchronisedStepTolerance(15);
// For how long the machine may have been off before a clock that nothing keeps right is doubted.
inline constexpr std::chrono::hours kPlausibleAbsence(24 * 7);
// What the administrator's clock may differ from the service's by when one accepts it.
inline constexpr std::chrono::minutes kAcceptTolerance(5);

// The clocks at one moment.
struct ClockReading {
  Timestamp wall;
  std::chrono::microseconds uptime;
  bool synchronised = false;

  std::chrono::microseconds offset() const { return wall.time_since_epoch() - uptime; }
};

// What there is to compare them with.
struct KnownTime {
  // The newest time on record.
  Timestamp newest;
  // The wall clock less the uptime, as believed; empty after another start of the machine.
  std::optional<std::chrono::microseconds> reference;
  // Whether a time service has kept the clock right at some time since the machine was started.
  bool settled = false;
};

enum class ClockDoubt {
  kNone,
  kLeapt,     // it moved against the uptime
  kBehind,    // it stands before the newest time on record
  kFarAhead,  // after a start of the machine: far after it, and nothing keeps it right
};

// `leapt`, `behind`, `far_ahead`; empty for kNone.
absl::string_view ClockDoubtName(ClockDoubt doubt);

// What a reading must lie in to be believed, until the next look.
struct TimeWindow {
  std::chrono::microseconds least_offset;
  std::chrono::microseconds most_offset;
  Timestamp least_wall;

  bool Holds(Timestamp wall, std::chrono::microseconds uptime) const {
    const std::chrono::microseconds offset = wall.time_since_epoch() - uptime;
    return wall >= least_wall && offset >= least_offset && offset <= most_offset;
  }
};
// Holds nothing while there is no reference.
TimeWindow WindowFor(const KnownTime& known, bool synchronised);

// Takes the reading's offset for the reference where that explains itself: there is none, and no
// reason to doubt; or a time service has just set the clock for the first time since the machine
// was started.
KnownTime Settle(KnownTime known, const ClockReading& reading);

ClockDoubt Judge(const KnownTime& known, const ClockReading& reading);

// After a reading that is believed, `since_last` of uptime after the one before: `newest` is
// raised, and the reference follows small steps by a sixtieth of that time, or a twelfth where a
// time service stands for them.
KnownTime Follow(KnownTime known, const ClockReading& reading,
                 std::chrono::microseconds since_last);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TIMEKEEPING_TIME_RULES_H_
