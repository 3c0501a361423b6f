#include "tools/bench/cost/thread_cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/status_matchers.h"

namespace hourglass::bench {
namespace {

using std::chrono::milliseconds;

// Keeps the processor busy for so long.
absl::Status Spin(double microseconds) {
  const double end = ThreadMicroseconds() + microseconds;
  while (ThreadMicroseconds() < end) {
  }
  return absl::OkStatus();
}

TEST(MedianTest, IsInTheMiddle) {
  EXPECT_EQ(Median({5}), 5);
  EXPECT_EQ(Median({9, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 3, 2}), 3);
}

TEST(TimeCallsTest, CountsProcessorTimeAndNotTheWait) {
  ASSERT_OK_AND_ASSIGN(const TimedCalls busy,
                       TimeCalls(milliseconds(5), 2, [] { return Spin(500); }));
  EXPECT_GE(busy.microseconds, 500);
  EXPECT_GE(busy.calls, 2);
  EXPECT_EQ(busy.calls % 2, 0);
  ASSERT_OK_AND_ASSIGN(const TimedCalls waiting, TimeCalls(milliseconds(0), 3, [] {
                         std::this_thread::sleep_for(milliseconds(30));
                         return absl::OkStatus();
                       }));
  EXPECT_EQ(waiting.calls, 3);
  EXPECT_LT(waiting.microseconds, 30'000);
}

TEST(MeasureBesideFloorTest, TellsThemApartAndStopsAtAnError) {
  const CostEffort effort = {3, milliseconds(2), 1};
  ASSERT_OK_AND_ASSIGN(const CostBesideFloor cost,
                       MeasureBesideFloor(
                           effort, [] { return Spin(900); }, [] { return Spin(100); }));
  EXPECT_GE(cost.cost, 900);
  EXPECT_GE(cost.floor, 100);
  EXPECT_LT(cost.floor, cost.cost);
  int calls = 0;
  const auto fails = [&calls] {
    return ++calls < 3 ? absl::OkStatus() : absl::InternalError("broken");
  };
  EXPECT_EQ(MeasureBesideFloor(effort, fails, [] { return Spin(1); }).status().message(), "broken");
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace hourglass::bench
