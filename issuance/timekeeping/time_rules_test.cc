#include "issuance/timekeeping/time_rules.h"

#include <gtest/gtest.h>

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const Timestamp kNow(seconds(1'800'000'000));
constexpr hours kUp(100);

// A machine that has been up for a while, whose clock is right.
KnownTime Right(bool settled = true) { return {kNow, kNow.time_since_epoch() - kUp, settled}; }
// The clock stepped by `step` since.
ClockReading Stepped(microseconds step, bool synchronised = false) {
  return {kNow + step, kUp, synchronised};
}

TEST(TimeRulesTest, AStepOfAMinuteIsNoLeap) {
  const microseconds bit(1);
  for (const int sign : {1, -1}) {
    EXPECT_EQ(Judge(Right(), Stepped(sign * seconds(60))), ClockDoubt::kNone) << sign;
    EXPECT_EQ(Judge(Right(), Stepped(sign * (seconds(60) + bit))), ClockDoubt::kLeapt) << sign;
  }
  EXPECT_EQ(Judge(Right(), Stepped(hours(24 * 91))), ClockDoubt::kLeapt);
  EXPECT_EQ(Judge(Right(), Stepped(-hours(24 * 91))), ClockDoubt::kLeapt);
}

TEST(TimeRulesTest, ATimeServiceStandsForAQuarterOfAnHourForward) {
  EXPECT_EQ(Judge(Right(), Stepped(minutes(15), true)), ClockDoubt::kNone);
  EXPECT_EQ(Judge(Right(), Stepped(minutes(15) + microseconds(1), true)), ClockDoubt::kLeapt);
  // Back it is still before what is on record.
  EXPECT_EQ(Judge(Right(), Stepped(-minutes(10), true)), ClockDoubt::kBehind);
  EXPECT_EQ(Judge(Right(), Stepped(-seconds(60), true)), ClockDoubt::kNone);
}

TEST(TimeRulesTest, TimeThatTheMachineSleptIsNoLeap) {
  EXPECT_EQ(Judge(Right(), {kNow + hours(72), kUp + hours(72), false}), ClockDoubt::kNone);
}

TEST(TimeRulesTest, AfterAnotherStartTheRecordsAreWhatThereIs) {
  const KnownTime started = {kNow, std::nullopt, false};
  const auto judge = [&](microseconds off, bool synchronised) {
    return Judge(started, {kNow + off, seconds(20), synchronised});
  };
  EXPECT_EQ(judge(minutes(3), false), ClockDoubt::kNone);
  EXPECT_EQ(judge(hours(24 * 7), false), ClockDoubt::kNone);
  EXPECT_EQ(judge(hours(24 * 7) + microseconds(1), false), ClockDoubt::kFarAhead);
  EXPECT_EQ(judge(hours(24 * 91), true), ClockDoubt::kNone);
  EXPECT_EQ(judge(-seconds(60), false), ClockDoubt::kNone);
  EXPECT_EQ(judge(-seconds(61), false), ClockDoubt::kBehind);
  EXPECT_EQ(judge(-seconds(61), true), ClockDoubt::kBehind);
  EXPECT_EQ(judge(-hours(24 * 365 * 20), false), ClockDoubt::kBehind);
}

TEST(TimeRulesTest, WhatIsBelievedAtAStartIsTheReference) {
  const KnownTime started = {kNow, std::nullopt, false};
  const ClockReading reading = {kNow + hours(1), seconds(20), false};
  const KnownTime settled = Settle(started, reading);
  EXPECT_EQ(settled.reference, reading.offset());
  EXPECT_FALSE(settled.settled);
  const ClockReading past = {kNow - hours(1), seconds(20), true};
  EXPECT_FALSE(Settle(started, past).reference.has_value());
  EXPECT_FALSE(Settle(started, {kNow + hours(24 * 8), seconds(20), false}).reference.has_value());
}

TEST(TimeRulesTest, TheFirstSettingByATimeServiceExplainsItselfAndNoOther) {
  // As a machine without a battery comes up: at the time of its last stop.
  const ClockReading set = Stepped(hours(60), true);
  EXPECT_EQ(Judge(Right(false), set), ClockDoubt::kLeapt);
  const KnownTime settled = Settle(Right(false), set);
  EXPECT_EQ(settled.reference, set.offset());
  EXPECT_TRUE(settled.settled);
  EXPECT_EQ(Judge(settled, set), ClockDoubt::kNone);
  EXPECT_EQ(Settle(Right(true), set).reference, Right().reference);
  EXPECT_EQ(Settle(Right(false), Stepped(hours(60), false)).reference, Right().reference);
}

TEST(TimeRulesTest, TheReferenceFollowsSlowly) {
  const KnownTime after = Follow(Right(), Stepped(seconds(50)), minutes(10));
  EXPECT_EQ(*after.reference - *Right().reference, seconds(10));
  EXPECT_EQ(after.newest, kNow + seconds(50));
  EXPECT_EQ(*Follow(Right(), Stepped(seconds(50)), hours(2)).reference - *Right().reference,
            seconds(50));
  EXPECT_EQ(*Follow(Right(), Stepped(-seconds(50)), minutes(10)).reference - *Right().reference,
            -seconds(10));
  EXPECT_EQ(*Follow(Right(), Stepped(minutes(14), true), hours(1)).reference - *Right().reference,
            minutes(5));
  // And what is newest never becomes older.
  EXPECT_EQ(Follow(Right(), Stepped(-seconds(50)), minutes(10)).newest, kNow);
}

TEST(TimeRulesTest, TheWindowHoldsWhatIsBelieved) {
  for (const bool synchronised : {false, true}) {
    const TimeWindow window = WindowFor(Right(), synchronised);
    for (const int step : {-901, -900, -61, -60, 0, 60, 61, 900, 901}) {
      const ClockReading reading = Stepped(seconds(step), synchronised);
      EXPECT_EQ(window.Holds(reading.wall, reading.uptime),
                Judge(Right(), reading) == ClockDoubt::kNone)
          << step << synchronised;
    }
  }
  EXPECT_FALSE(WindowFor({kNow, std::nullopt, false}, true).Holds(kNow, kUp));
}

}  // namespace
}  // namespace hourglass::issuance
