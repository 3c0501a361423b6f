// The planner over thousands of made-up tenants and histories. A case is told by its number, which
// is its seed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/issuers/root_states.h"
#include "issuance/rotation/rotation_planner.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using ca::RootState;
using std::chrono::hours;
using std::chrono::seconds;

constexpr ca::Time kEpoch = std::chrono::sys_days(std::chrono::year{2026} / 12 / 1);
constexpr hours kDay(24);

class Chance {
 public:
  explicit Chance(unsigned seed) : generator_(seed) {}

  // `min` to `max`.
  std::int64_t Number(std::int64_t min, std::int64_t max) {
    return std::uniform_int_distribution<std::int64_t>(min, max)(generator_);
  }
  seconds Between(seconds min, seconds max) { return seconds(Number(min.count(), max.count())); }
  bool OneIn(int n) { return Number(1, n) == 1; }

 private:
  std::mt19937_64 generator_;
};

// As the configuration takes one.
RotationPolicy AnyPolicy(Chance& chance, seconds leaf_lifetime) {
  RotationPolicy policy;
  policy.promote_before_expiry = 2 * leaf_lifetime + chance.Between(seconds(0), 40 * kDay);
  policy.stage_before_expiry = policy.promote_before_expiry + chance.Between(seconds(1), 40 * kDay);
  policy.root_duration =
      std::max<seconds>(kDay, policy.stage_before_expiry + chance.Between(seconds(1), 400 * kDay));
  policy.waive_acknowledgements = chance.OneIn(5);
  return policy;
}

// A tenant, and what happens to it; by the rules of ca::StateAfter and of nobody else.
struct World {
  RotationFacts facts;
  RotationPolicy policy;
  std::uint64_t revision = 0;
  seconds backdate{};

  RootRecord* Root(const std::string& root_id) {
    for (RootRecord& root : facts.roots) {
      if (root.root_id == root_id) return &root;
    }
    return nullptr;
  }
  RootRecord* InState(RootState state) {
    for (RootRecord& root : facts.roots) {
      if (root.state == state) return &root;
    }
    return nullptr;
  }

  RootRecord& Stage(seconds duration) {
    RootRecord root;
    root.generation = static_cast<int>(facts.roots.size()) + 1;
    root.root_id = absl::StrCat("r", root.generation);
    root.not_before = facts.now - backdate;
    root.not_after = facts.now + duration;
    root.created_at = facts.now;
    root.state_since = facts.now;
    root.bundle_version = ++revision;
    facts.roots.push_back(root);
    return facts.roots.back();
  }

  absl::Status Move(RootRecord& root, ca::RootMove move) {
    const auto after =
        ca::StateAfter({root.state, root.last_leaf_not_after, root.not_after, facts.now}, move);
    if (!after.ok()) return after.status();
    root.state = *after;
    root.state_since = facts.now;
    ++revision;
    return absl::OkStatus();
  }
  absl::Status Promote(RootRecord& root) {
    RootRecord* const primary = InState(RootState::kPrimary);
    const bool goes_back = root.state == RootState::kRetiring;
    const absl::Status promoted =
        Move(root, goes_back ? ca::RootMove::kRollBack : ca::RootMove::kPromote);
    if (!promoted.ok() || primary == nullptr) return promoted;
    return Move(*primary, ca::RootMove::kDemote);
  }
  absl::Status Do(const RotationStep& step) {
    switch (step.action) {
      case RotationAction::kStage:
        Stage(policy.root_duration);
        return absl::OkStatus();
      case RotationAction::kPromote:
        return Promote(*Root(step.root_id));
      case RotationAction::kRetire:
        return Move(*Root(step.root_id), ca::RootMove::kRetire);
    }
    return absl::OkStatus();
  }

  // The primary issues where it can.
  void Issue() {
    RootRecord* const primary = InState(RootState::kPrimary);
    const ca::Time end = facts.now + facts.leaf_lifetime;
    if (primary == nullptr || end > primary->not_after) return;
    primary->last_leaf_not_after = std::max(primary->last_leaf_not_after.value_or(end), end);
  }
  void Acknowledge(RelyingPartyRecord& party) const { party.acknowledged_version = revision; }
  void AcknowledgeAll() {
    for (RelyingPartyRecord& party : facts.relying_parties) Acknowledge(party);
  }
};

// With a primary, and no history.
World AnyWorld(Chance& chance) {
  World world;
  world.facts.now = kEpoch;
  world.facts.leaf_lifetime = chance.Between(seconds(300), kDay);
  world.policy = AnyPolicy(chance, world.facts.leaf_lifetime);
  world.backdate = chance.Between(seconds(0), hours(1));
  world.facts.relying_parties.resize(static_cast<std::size_t>(chance.Number(0, 3)));
  for (std::size_t i = 0; i < world.facts.relying_parties.size(); ++i) {
    world.facts.relying_parties[i].name = absl::StrCat("gateway", i);
  }
  EXPECT_OK(world.Promote(world.Stage(chance.Between(kDay, 800 * kDay))));
  return world;
}

bool AllTrust(const World& world, const RootRecord& root) {
  return std::all_of(world.facts.relying_parties.begin(), world.facts.relying_parties.end(),
                     [&](const RelyingPartyRecord& party) {
                       return party.acknowledged_version >= root.bundle_version;
                     });
}

// A relying party may need the old root still.
bool MayRetire(World& world, const RootRecord& root) {
  return root.not_after <= world.facts.now || world.policy.waive_acknowledgements ||
         AllTrust(world, *world.InState(RootState::kPrimary));
}

bool HasEnded(const RootRecord& root, ca::Time now) {
  return now > std::max(root.not_after, root.last_leaf_not_after.value_or(root.not_after));
}

// Whether an administrator is still left the day to go back to it.
bool IsKept(const RootRecord& root, ca::Time now) {
  return now < root.state_since + kTimeToGoBack && !HasEnded(root, now);
}

// What a step has to be, whatever led to it.
void CheckStep(World& world, const RotationStep& step) {
  const ca::Time done_at = std::max(step.due_at, world.facts.now);
  for (const RootRecord& root : world.facts.roots) {
    if (root.state != RootState::kRetiring || step.action == RotationAction::kRetire) continue;
    if (!MayRetire(world, root)) continue;
    EXPECT_TRUE(root.last_leaf_not_after >= world.facts.now || IsKept(root, world.facts.now))
        << "retirement of " << root.root_id << " is due, and comes first";
  }
  if (step.action == RotationAction::kStage) {
    EXPECT_EQ(step.root_id, "");
    EXPECT_TRUE(step.obstacles.empty());
    return;
  }
  RootRecord* const root = world.Root(step.root_id);
  ASSERT_NE(root, nullptr);
  const bool promotes = step.action == RotationAction::kPromote;
  EXPECT_OK(ca::StateAfter({root->state, root->last_leaf_not_after, root->not_after, done_at},
                           promotes ? ca::RootMove::kPromote : ca::RootMove::kRetire));
  EXPECT_EQ(root->state, promotes ? RootState::kStaged : RootState::kRetiring);
  if (!promotes) {
    EXPECT_GT(done_at, root->last_leaf_not_after.value_or(done_at - seconds(1)));
    EXPECT_FALSE(IsKept(*root, done_at)) << "never within a day, unless it has ended";
    EXPECT_EQ(step.obstacles.empty(), MayRetire(world, *root));
    return;
  }
  EXPECT_GT(root->not_after, world.InState(RootState::kPrimary)->not_after);
  EXPECT_LE(root->not_before, done_at);
  EXPECT_GE(root->not_after, done_at + world.facts.leaf_lifetime);
  const bool all = !world.facts.relying_parties.empty() && AllTrust(world, *root);
  EXPECT_EQ(step.obstacles.empty(), all || world.policy.waive_acknowledgements);
}

int Primaries(const World& world) {
  return static_cast<int>(
      std::count_if(world.facts.roots.begin(), world.facts.roots.end(),
                    [](const RootRecord& root) { return root.state == RootState::kPrimary; }));
}

// What administrators do, legal or not; what is not changes nothing.
void Meddle(Chance& chance, World& world) {
  RootRecord& root = world.facts.roots[static_cast<std::size_t>(
      chance.Number(0, static_cast<std::int64_t>(world.facts.roots.size()) - 1))];
  switch (chance.Number(0, 3)) {
    case 0:
      world.Stage(chance.Between(kDay, 800 * kDay));
      return;
    case 1:
      static_cast<void>(world.Promote(root));  // also back to one that is RETIRING
      return;
    case 2:
      static_cast<void>(world.Move(root, ca::RootMove::kDiscard));
      return;
    default:
      static_cast<void>(world.Move(root, ca::RootMove::kRetire));
  }
}

// Time, acknowledgements and administrators as they come; what is due is done.
void LiveOn(Chance& chance, World& world) {
  const bool leaps = chance.OneIn(20);
  world.facts.now +=
      leaps ? chance.Between(-400 * kDay, 400 * kDay) : chance.Between(seconds(1), 10 * kDay);
  if (!chance.OneIn(4)) world.Issue();
  if (chance.OneIn(25)) Meddle(chance, world);
  for (RelyingPartyRecord& party : world.facts.relying_parties) {
    if (chance.OneIn(3)) world.Acknowledge(party);
  }
  const std::optional<RotationStep> step = NextStep(world.facts, world.policy);
  ASSERT_EQ(step, NextStep(world.facts, world.policy)) << "a function of what is there";
  if (!step.has_value()) return;
  CheckStep(world, *step);
  if (!step->IsDue(world.facts.now)) return;
  ASSERT_OK(world.Do(*step));
}

TEST(RotationPlannerPropertiesTest, WhateverHappensEachStepIsLegalAndThereIsOnePrimary) {
  int steps = 0;
  for (unsigned seed = 0; seed < 3000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Chance chance(seed);
    World world = AnyWorld(chance);
    for (int tick = 0; tick < 150 && !testing::Test::HasFailure(); ++tick) {
      const std::uint64_t before = world.revision;
      LiveOn(chance, world);
      EXPECT_EQ(Primaries(world), 1);
      steps += world.revision > before ? 1 : 0;
    }
    // Nobody is flooded with roots: one for each change of the primary, and what was made by hand.
    EXPECT_LT(world.facts.roots.size(), 75u);
  }
  EXPECT_GT(steps, 20'000) << "the histories are not empty";
}

TEST(RotationPlannerPropertiesTest, AStagedRootIsNotMadeTwiceWhereverTimeLeaps) {
  int staged = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    Chance chance(seed);
    World world = AnyWorld(chance);
    const std::optional<RotationStep> step = NextStep(world.facts, world.policy);
    ASSERT_TRUE(step.has_value());
    ASSERT_EQ(step->action, RotationAction::kStage);
    world.facts.now =
        std::max(world.facts.now, step->due_at) + chance.Between(seconds(0), 90 * kDay);
    ASSERT_OK(world.Do(*step));
    const ca::Time made_at = world.facts.now;
    const ca::Time good_until = made_at + world.policy.root_duration - world.facts.leaf_lifetime;
    world.facts.now = made_at + chance.Between(-4000 * kDay, good_until - made_at);
    EXPECT_EQ(NextStep(world.facts, world.policy)->action, RotationAction::kPromote);
    world.facts.now = good_until + seconds(1);
    staged += NextStep(world.facts, world.policy)->action == RotationAction::kStage ? 1 : 0;
  }
  // Once it is too late for it, another takes its place; where its promotion was due before.
  EXPECT_EQ(staged, 3000);
}

bool IsRetiredAt(World& world, const std::string& root_id, ca::Time now) {
  world.facts.now = now;
  const std::optional<RotationStep> step = NextStep(world.facts, world.policy);
  return step.has_value() && step->action == RotationAction::kRetire && step->root_id == root_id &&
         step->IsDue(now);
}

TEST(RotationPlannerPropertiesTest, ALeapOfTheTimeOfAChangeStopsNoRetirementForEver) {
  int kept = 0;
  for (unsigned seed = 0; seed < 3000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Chance chance(seed);
    World world = AnyWorld(chance);
    world.facts.now += chance.Between(seconds(0), 20 * kDay);
    if (!chance.OneIn(4)) world.Issue();
    ASSERT_OK(world.Promote(world.Stage(4000 * kDay)));
    world.AcknowledgeAll();
    const ca::Time changed_at = world.facts.now;
    const bool leapt_ahead = chance.OneIn(2);
    world.InState(RootState::kRetiring)->state_since +=
        leapt_ahead ? chance.Between(seconds(0), 4000 * kDay)
                    : -chance.Between(seconds(0), 4000 * kDay);
    const RootRecord old = *world.InState(RootState::kRetiring);
    const ca::Time last_leaf = old.last_leaf_not_after.value_or(old.not_after);
    const ca::Time ended = std::max(old.not_after, last_leaf) + seconds(1);
    EXPECT_TRUE(IsRetiredAt(world, old.root_id, ended)) << "whatever was noted";
    if (old.last_leaf_not_after.has_value()) {
      EXPECT_FALSE(IsRetiredAt(world, old.root_id, last_leaf)) << "likewise";
    }
    if (!leapt_ahead || ended <= changed_at) continue;
    const ca::Time kept_until = std::min(changed_at + kTimeToGoBack, ended);
    EXPECT_FALSE(IsRetiredAt(world, old.root_id, kept_until - seconds(1))) << "nor any sooner";
    ++kept;
  }
  EXPECT_GT(kept, 500);
}

TEST(RotationPlannerPropertiesTest, ThePrimaryNeverLapsesUnseen) {
  for (unsigned seed = 0; seed < 2000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Chance chance(seed);
    World world = AnyWorld(chance);
    if (world.facts.relying_parties.empty()) world.facts.relying_parties.resize(1);
    // The service looks often enough to keep the policy's times.
    const seconds pause =
        std::min(world.policy.promote_before_expiry / 4,
                 world.policy.stage_before_expiry - world.policy.promote_before_expiry);
    const bool all_acknowledge = chance.OneIn(2);
    const RootRecord first = *world.InState(RootState::kPrimary);
    // From before the first is due, which may have been made for shorter than the policy has it.
    const bool in_time = first.not_after - kEpoch > world.policy.stage_before_expiry;
    for (int tick = 0; tick < 400 && in_time; ++tick) {
      world.facts.now += chance.Between(seconds(1), std::max(seconds(1), pause));
      world.Issue();
      if (all_acknowledge) world.AcknowledgeAll();
      const auto step = NextStep(world.facts, world.policy);
      const bool is_due = step.has_value() && step->IsDue(world.facts.now);
      if (is_due) {
        ASSERT_OK(world.Do(*step));
      }
      const RootRecord& primary = *world.InState(RootState::kPrimary);
      const bool acknowledged = all_acknowledge || world.policy.waive_acknowledgements;
      if (acknowledged) {
        ASSERT_LT(world.facts.now + world.facts.leaf_lifetime, primary.not_after);
      }
      if (world.facts.now < primary.not_after - world.policy.promote_before_expiry) continue;
      if (is_due) continue;  // one step at a time
      if (world.facts.now >= primary.not_after) break;
      ASSERT_NE(world.InState(RootState::kStaged), nullptr)
          << "a successor is there before the primary's end";
      if (!acknowledged) {
        ASSERT_FALSE(NextStep(world.facts, world.policy)->obstacles.empty());
      }
    }
  }
}

TEST(RotationPlannerPropertiesTest, WhatIsPlannedIsWhatIsDone) {
  std::size_t compared = 0;
  for (unsigned seed = 0; seed < 2000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Chance chance(seed);
    World world = AnyWorld(chance);
    world.backdate = seconds(0);
    for (int tick = 0; tick < chance.Number(0, 60); ++tick) LiveOn(chance, world);
    const std::vector<RotationStep> plan =
        PlanSteps(world.facts, world.policy, world.facts.now + 3000 * kDay);
    ca::Time last = world.facts.now;
    for (const RotationStep& planned : plan) {
      ASSERT_GE(planned.due_at, last) << "in the order of their times";
      if (planned.due_at > last) {
        world.facts.now = planned.due_at - seconds(1);
        world.AcknowledgeAll();
        const std::optional<RotationStep> early = NextStep(world.facts, world.policy);
        EXPECT_FALSE(early.has_value() && early->IsDue(world.facts.now)) << "nothing is sooner";
      }
      last = planned.due_at;
      world.facts.now = planned.due_at;
      world.Issue();
      world.AcknowledgeAll();
      const std::optional<RotationStep> step = NextStep(world.facts, world.policy);
      ASSERT_TRUE(step.has_value());
      EXPECT_EQ(step->action, planned.action);
      EXPECT_EQ(step->root_id, planned.root_id);
      EXPECT_EQ(step->obstacles, planned.obstacles);
      if (!step->obstacles.empty()) break;
      ASSERT_TRUE(step->IsDue(world.facts.now));
      ASSERT_OK(world.Do(*step));
      ++compared;
    }
    EXPECT_GE(plan.size(), 1u);
  }
  EXPECT_GT(compared, 10'000u);
}

}  // namespace
}  // namespace hourglass::issuance
