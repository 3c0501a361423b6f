#include "issuance/rotation/rotation_planner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/issuers/root_states.h"

namespace hourglass::issuance {
namespace {

using std::chrono::seconds;

// From when on all that happened by `time` has happened.
ca::Time SecondAfter(Timestamp time) { return std::chrono::ceil<seconds>(time); }

const RootRecord* PrimaryOf(const RotationFacts& facts) {
  for (const RootRecord& root : facts.roots) {
    if (root.state == ca::RootState::kPrimary) return &root;
  }
  return nullptr;
}

// Who does not trust the primary yet has nothing but the old root, and no other to check the next
// bundle with. One that has expired is of no use to anybody.
std::vector<PromotionObstacle> WhoNeedsItStill(const RootRecord& retiring,
                                               const RotationFacts& facts,
                                               const RotationPolicy& policy) {
  const RootRecord* const primary = PrimaryOf(facts);
  const bool is_free = primary == nullptr || facts.relying_parties.empty() ||
                       policy.waive_acknowledgements || retiring.not_after <= facts.now;
  if (is_free) return {};
  return AcknowledgementObstacles(*primary, facts.relying_parties);
}

// Until then it may be gone back to.
ca::Time RetirementTime(const RootRecord& root) {
  const ca::Time last_leaf = root.last_leaf_not_after.value_or(root.not_after);
  const ca::Time ended = std::max(root.not_after, last_leaf) + seconds(1);
  // No time that was noted while the clock was wrong may keep it for longer.
  const ca::Time due_at = std::min(SecondAfter(root.state_since) + kTimeToGoBack, ended);
  if (!root.last_leaf_not_after.has_value()) return due_at;
  return std::max(due_at, last_leaf + seconds(1));
}

std::string WhyRetired(const RootRecord& root) {
  const std::string signed_last =
      root.last_leaf_not_after.has_value()
          ? absl::StrCat("the last certificate of ", root.root_id, " ends at ",
                         ca::FormatTime(*root.last_leaf_not_after))
          : absl::StrCat(root.root_id, " signed nothing that is valid still");
  return absl::StrCat(signed_last, ", and it is kept for a day for whoever has to go back to it");
}

std::optional<RotationStep> NextRetirement(const RotationFacts& facts,
                                           const RotationPolicy& policy) {
  std::optional<RotationStep> next;
  for (const RootRecord& root : facts.roots) {
    if (root.state != ca::RootState::kRetiring) continue;
    const ca::Time due_at = RetirementTime(root);
    if (next.has_value() && next->due_at <= due_at) continue;
    next = RotationStep{RotationAction::kRetire, root.root_id, due_at,
                        WhoNeedsItStill(root, facts, policy), WhyRetired(root)};
  }
  return next;
}

ca::Time PromotionTime(const RootRecord& primary, const RootRecord& successor,
                       const RotationPolicy& policy) {
  const ca::Time by_policy = primary.not_after - policy.promote_before_expiry;
  // No time that was noted while the clock was wrong may keep a successor away.
  const ca::Time latest = primary.not_after - policy.promote_before_expiry / 2;
  const ca::Time rested = std::min(SecondAfter(primary.state_since) + kRestOfNewPrimary, latest);
  const ca::Time promoted_at = std::max({by_policy, rested, successor.not_before});
  if (!policy.waive_acknowledgements) return promoted_at;
  // Nobody says when relying parties have learned of it: they get the time that the policy means
  // them to have.
  const ca::Time learned = std::chrono::floor<seconds>(successor.created_at) +
                           policy.stage_before_expiry - policy.promote_before_expiry;
  return std::max(promoted_at, std::min(learned, latest));
}

bool IsSuccessor(const RootRecord& root, const RootRecord& primary, const RotationFacts& facts,
                 const RotationPolicy& policy) {
  if (root.state != ca::RootState::kStaged || root.key_destroyed_at.has_value()) return false;
  if (root.not_after <= primary.not_after) return false;
  const ca::Time promoted_at = std::max(facts.now, PromotionTime(primary, root, policy));
  return TimeObstacles(root, promoted_at, facts.leaf_lifetime).empty();
}

std::string EndOf(const RootRecord& primary) {
  return absl::StrCat(primary.root_id, " ends at ", ca::FormatTime(primary.not_after));
}

RotationStep Promotion(const RootRecord& root, const RootRecord& primary,
                       const RotationFacts& facts, const RotationPolicy& policy) {
  RotationStep step{RotationAction::kPromote,
                    root.root_id,
                    PromotionTime(primary, root, policy),
                    {},
                    EndOf(primary)};
  if (policy.waive_acknowledgements) return step;
  step.obstacles = AcknowledgementObstacles(root, facts.relying_parties);
  return step;
}

RotationStep Staging(const RootRecord& primary, const RotationPolicy& policy) {
  return {RotationAction::kStage,
          "",
          primary.not_after - policy.stage_before_expiry,
          {},
          absl::StrCat(EndOf(primary), ", and no staged root could follow it")};
}

// What leads to the next primary.
std::optional<RotationStep> NextSuccession(const RotationFacts& facts,
                                           const RotationPolicy& policy) {
  const RootRecord* const primary = PrimaryOf(facts);
  if (primary == nullptr) return std::nullopt;
  std::optional<RotationStep> promotion;
  for (auto root = facts.roots.rbegin(); root != facts.roots.rend(); ++root) {
    if (!IsSuccessor(*root, *primary, facts, policy)) continue;
    RotationStep candidate = Promotion(*root, *primary, facts, policy);
    if (candidate.obstacles.empty()) return candidate;
    if (!promotion.has_value()) promotion = std::move(candidate);
  }
  return promotion.has_value() ? promotion : Staging(*primary, policy);
}

RootRecord* FindRoot(std::vector<RootRecord>& roots, absl::string_view root_id) {
  const auto found = std::find_if(roots.begin(), roots.end(),
                                  [&](const RootRecord& root) { return root.root_id == root_id; });
  return found == roots.end() ? nullptr : &*found;
}

void Move(RootRecord& root, ca::RootState state, ca::Time now) {
  root.state = state;
  root.state_since = now;
}

// The root that would be made.
RootRecord StagedRoot(const RotationFacts& facts, const RotationPolicy& policy) {
  RootRecord root;
  for (const RootRecord& other : facts.roots) {
    root.generation = std::max(root.generation, other.generation);
  }
  ++root.generation;
  // As RootIdOf (issuance/rotation/root_administration.h) calls it.
  root.root_id = absl::StrCat("r", root.generation);
  root.key_type = policy.key_type;
  root.not_before = facts.now;
  root.not_after = facts.now + policy.root_duration;
  root.created_at = facts.now;
  root.state_since = facts.now;
  root.bundle_version = 1;  // AcknowledgeAll knows of every one
  return root;
}

// What there is once the step is done.
void Do(const RotationStep& step, const RotationPolicy& policy, RotationFacts* facts) {
  if (step.action == RotationAction::kStage) {
    facts->roots.push_back(StagedRoot(*facts, policy));
    return;
  }
  RootRecord* const root = FindRoot(facts->roots, step.root_id);
  if (step.action == RotationAction::kRetire) {
    Move(*root, ca::RootState::kRetired, facts->now);
    return;
  }
  for (RootRecord& other : facts->roots) {
    if (other.state != ca::RootState::kPrimary) continue;
    const ca::Time last_leaf = std::min(facts->now + facts->leaf_lifetime, other.not_after);
    other.last_leaf_not_after = std::max(other.last_leaf_not_after.value_or(last_leaf), last_leaf);
    Move(other, ca::RootState::kRetiring, facts->now);
  }
  Move(*root, ca::RootState::kPrimary, facts->now);
}

void AcknowledgeAll(RotationFacts* facts) {
  for (RelyingPartyRecord& party : facts->relying_parties) {
    party.acknowledged_version = std::numeric_limits<std::uint64_t>::max();
  }
}

}  // namespace

absl::string_view RotationActionName(RotationAction action) {
  switch (action) {
    case RotationAction::kStage:
      return "stage";
    case RotationAction::kPromote:
      return "promote";
    case RotationAction::kRetire:
      return "retire";
  }
  return "unknown";
}

std::optional<RotationStep> NextStep(const RotationFacts& facts, const RotationPolicy& policy) {
  std::optional<RotationStep> retirement = NextRetirement(facts, policy);
  std::optional<RotationStep> succession = NextSuccession(facts, policy);
  if (!retirement.has_value()) return succession;
  if (!succession.has_value()) return retirement;
  // What is due already is due now.
  const bool succession_first =
      std::max(succession->due_at, facts.now) < std::max(retirement->due_at, facts.now) ||
      (!retirement->obstacles.empty() && succession->due_at <= facts.now);
  return succession_first ? succession : retirement;
}

std::vector<RotationStep> PlanSteps(const RotationFacts& facts, const RotationPolicy& policy,
                                    ca::Time until) {
  RotationFacts then = facts;
  AcknowledgeAll(&then);
  std::vector<RotationStep> steps;
  while (steps.size() < kMaxPlannedSteps) {
    std::optional<RotationStep> step = NextStep(then, policy);
    if (!step.has_value() || std::max(step->due_at, then.now) > until) break;
    if (step->due_at > then.now) {
      // By then something else may be due as well.
      then.now = step->due_at;
      continue;
    }
    step->due_at = then.now;
    steps.push_back(*step);
    if (!step->obstacles.empty()) break;
    Do(*step, policy, &then);
  }
  return steps;
}

}  // namespace hourglass::issuance
