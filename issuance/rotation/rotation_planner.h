// What comes next in the rotation of a tenant's roots, and when: pure functions of what is there.
#ifndef HOURGLASS_ISSUANCE_ROTATION_ROTATION_PLANNER_H_
#define HOURGLASS_ISSUANCE_ROTATION_ROTATION_PLANNER_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

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

struct RotationStep {
  RotationAction action;
  std::string root_id;  // empty with kStage
  ca::Time due_at;      // may be past
  // Only with kPromote: what is in the way as far as the facts tell; a key is not tried.
  std::vector<PromotionObstacle> obstacles;
  std::string reason;  // for people

  // Whether it is to be done now.
  bool IsDue(ca::Time now) const { return due_at <= now && obstacles.empty(); }
};

// The next step by the policy, whatever its mode, due or not; nullopt where none ever is, as for a
// tenant without a primary, whose first root an administrator makes. One root is staged where none
// is STAGED and the primary ends within `stage_before_expiry`; the newest STAGED root is promoted
// within `promote_before_expiry` of the primary's end, provided that it ends later than the
// primary; a RETIRING root is retired once its last leaf has expired, and before anything else that
// is due at the same time. Never plans a promotion while another root is due to be retired that was
// primary before: there is one step at a time.
std::optional<RotationStep> NextStep(const RotationFacts& facts, const RotationPolicy& policy);

// The steps until `until`, in the order of their times, as if each was done when it was due and
// every relying party acknowledged at once. Roots that are yet to be made are called by the number
// they would get. At most 1000 steps.
std::vector<RotationStep> PlanSteps(const RotationFacts& facts, const RotationPolicy& policy,
                                    ca::Time until);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_ROTATION_PLANNER_H_
