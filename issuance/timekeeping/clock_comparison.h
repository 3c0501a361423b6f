// Whether a replica's clock may be believed beside the database's and other replicas'. Pure rules.
#ifndef HOURGLASS_ISSUANCE_TIMEKEEPING_CLOCK_COMPARISON_H_
#define HOURGLASS_ISSUANCE_TIMEKEEPING_CLOCK_COMPARISON_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// A replica's clock beside the database's, which counts.
struct ComparedReplica {
  std::string name;
  std::chrono::microseconds ahead{0};        // negative: it is late
  std::chrono::microseconds uncertainty{0};  // how wrong `ahead` may be, in either direction
};

// How far a clock that showed `sent` when the database was asked, and `received` when the answer
// was there, is ahead of the database's, which showed `answered` in between. Where `received` is
// before `sent` the clock was set meanwhile, and the uncertainty is that step.
ComparedReplica CompareWithDatabase(std::string name, Timestamp sent, Timestamp answered,
                                    Timestamp received);

struct ClockComparison {
  enum class Verdict {
    kAgrees,
    kDiffers,    // whatever the uncertainty: this replica must not decide by its clock
    kUndecided,  // the uncertainty is too large to tell: what was found before still holds
  };

  Verdict verdict = Verdict::kAgrees;
  // Whose clock is the one that decided, or was nearest to it: empty for the database, else the
  // name of a replica.
  std::string other;
  // How far this one is ahead of it; negative: it is late.
  std::chrono::microseconds ahead{0};
  // Whether all replicas differ from the database to the same side, this one and at least one more:
  // then it is rather the database's clock that is wrong.
  bool all_differ = false;

  bool operator==(const ClockComparison&) const = default;
};

// Compares `own` with the database, then with each of `others`. This replica differs where it is
// further than `largest` from the database. Of two replicas that are further than that from each
// other, the one differs that is further from the database, and both where they are as far.
ClockComparison CompareClocks(const ComparedReplica& own, absl::Span<const ComparedReplica> others,
                              std::chrono::microseconds largest);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TIMEKEEPING_CLOCK_COMPARISON_H_
