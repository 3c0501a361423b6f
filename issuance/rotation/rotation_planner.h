// What comes next in the rotation of a tenant's roots, and when: pure functions of what is there.
// All of it is safe to call from several threads.
#ifndef HOURGLASS_ISSUANCE_ROTATION_ROTATION_PLANNER_H_
#define HOURGLASS_ISSUANCE_ROTATION_ROTATION_PLANNER_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ca/encoding/time.h"
#include "issuance/config/rotation_policy.h"
#include "issuance/rotation/promotion_obstacles.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

// What the planner decides by.
struct RotationFacts {
  std::vector<RootRecord> roots;  // of the tenant, by generation
  std::vector<RelyingPartyRecord> relying_parties;
  std::chrono::seconds leaf_lifetime{};  // of the tenant's profile
  ca::Time now;
};

enum class RotationAction { kStage, kPromote, kRetire };

// `stage`, `promote` or `retire`. Lives as long as the process.
absl::string_view RotationActionName(RotationAction action);

struct RotationStep {
  RotationAction action;
  std::string root_id;  // empty with kStage
  ca::Time due_at;      // may be past
  // With kPromote: which relying parties are in the way now, or that there are none. With kRetire:
  // which have not acknowledged the primary. The time is in no planned step's way; a key is not
  // tried.
  std::vector<PromotionObstacle> obstacles;
  std::string reason;  // for people

  bool operator==(const RotationStep&) const = default;

  // Whether it is to be done now.
  bool IsDue(ca::Time now) const { return due_at <= now && obstacles.empty(); }
};

// How long a root that has just become primary is left alone, so that whoever went back to it has
// the time to say what comes next.
inline constexpr std::chrono::hours kRestOfNewPrimary(24);

// How long a root that has just become RETIRING is kept by the policy, so that a day's work is
// enough to find out that one has to go back to it. No leaf lives longer.
inline constexpr std::chrono::hours kTimeToGoBack(24);

// The next step by the policy, whatever its mode, due or not; nullopt where none ever is, as for a
// tenant without a primary, whose first root an administrator makes. One at a time: what is due
// first, and of what is due by now a retirement first, also where a promotion that something is in
// the way of is due for longer, unless something is in the way of the retirement. `policy` is as
// its fields say.
//
// A successor is a STAGED root that ends later than the primary, and not before a leaf that it
// would issue when it is promoted; its key may be of any type. A STAGED root that is none hinders
// nothing, and is left to administrators.
//
// One root is staged where there is no successor and the primary ends within `stage_before_expiry`,
// or has ended.
//
// A successor is promoted within `promote_before_expiry` of the primary's end, or after it: the
// newest that no relying party is in the way of, and where there is none such the newest. Not
// before it is valid, nor within kRestOfNewPrimary of the change that made the primary, for which
// at most half of `promote_before_expiry` is waited. Where the policy waives acknowledgements,
// relying parties are in nothing's way; a successor then is promoted no sooner after it was made
// than the policy has between the two, for which no longer is waited either. A root that ended, or
// that was primary before, is never promoted: a tenant that went back from a root gets another.
//
// A RETIRING root is retired once its last leaf has expired and kTimeToGoBack has passed since it
// became RETIRING (`state_since`), also where it had signed nothing. For the latter no longer is
// waited than until it has ended, by its `not_after` and its last leaf's: nobody can go back to it
// then, and a time that a clock noted which had leapt ahead holds it up no longer. But it is not
// retired while a relying party has not acknowledged the primary: that one has nothing but the old
// root to check the next trust bundle with. One that has expired itself is retired whoever knows
// what. Administrators may retire any once its last leaf has expired.
std::optional<RotationStep> NextStep(const RotationFacts& facts, const RotationPolicy& policy);

// The most that PlanSteps returns.
inline constexpr std::size_t kMaxPlannedSteps = 1000;

// The steps until `until`, in the order of their times, as if each was done when it was due, or now
// where it is due already; every relying party acknowledged at once; and each primary issued until
// it was primary no more. `due_at` is when it is done, and not before now. Roots that are yet to be
// made are called by the number they would get. A promotion that waits for there to be a relying
// party is the last: what comes after it is up to administrators. At most kMaxPlannedSteps.
std::vector<RotationStep> PlanSteps(const RotationFacts& facts, const RotationPolicy& policy,
                                    ca::Time until);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_ROTATION_PLANNER_H_
