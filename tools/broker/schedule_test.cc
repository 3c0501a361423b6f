#include "tools/broker/schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace hourglass::broker {
namespace {

constexpr Instant kNow = absl::Hours(100);
constexpr absl::Duration kNoDelay = absl::ZeroDuration();
constexpr double kAlmostOne = 0.999999;

Outcome Away(absl::Duration retry_delay = kNoDelay) {
  return Unavailable{"UNAVAILABLE", retry_delay};
}
Outcome No(const std::string& why = "disk", absl::Duration retry_delay = kNoDelay) {
  return Refused{why, retry_delay};
}
Outcome Good() { return Issued{absl::Minutes(35), absl::Minutes(60)}; }

// The plan after these answers, the last of which came at kNow.
Plan After(const std::vector<Outcome>& outcomes, double random = 0,
           std::optional<Instant> expires_at = std::nullopt) {
  Plan plan = FirstPlan(kNow, expires_at);
  for (const Outcome& outcome : outcomes) plan = AfterAnswer(plan, outcome, kNow, random);
  return plan;
}

bool IsAsk(const Step& step) { return std::holds_alternative<Ask>(step); }
bool IsRemoval(const Step& step) { return std::holds_alternative<RemoveCertificate>(step); }
// -1 s for a step that does not wait.
absl::Duration WaitFrom(const Step& step, Instant now) {
  const auto* wait = std::get_if<WaitUntil>(&step);
  return wait == nullptr ? absl::Seconds(-1) : wait->instant - now;
}

TEST(ScheduleTest, TheFirstQuestionIsAskedAtOnceAndIsNew) {
  const Plan plan = FirstPlan(kNow, std::nullopt);
  EXPECT_TRUE(IsAsk(NextStep(plan, kNow)));
  EXPECT_TRUE(plan.new_request_id);
  EXPECT_TRUE(plan.new_key);
}

TEST(ScheduleTest, ACertificateThatIsThereIsKeptUntilItExpires) {
  EXPECT_TRUE(IsAsk(NextStep(FirstPlan(kNow, kNow + absl::Seconds(1)), kNow)));
  const Plan expired = FirstPlan(kNow, kNow);
  EXPECT_TRUE(IsRemoval(NextStep(expired, kNow)));
  EXPECT_TRUE(IsAsk(NextStep(AfterRemoval(expired), kNow)));
}

TEST(ScheduleTest, RenewsAtTheTimeTheServiceNamesWithANewKeyAndId) {
  for (const double random : {0.0, kAlmostOne}) {
    const Plan plan = After({Good()}, random);
    EXPECT_EQ(plan.ask_at, kNow + absl::Minutes(35));
    EXPECT_EQ(plan.expires_at, kNow + absl::Minutes(60));
    EXPECT_TRUE(plan.new_request_id);
    EXPECT_TRUE(plan.new_key);
    EXPECT_TRUE(plan.tell);
    EXPECT_EQ(WaitFrom(NextStep(plan, kNow), kNow), absl::Minutes(35));
    const Instant before = kNow + absl::Minutes(35) - absl::Nanoseconds(1);
    EXPECT_EQ(WaitFrom(NextStep(plan, before), before), absl::Nanoseconds(1));
    EXPECT_TRUE(IsAsk(NextStep(plan, kNow + absl::Minutes(35))));
  }
}

TEST(ScheduleTest, NeverRenewsAfterTheExpiry) {
  const Plan plan = After({Issued{absl::Hours(2), absl::Hours(1)}});
  EXPECT_EQ(plan.ask_at, kNow + absl::Hours(1));
}

TEST(ScheduleTest, ARenewalTimeThatHasPassedDoesNotMakeAStorm) {
  const Outcome late = Issued{kNoDelay, absl::Minutes(5)};
  EXPECT_EQ(After({late}).ask_at, kNow + absl::Milliseconds(500));
  EXPECT_EQ(After({late, late, late}).ask_at, kNow + absl::Seconds(2));
  const std::vector<Outcome> many(50, late);
  EXPECT_EQ(After(many).ask_at, kNow + absl::Seconds(30));
  EXPECT_TRUE(After({late}).new_request_id);
  EXPECT_EQ(After({late}).expires_at, kNow + absl::Minutes(5));
}

TEST(ScheduleTest, BacksOffDoublingBetweenHalfAndAll) {
  const int seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
  std::vector<Outcome> outcomes;
  for (const int longest : seconds) {
    outcomes.push_back(Away());
    EXPECT_EQ(After(outcomes, 0).ask_at, kNow + absl::Seconds(longest) / 2) << longest;
    EXPECT_LE(After(outcomes, kAlmostOne).ask_at, kNow + absl::Seconds(longest)) << longest;
    EXPECT_GT(After(outcomes, kAlmostOne).ask_at, kNow + absl::Seconds(longest) * 0.99) << longest;
  }
}

TEST(ScheduleTest, BackOffStaysBoundedForEver) {
  const std::vector<Outcome> year(100'000, Away());
  EXPECT_EQ(After(year, 0).ask_at, kNow + absl::Seconds(30));
}

TEST(ScheduleTest, WhileTheServiceIsAwayTheSameRequestIsAskedAgain) {
  const Plan plan = After({Away(), Away()});
  EXPECT_FALSE(plan.new_request_id);
  EXPECT_FALSE(plan.new_key);
}

TEST(ScheduleTest, NeverComesBackBeforeTheServiceSaid) {
  EXPECT_EQ(After({Away(absl::Seconds(20))}, 0).ask_at, kNow + absl::Seconds(20));
  EXPECT_GT(After({Away(absl::Seconds(20))}, kAlmostOne).ask_at, kNow + absl::Seconds(24));
  EXPECT_LE(After({Away(absl::Seconds(20))}, kAlmostOne).ask_at, kNow + absl::Seconds(25));
  // The back-off holds where it is longer, and no service can stop a broker for good.
  EXPECT_EQ(After({Away(absl::Milliseconds(1))}, 0).ask_at, kNow + absl::Milliseconds(500));
  EXPECT_EQ(After({Away(-absl::Hours(1))}, 0).ask_at, kNow + absl::Milliseconds(500));
  EXPECT_EQ(After({Away(absl::InfiniteDuration())}, 0).ask_at, kNow + absl::Hours(1));
}

TEST(ScheduleTest, ASupersededRequestIsAskedAnewAtOnceButNotForEver) {
  const Plan once = After({Superseded{}});
  EXPECT_TRUE(IsAsk(NextStep(once, kNow)));
  EXPECT_TRUE(once.new_request_id);
  EXPECT_FALSE(once.new_key);
  EXPECT_FALSE(once.tell);
  EXPECT_EQ(After({Superseded{}, Superseded{}}).ask_at, kNow + absl::Seconds(1));
  EXPECT_EQ(After({Away(), Superseded{}}).ask_at, kNow + absl::Seconds(1));
}

TEST(ScheduleTest, ARefusalSlowsDownAndAsksForAFreshVerdict) {
  EXPECT_EQ(After({No()}, 0).ask_at, kNow + absl::Seconds(45));
  EXPECT_GT(After({No()}, kAlmostOne).ask_at, kNow + absl::Seconds(74));
  EXPECT_LE(After({No()}, kAlmostOne).ask_at, kNow + absl::Seconds(75));
  EXPECT_EQ(After({No(), No(), No()}, 0).ask_at, kNow + absl::Seconds(45));
  EXPECT_EQ(After({No("disk", absl::Minutes(10))}, 0).ask_at, kNow + absl::Minutes(10));
  EXPECT_TRUE(After({No()}).new_request_id);
  EXPECT_FALSE(After({No()}).new_key);
}

TEST(ScheduleTest, ARefusalEndsTheBackOff) {
  EXPECT_EQ(After({Away(), Away(), Away(), No(), Away()}, 0).ask_at,
            kNow + absl::Milliseconds(500));
  EXPECT_EQ(After({Away(), Away(), Away(), Good(), Away()}, 0).ask_at,
            kNow + absl::Milliseconds(500));
}

TEST(ScheduleTest, TellsEachTroubleOnceUntilItChanges) {
  EXPECT_TRUE(After({No()}).tell);
  EXPECT_FALSE(After({No(), No()}).tell);
  EXPECT_TRUE(After({No(), No("antivirus")}).tell);
  EXPECT_TRUE(After({No(), Good(), No()}).tell);
  EXPECT_TRUE(After({Away()}).tell);
  EXPECT_FALSE(After({Away(), Away()}).tell);
  EXPECT_TRUE(After({Away(), No()}).tell);
  EXPECT_TRUE(After({No(), Away(), No()}).tell);
  EXPECT_TRUE(After({Away(), Unavailable{"OVERLOADED", kNoDelay}}).tell);
  EXPECT_FALSE(After({No(), Superseded{}, No()}).tell);
  EXPECT_TRUE(After({Away(), Good()}).tell);
}

TEST(ScheduleTest, TroubleNeverMovesTheExpiry) {
  const Instant expiry = kNow + absl::Seconds(10);
  for (const Outcome& trouble : {Away(), No(), Outcome(Superseded{})}) {
    const Plan plan = After({trouble, trouble}, 0, expiry);
    EXPECT_EQ(plan.expires_at, expiry);
    EXPECT_TRUE(IsRemoval(NextStep(plan, expiry)));
  }
}

TEST(ScheduleTest, WaitsForWhateverComesFirstAndRemovesBeforeAsking) {
  // Refused with 10 s left: the certificate goes at its expiry, long before the next question.
  const Plan plan = After({No()}, 0, kNow + absl::Seconds(10));
  EXPECT_EQ(WaitFrom(NextStep(plan, kNow), kNow), absl::Seconds(10));
  EXPECT_TRUE(IsRemoval(NextStep(plan, kNow + absl::Seconds(10))));
  const Plan removed = AfterRemoval(plan);
  EXPECT_EQ(WaitFrom(NextStep(removed, kNow + absl::Seconds(10)), kNow), absl::Seconds(45));
  // After a long sleep both are due.
  EXPECT_TRUE(IsRemoval(NextStep(plan, kNow + absl::Hours(9))));
  EXPECT_TRUE(IsAsk(NextStep(removed, kNow + absl::Hours(9))));
}

TEST(ScheduleTest, ANewCertificateTakesThePlaceOfTheExpiryBefore) {
  const Plan plan = After({No(), Good()}, 0, kNow + absl::Seconds(10));
  EXPECT_EQ(plan.expires_at, kNow + absl::Minutes(60));
}

}  // namespace
}  // namespace hourglass::broker
