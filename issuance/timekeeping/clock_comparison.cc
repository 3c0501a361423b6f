#include "issuance/timekeeping/clock_comparison.h"

#include <algorithm>
#include <utility>

namespace hourglass::issuance {
namespace {

using std::chrono::microseconds;
using Verdict = ClockComparison::Verdict;

Verdict Judge(microseconds ahead, microseconds uncertainty, microseconds largest) {
  const microseconds distance = std::chrono::abs(ahead);
  if (distance - uncertainty > largest) return Verdict::kDiffers;
  return distance + uncertainty > largest ? Verdict::kUndecided : Verdict::kAgrees;
}

// Where both are uncertain which of two is further, each takes itself for it: better two that stop
// than none.
bool IsFurther(const ComparedReplica& own, const ComparedReplica& other) {
  return std::chrono::abs(own.ahead) + own.uncertainty + other.uncertainty >=
         std::chrono::abs(other.ahead);
}

bool AllDiffer(const ComparedReplica& own, absl::Span<const ComparedReplica> others,
               microseconds largest) {
  return !others.empty() &&
         std::all_of(others.begin(), others.end(), [&](const ComparedReplica& other) {
           return Judge(other.ahead, other.uncertainty, largest) == Verdict::kDiffers &&
                  (other.ahead > microseconds(0)) == (own.ahead > microseconds(0));
         });
}

}  // namespace

ComparedReplica CompareWithDatabase(std::string name, Timestamp sent, Timestamp answered,
                                    Timestamp received) {
  const microseconds length = std::chrono::abs(received - sent);
  return {std::move(name), sent + (received - sent) / 2 - answered, (length + microseconds(1)) / 2};
}

ClockComparison CompareClocks(const ComparedReplica& own, absl::Span<const ComparedReplica> others,
                              microseconds largest) {
  ClockComparison found;
  found.verdict = Judge(own.ahead, own.uncertainty, largest);
  found.ahead = own.ahead;
  if (found.verdict == Verdict::kDiffers) {
    found.all_differ = AllDiffer(own, others, largest);
    return found;
  }
  for (const ComparedReplica& other : others) {
    const microseconds ahead = own.ahead - other.ahead;
    const Verdict verdict = Judge(ahead, own.uncertainty + other.uncertainty, largest);
    if (verdict == Verdict::kAgrees || !IsFurther(own, other)) continue;
    // The first that differs decides; one that cannot be told is only remembered.
    if (verdict == Verdict::kUndecided && found.verdict == Verdict::kUndecided) continue;
    found.verdict = verdict;
    found.other = other.name;
    found.ahead = ahead;
    if (verdict == Verdict::kDiffers) return found;
  }
  return found;
}

}  // namespace hourglass::issuance
