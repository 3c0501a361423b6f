#include "issuance/timekeeping/compared_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hsm/base/error.h"
#include "issuance/log/testing/captured_log.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_kernel_time.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::Pair;

// Believes its clock until it is told not to.
class Guard final : public DoubtfulClock {
 public:
  explicit Guard(const Clock* clock) : clock_(*clock) {}
  Timestamp Now() const override { return clock_.Now(); }
  absl::StatusOr<Timestamp> TrustedNow() const override {
    if (doubts) return Error(ErrorReason::kClockUntrusted, "", "leapt");
    return clock_.Now();
  }
  bool doubts = false;

 private:
  const Clock& clock_;
};

class ComparedClockTest : public testing::Test {
 protected:
  void Learn(microseconds ahead, const std::vector<ComparedReplica>& others = {},
             microseconds uncertainty = milliseconds(1)) {
    clock_->Learn({"a", ahead, uncertainty}, others, wall_.Now(), machine_.Uptime());
  }
  bool Believes() { return clock_->TrustedNow().ok(); }
  // What was logged; the clock is gone afterwards.
  std::vector<LoggedLine> Logged() {
    clock_.reset();
    return log_.Take();
  }

  ManualClock wall_;
  ManualKernelTime machine_{&wall_};
  Guard guard_{&wall_};
  CapturedLog log_;
  std::optional<ComparedClock> clock_{std::in_place, &guard_, &machine_, seconds(30), *log_.log()};
};

TEST_F(ComparedClockTest, BelievesNothingBeforeItWasCompared) {
  EXPECT_THAT(clock_->TrustedNow(), FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_TRUE(clock_->Differs());
  EXPECT_FALSE(clock_->LastFound().has_value());
  Learn(seconds(0));
  ASSERT_OK_AND_ASSIGN(const Timestamp now, clock_->TrustedNow());
  EXPECT_EQ(now, wall_.Now());
  EXPECT_FALSE(clock_->Differs());
  // Nothing is said of what is as it should be.
  EXPECT_THAT(Logged(), ElementsAre());
}

TEST_F(ComparedClockTest, WhatTheGuardDoubtsIsNotBelieved) {
  Learn(seconds(0));
  ASSERT_TRUE(Believes());
  guard_.doubts = true;
  EXPECT_THAT(clock_->TrustedNow(), FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_FALSE(clock_->Differs());
  EXPECT_EQ(clock_->Now(), wall_.Now());
}

TEST_F(ComparedClockTest, StopsBeyondTheBoundAndServesAgainByItself) {
  Learn(seconds(0));
  Learn(seconds(31));
  EXPECT_THAT(clock_->TrustedNow(), FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_TRUE(clock_->Differs());
  EXPECT_EQ(clock_->Now(), wall_.Now());
  Learn(seconds(32));
  EXPECT_EQ(clock_->Differences(), 1u);
  Learn(seconds(2));
  EXPECT_TRUE(Believes());
  ASSERT_TRUE(clock_->BesideDatabase().has_value());
  EXPECT_EQ(clock_->BesideDatabase()->ahead, seconds(2));
  Learn(-seconds(31));
  EXPECT_FALSE(Believes());
  EXPECT_EQ(clock_->Differences(), 2u);
  const std::vector<LoggedLine> lines = Logged();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[0], Contains(Pair("event", "clock_differs")));
  EXPECT_THAT(lines[0], Contains(Pair("from", "database")));
  EXPECT_THAT(lines[0], Contains(Pair("seconds", "31")));
  EXPECT_THAT(lines[1], Contains(Pair("event", "clock_agrees")));
  EXPECT_THAT(lines[2], Contains(Pair("seconds", "-31")));
}

TEST_F(ComparedClockTest, WhatCannotBeToldChangesNothing) {
  Learn(seconds(31), {}, seconds(5));
  EXPECT_FALSE(Believes()) << "it was never found to agree";
  Learn(seconds(1));
  ASSERT_TRUE(Believes());
  Learn(seconds(31), {}, seconds(5));
  EXPECT_TRUE(Believes());
  EXPECT_EQ(clock_->LastFound()->verdict, ClockComparison::Verdict::kAgrees);
  Learn(seconds(40));
  ASSERT_FALSE(Believes());
  Learn(seconds(29), {}, seconds(5));
  EXPECT_FALSE(Believes());
  EXPECT_EQ(clock_->LastFound()->verdict, ClockComparison::Verdict::kDiffers);
}

TEST_F(ComparedClockTest, IsComparedWithOtherReplicasToo) {
  Learn(seconds(25), {{"b", -seconds(20), milliseconds(1)}});
  EXPECT_FALSE(Believes());
  EXPECT_EQ(clock_->LastFound()->other, "b");
  const std::vector<LoggedLine> lines = Logged();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], Contains(Pair("from", "b")));
  EXPECT_THAT(lines[0], Contains(Pair("seconds", "45")));
}

// A time service may set a clock by minutes, which the guard believes: the next comparison is
// seconds away, and this is not.
TEST_F(ComparedClockTest, AStepBetweenTwoComparisonsCountsAtOnce) {
  Learn(seconds(10));
  machine_.Leap(seconds(19));
  EXPECT_TRUE(Believes()) << "29 s ahead";
  machine_.Leap(seconds(2));
  EXPECT_FALSE(Believes()) << "31 s ahead";
  machine_.Leap(-seconds(60));
  EXPECT_TRUE(Believes()) << "29 s late";
  machine_.Leap(-seconds(2));
  EXPECT_FALSE(Believes()) << "31 s late";
  // Time that only passes is no step.
  machine_.Leap(seconds(31));
  wall_.Advance(std::chrono::hours(1));
  EXPECT_TRUE(Believes());
}

TEST_F(ComparedClockTest, SaysSoWhereTheDatabaseIsRatherWrong) {
  Learn(seconds(100), {{"b", seconds(101), milliseconds(1)}});
  const std::vector<LoggedLine> lines = Logged();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0].at("message"), testing::HasSubstr("clock of the database's server"));
}

}  // namespace
}  // namespace hourglass::issuance
