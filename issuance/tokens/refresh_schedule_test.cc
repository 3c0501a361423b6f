#include "issuance/tokens/refresh_schedule.h"

#include <gtest/gtest.h>

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr RefreshSchedule::Time kBegin(hours(1000));

TEST(RefreshScheduleTest, IsDueAtOnceAndThenEachDay) {
  RefreshSchedule schedule({});
  EXPECT_TRUE(schedule.IsDue(kBegin));
  schedule.Succeeded(kBegin);
  EXPECT_FALSE(schedule.IsDue(kBegin));
  EXPECT_FALSE(schedule.IsDue(kBegin + hours(24) - seconds(1)));
  EXPECT_TRUE(schedule.IsDue(kBegin + hours(24)));
}

TEST(RefreshScheduleTest, AFailureIsTriedAgainLessAndLessOften) {
  RefreshSchedule schedule({});
  RefreshSchedule::Time now = kBegin;
  for (const int pause : {10, 20, 40, 80, 160, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300}) {
    schedule.Failed(now);
    EXPECT_FALSE(schedule.IsDue(now + seconds(pause - 1))) << pause;
    now += seconds(pause);
    EXPECT_TRUE(schedule.IsDue(now)) << pause;
  }
  schedule.Succeeded(now);
  EXPECT_FALSE(schedule.IsDue(now + hours(23)));
  schedule.Failed(now);
  EXPECT_TRUE(schedule.IsDue(now + seconds(10)));
}

TEST(RefreshScheduleTest, AnUnknownKeyIsLookedForOnceAMinute) {
  RefreshSchedule schedule({});
  schedule.Succeeded(kBegin);
  schedule.KeyIsUnknown();
  EXPECT_FALSE(schedule.IsDue(kBegin + seconds(59)));
  EXPECT_TRUE(schedule.IsDue(kBegin + seconds(60)));
  schedule.Succeeded(kBegin + hours(1));
  EXPECT_FALSE(schedule.IsDue(kBegin + hours(2)));
  // Long after the last attempt: at once.
  schedule.KeyIsUnknown();
  EXPECT_TRUE(schedule.IsDue(kBegin + hours(2)));
}

TEST(RefreshScheduleTest, UnknownKeysDoNotHurryWhatFails) {
  RefreshSchedule schedule({});
  schedule.Succeeded(kBegin);
  for (int i = 0; i < 6; ++i) schedule.Failed(kBegin + hours(24));
  schedule.KeyIsUnknown();
  EXPECT_FALSE(schedule.IsDue(kBegin + hours(24) + minutes(5) - seconds(1)));
  EXPECT_TRUE(schedule.IsDue(kBegin + hours(24) + minutes(5)));
}

}  // namespace
}  // namespace hourglass::issuance
