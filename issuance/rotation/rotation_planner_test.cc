// The planner by tables: each rule, to the second.
#include "issuance/rotation/rotation_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

using ca::RootState;
using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr ca::Time kNow = std::chrono::sys_days(std::chrono::year{2026} / 12 / 1);
constexpr hours kDay(24);
constexpr seconds kSecond(1);

// Staged 60 days and promoted 30 days before the primary's end, for two years, with leaves of an
// hour.
class RotationPlannerTest : public testing::Test {
 protected:
  RotationPlannerTest() {
    facts_.roots.reserve(8);  // what Add returns stays where it is
    facts_.now = kNow;
    facts_.leaf_lifetime = hours(1);
    facts_.relying_parties.resize(1);
    facts_.relying_parties[0].name = "vpn";
    Acknowledge(100);
  }

  // The next root; valid from long ago until `ends`, and in its state as long.
  RootRecord& Add(RootState state, ca::Time ends) {
    RootRecord root;
    root.generation = static_cast<int>(facts_.roots.size()) + 1;
    root.root_id = absl::StrCat("r", root.generation);
    root.state = state;
    root.not_before = kNow - 400 * kDay;
    root.not_after = ends;
    root.state_since = root.not_before;
    root.bundle_version = static_cast<std::uint64_t>(root.generation);
    facts_.roots.push_back(root);
    return facts_.roots.back();
  }

  void Acknowledge(std::uint64_t version) {
    facts_.relying_parties[0].acknowledged_version = version;
  }

  // `stage at +5s`, from kNow; with `, blocked` where something is in the way.
  static std::string Said(const RotationStep& step) {
    const seconds from_now = step.due_at - kNow;
    const std::string when = from_now % kDay == seconds(0) ? absl::StrCat(from_now / kDay, "d")
                                                           : absl::StrCat(from_now.count(), "s");
    return absl::StrCat(RotationActionName(step.action), step.root_id.empty() ? "" : " ",
                        step.root_id, " at ", when, step.obstacles.empty() ? "" : ", blocked");
  }
  std::string Next() {
    const std::optional<RotationStep> step = NextStep(facts_, policy_);
    return step.has_value() ? Said(*step) : "nothing";
  }
  std::vector<std::string> Plan(seconds until) {
    std::vector<std::string> steps;
    for (const RotationStep& step : PlanSteps(facts_, policy_, kNow + until)) {
      steps.push_back(Said(step));
    }
    return steps;
  }

  RotationFacts facts_;
  RotationPolicy policy_;
};

TEST_F(RotationPlannerTest, TheFirstPrimaryIsAnAdministrators) {
  EXPECT_EQ(Next(), "nothing");
  Add(RootState::kStaged, kNow + 10 * kDay);
  EXPECT_EQ(Next(), "nothing");
  Add(RootState::kDiscarded, kNow + 10 * kDay);
  EXPECT_EQ(Next(), "nothing");
  EXPECT_THAT(Plan(10000 * kDay), IsEmpty());
}

TEST_F(RotationPlannerTest, ASuccessorIsStagedInTime) {
  Add(RootState::kPrimary, kNow + 100 * kDay);
  EXPECT_EQ(Next(), "stage at 40d");
  facts_.roots[0].not_after = kNow + 60 * kDay;
  EXPECT_EQ(Next(), "stage at 0d");
  EXPECT_TRUE(NextStep(facts_, policy_)->IsDue(kNow));
  EXPECT_FALSE(NextStep(facts_, policy_)->IsDue(kNow - kSecond));
  // Too late is better than never.
  facts_.roots[0].not_after = kNow - 5 * kDay;
  EXPECT_EQ(Next(), "stage at -65d");
  EXPECT_EQ(NextStep(facts_, policy_)->reason,
            "r1 ends at 2026-11-26 00:00:00 UTC, and no staged root could follow it");
}

TEST_F(RotationPlannerTest, ASuccessorIsPromotedInTime) {
  Add(RootState::kPrimary, kNow + 31 * kDay);
  Add(RootState::kStaged, kNow + 700 * kDay);
  EXPECT_EQ(Next(), "promote r2 at 1d");
  facts_.now = kNow + kDay;
  EXPECT_TRUE(NextStep(facts_, policy_)->IsDue(facts_.now));
  facts_.now = kNow + kDay - kSecond;
  EXPECT_FALSE(NextStep(facts_, policy_)->IsDue(facts_.now));
  // The primary has ended.
  facts_.now = kNow + 40 * kDay;
  EXPECT_EQ(Next(), "promote r2 at 1d");
  EXPECT_TRUE(NextStep(facts_, policy_)->IsDue(facts_.now));
}

TEST_F(RotationPlannerTest, WhatNoSuccessorIsHindersNothing) {
  Add(RootState::kPrimary, kNow + 50 * kDay);
  RootRecord& staged = Add(RootState::kStaged, kNow + 50 * kDay);
  EXPECT_EQ(Next(), "stage at -10d") << "it ends with the primary";
  staged.not_after = kNow + 20 * kDay;
  EXPECT_EQ(Next(), "stage at -10d") << "before it";
  staged.not_after = kNow - kDay;
  EXPECT_EQ(Next(), "stage at -10d") << "it has expired";
  staged.not_after = kNow + 50 * kDay + kSecond;
  EXPECT_EQ(Next(), "promote r2 at 20d");
  staged.key_destroyed_at = kNow;
  EXPECT_EQ(Next(), "stage at -10d") << "it has no key";
  staged.key_destroyed_at = std::nullopt;
  // The primary has ended, and its successor does so soon.
  facts_.roots[0].not_after = kNow - kDay;
  staged.not_after = kNow + hours(1);
  EXPECT_EQ(Next(), "promote r2 at -31d");
  staged.not_after -= kSecond;
  EXPECT_EQ(Next(), "stage at -61d");
}

TEST_F(RotationPlannerTest, ASuccessorMayHaveAKeyOfAnyType) {
  Add(RootState::kPrimary, kNow + 31 * kDay);
  Add(RootState::kStaged, kNow + 700 * kDay).key_type = hsm::KeyType::kRsa3072;
  policy_.key_type = hsm::KeyType::kEcP384;
  EXPECT_EQ(Next(), "promote r2 at 1d");
}

TEST_F(RotationPlannerTest, AnUnacknowledgedSuccessorWaits) {
  Add(RootState::kPrimary, kNow + 20 * kDay);
  Add(RootState::kStaged, kNow + 700 * kDay).bundle_version = 7;
  Acknowledge(6);
  EXPECT_EQ(Next(), "promote r2 at -10d, blocked");
  EXPECT_FALSE(NextStep(facts_, policy_)->IsDue(kNow));
  ASSERT_EQ(NextStep(facts_, policy_)->obstacles.size(), 1u);
  EXPECT_EQ(NextStep(facts_, policy_)->obstacles[0].relying_party, "vpn");
  Acknowledge(7);
  EXPECT_EQ(Next(), "promote r2 at -10d");
  facts_.relying_parties.clear();
  EXPECT_EQ(Next(), "promote r2 at -10d, blocked") << "nobody was asked";
  policy_.waive_acknowledgements = true;
  EXPECT_EQ(Next(), "promote r2 at -10d");
  facts_.relying_parties.resize(1);
  EXPECT_EQ(Next(), "promote r2 at -10d");
}

TEST_F(RotationPlannerTest, OfSeveralSuccessorsTheNewestThatIsTrusted) {
  Add(RootState::kPrimary, kNow + 20 * kDay);
  Add(RootState::kStaged, kNow + 700 * kDay);
  Add(RootState::kStaged, kNow + 600 * kDay);
  Add(RootState::kStaged, kNow + 10 * kDay);
  EXPECT_EQ(Next(), "promote r3 at -10d");
  Acknowledge(2);
  EXPECT_EQ(Next(), "promote r2 at -10d");
  Acknowledge(1);
  EXPECT_EQ(Next(), "promote r3 at -10d, blocked");
  Acknowledge(4);
  facts_.roots[2].state = RootState::kDiscarded;
  EXPECT_EQ(Next(), "promote r2 at -10d");
}

TEST_F(RotationPlannerTest, ARootThatIsNotValidYetIsAwaited) {
  Add(RootState::kPrimary, kNow + 20 * kDay);
  Add(RootState::kStaged, kNow + 700 * kDay).not_before = kNow + kDay;
  EXPECT_EQ(Next(), "promote r2 at 1d");
}

TEST_F(RotationPlannerTest, ARetiringRootEndsAfterItsLastLeaf) {
  RootRecord& retiring = Add(RootState::kRetiring, kNow + 20 * kDay);
  Add(RootState::kPrimary, kNow + 700 * kDay);
  retiring.last_leaf_not_after = kNow + kDay - kSecond;
  EXPECT_EQ(Next(), "retire r1 at 1d");
  EXPECT_EQ(NextStep(facts_, policy_)->reason,
            "the last certificate of r1 ends at 2026-12-01 23:59:59 UTC, and it is kept for a day "
            "for whoever has to go back to it");
  retiring.last_leaf_not_after = kNow - kDay - kSecond;
  EXPECT_EQ(Next(), "retire r1 at -1d");
  retiring.not_after = kNow - kDay;
  EXPECT_EQ(Next(), "retire r1 at -1d") << "though it has expired";
}

TEST_F(RotationPlannerTest, ARetiringRootStaysADayForWhoeverGoesBack) {
  RootRecord& retiring = Add(RootState::kRetiring, kNow + 20 * kDay);
  Add(RootState::kPrimary, kNow + 700 * kDay);
  retiring.state_since = kNow - hours(24);
  EXPECT_EQ(Next(), "retire r1 at 0d") << "though it signed nothing";
  EXPECT_TRUE(NextStep(facts_, policy_)->IsDue(kNow));
  retiring.state_since = kNow - hours(24) + std::chrono::microseconds(1);
  EXPECT_EQ(Next(), "retire r1 at 1s");
  EXPECT_EQ(NextStep(facts_, policy_)->reason,
            "r1 signed nothing that is valid still, and it is kept for a day for whoever has to go "
            "back to it");
  // So does one whose last leaf ended long ago, or does so soon.
  for (const ca::Time ends : {kNow - 100 * kDay, kNow}) {
    retiring.last_leaf_not_after = ends;
    EXPECT_EQ(Next(), "retire r1 at 1s");
  }
  retiring.last_leaf_not_after = kNow + kSecond;
  EXPECT_EQ(Next(), "retire r1 at 2s");
}

TEST_F(RotationPlannerTest, NobodyGoesBackToARootThatHasEnded) {
  RootRecord& retiring = Add(RootState::kRetiring, kNow + hours(2));
  Add(RootState::kPrimary, kNow + 700 * kDay);
  retiring.state_since = kNow;
  EXPECT_EQ(Next(), "retire r1 at 7201s");
  retiring.last_leaf_not_after = kNow + hours(1);
  EXPECT_EQ(Next(), "retire r1 at 7201s");
  retiring.not_after = kNow - kDay;
  EXPECT_EQ(Next(), "retire r1 at 3601s") << "its last leaf has not";
}

TEST_F(RotationPlannerTest, AWrongTimeOfAChangeHoldsUpNoRetirementForEver) {
  RootRecord& retiring = Add(RootState::kRetiring, kNow + 20 * kDay - kSecond);
  Add(RootState::kPrimary, kNow + 700 * kDay);
  retiring.state_since = kNow + 3000 * kDay;
  EXPECT_EQ(Next(), "retire r1 at 20d");
  retiring.last_leaf_not_after = kNow + hours(1);
  EXPECT_EQ(Next(), "retire r1 at 20d");
  retiring.state_since = kNow - 3000 * kDay;
  EXPECT_EQ(Next(), "retire r1 at 3601s") << "and lets none go before its last leaf";
}

TEST_F(RotationPlannerTest, WhoDoesNotTrustThePrimaryKeepsTheOldRoot) {
  Add(RootState::kRetiring, kNow + 20 * kDay).last_leaf_not_after = kNow - kDay - kSecond;
  Add(RootState::kPrimary, kNow + 700 * kDay);
  Acknowledge(1);
  EXPECT_EQ(Next(), "retire r1 at -1d, blocked");
  EXPECT_FALSE(NextStep(facts_, policy_)->IsDue(kNow));
  facts_.roots[1].not_after = kNow + 60 * kDay;
  EXPECT_EQ(Next(), "stage at 0d") << "and holds up nothing else";
  facts_.roots[1].not_after = kNow + 700 * kDay;
  policy_.waive_acknowledgements = true;
  EXPECT_EQ(Next(), "retire r1 at -1d");
  policy_.waive_acknowledgements = false;
  facts_.roots[0].not_after = kNow;
  EXPECT_EQ(Next(), "retire r1 at -1d") << "it is of no use";
  facts_.roots[0].not_after = kNow + 20 * kDay;
  Acknowledge(2);
  EXPECT_EQ(Next(), "retire r1 at -1d");
  Acknowledge(1);
  facts_.roots[1].state = RootState::kDiscarded;
  EXPECT_EQ(Next(), "retire r1 at -1d") << "there is no primary to trust";
  facts_.roots[1].state = RootState::kPrimary;
  facts_.relying_parties.clear();
  EXPECT_EQ(Next(), "retire r1 at -1d");
}

TEST_F(RotationPlannerTest, WhereNobodyAcknowledgesTheyGetTimeToLearnOfASuccessor) {
  policy_.waive_acknowledgements = true;
  Add(RootState::kPrimary, kNow + 20 * kDay);
  Add(RootState::kStaged, kNow + 700 * kDay).created_at = kNow;
  EXPECT_EQ(Next(), "promote r2 at 5d") << "half of the time that promotions are before an end";
  facts_.roots[1].created_at = kNow - 28 * kDay;
  EXPECT_EQ(Next(), "promote r2 at 2d");
  facts_.roots[1].created_at = kNow - 30 * kDay;
  EXPECT_EQ(Next(), "promote r2 at 0d");
  policy_.waive_acknowledgements = false;
  facts_.roots[1].created_at = kNow;
  EXPECT_EQ(Next(), "promote r2 at -10d");
}

TEST_F(RotationPlannerTest, WhatIsDueIsRetiredFirst) {
  Add(RootState::kRetiring, kNow).last_leaf_not_after = kNow - 2 * kSecond;
  Add(RootState::kRetiring, kNow).last_leaf_not_after = kNow - 3 * kSecond;
  Add(RootState::kPrimary, kNow + kDay);
  Add(RootState::kStaged, kNow + 700 * kDay);
  EXPECT_EQ(Next(), "retire r2 at -2s") << "the promotion is due for longer";
  facts_.roots[1].last_leaf_not_after = kNow - 2 * kSecond;
  EXPECT_EQ(Next(), "retire r1 at -1s") << "of two at once the oldest";
  facts_.roots[1].state = RootState::kRetired;
  EXPECT_EQ(Next(), "retire r1 at -1s");
  Acknowledge(0);
  EXPECT_EQ(Next(), "retire r1 at -1s") << "a promotion that waits holds up nothing";
  facts_.roots[0].last_leaf_not_after = kNow;
  EXPECT_EQ(Next(), "promote r4 at -29d, blocked") << "what is due comes before what is not";
}

// r2 was promoted, and an administrator went back to r1.
TEST_F(RotationPlannerTest, ATenantThatWentBackGetsAnotherRootAndADayOfRest) {
  RootRecord& primary = Add(RootState::kPrimary, kNow + 25 * kDay);
  primary.state_since = kNow;
  RootRecord& left = Add(RootState::kRetiring, kNow + 700 * kDay);
  left.state_since = kNow;
  left.last_leaf_not_after = kNow + hours(1);
  EXPECT_EQ(Next(), "stage at -35d");
  Add(RootState::kStaged, kNow + 730 * kDay);
  EXPECT_EQ(Next(), "retire r2 at 1d");
  facts_.now = kNow + kDay;
  facts_.roots[1].state = RootState::kRetired;
  EXPECT_EQ(Next(), "promote r3 at 1d");
}

TEST_F(RotationPlannerTest, AWrongTimeOfAChangeHoldsUpNoSuccessorForLong) {
  Add(RootState::kPrimary, kNow + 25 * kDay).state_since = kNow + 3000 * kDay;
  Add(RootState::kStaged, kNow + 730 * kDay);
  EXPECT_EQ(Next(), "promote r2 at 10d");
}

TEST_F(RotationPlannerTest, PlansRotationsOneAfterTheOther) {
  Add(RootState::kPrimary, kNow + 100 * kDay);
  Acknowledge(0);
  EXPECT_THAT(Plan(71 * kDay - kSecond), ElementsAre("stage at 40d", "promote r2 at 70d"));
  EXPECT_THAT(Plan(800 * kDay),
              ElementsAre("stage at 40d", "promote r2 at 70d", "retire r1 at 71d", "stage at 710d",
                          "promote r3 at 740d", "retire r2 at 741d"));
  EXPECT_THAT(Plan(40 * kDay), ElementsAre("stage at 40d"));
  EXPECT_THAT(Plan(40 * kDay - kSecond), IsEmpty());
  EXPECT_THAT(Plan(-kSecond), IsEmpty());
}

TEST_F(RotationPlannerTest, PlansWhatIsOverdueForNow) {
  Add(RootState::kRetiring, kNow).last_leaf_not_after = kNow - kDay;
  Add(RootState::kPrimary, kNow - kDay);
  EXPECT_THAT(Plan(kDay),
              ElementsAre("retire r1 at 0d", "stage at 0d", "promote r3 at 0d", "retire r2 at 0d"))
      << "they have ended";
  EXPECT_THAT(Plan(seconds(0)), testing::SizeIs(4));
  EXPECT_THAT(Plan(-kSecond), IsEmpty()) << "nothing can be done before now";
}

// What it will have signed by then counts, and what it has signed already.
TEST_F(RotationPlannerTest, PlansARetirementBehindTheLastLeaf) {
  Add(RootState::kPrimary, kNow + 30 * kDay);
  Add(RootState::kStaged, kNow + 700 * kDay);
  facts_.leaf_lifetime = kDay;
  EXPECT_THAT(Plan(2 * kDay), ElementsAre("promote r2 at 0d", "retire r1 at 86401s"));
  facts_.roots[0].last_leaf_not_after = kNow + 2 * kDay - kSecond;
  EXPECT_THAT(Plan(2 * kDay), ElementsAre("promote r2 at 0d", "retire r1 at 2d"));
  facts_.roots[0].last_leaf_not_after = kNow - kDay;
  EXPECT_THAT(Plan(2 * kDay), ElementsAre("promote r2 at 0d", "retire r1 at 86401s"));
}

TEST_F(RotationPlannerTest, PlansNothingBehindWhatAdministratorsDecide) {
  Add(RootState::kPrimary, kNow + 100 * kDay);
  facts_.relying_parties.clear();
  EXPECT_THAT(Plan(10000 * kDay), ElementsAre("stage at 40d", "promote r2 at 70d, blocked"));
  policy_.waive_acknowledgements = true;
  EXPECT_GT(Plan(10000 * kDay).size(), 30u);
}

TEST_F(RotationPlannerTest, APlanHasAnEnd) {
  Add(RootState::kPrimary, kNow + 3 * kDay);
  policy_.root_duration = 3 * kDay;
  policy_.stage_before_expiry = 2 * kDay;
  policy_.promote_before_expiry = kDay;
  EXPECT_EQ(Plan(100000 * kDay).size(), kMaxPlannedSteps);
}

}  // namespace
}  // namespace hourglass::issuance
