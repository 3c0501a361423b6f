#include "issuance/admission/lane_gate.h"

#include <gtest/gtest.h>

namespace hourglass::issuance {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

LaneGate AfterBatches(std::size_t tasks, std::chrono::steady_clock::duration took) {
  LaneGate gate;
  for (int i = 0; i < 50; ++i) gate.Served(tasks, took);
  return gate;
}

TEST(LaneGateTest, AnIdleServiceTakesUpWhateverComes) {
  const LaneGate gate = AfterBatches(10, milliseconds(1));
  EXPECT_TRUE(gate.IsOpen(1, 0));
  EXPECT_FALSE(gate.IsOpen(0, 0));
  EXPECT_FALSE(gate.IsOpen(0, 1));
}

// Nothing is known of the tasks yet.
TEST(LaneGateTest, ANewOneHoldsNothingBack) {
  EXPECT_TRUE(LaneGate().IsOpen(1, 1));
  EXPECT_TRUE(LaneGate().IsOpen(1, 8));
}

TEST(LaneGateTest, ShortTasksWaitForTheLaneThatIsBusy) {
  const LaneGate gate = AfterBatches(10, milliseconds(1));
  EXPECT_FALSE(gate.IsOpen(24, 1));
  EXPECT_TRUE(gate.IsOpen(26, 1));
  EXPECT_FALSE(gate.IsOpen(26, 2));
  EXPECT_TRUE(gate.IsOpen(51, 2));
}

// As RSA-3072 signatures are.
TEST(LaneGateTest, ALongTaskIsWorthALaneOfItsOwn) {
  const LaneGate gate = AfterBatches(3, milliseconds(9));
  EXPECT_TRUE(gate.IsOpen(1, 1));
  EXPECT_FALSE(gate.IsOpen(1, 2));
  EXPECT_TRUE(gate.IsOpen(2, 2));
}

TEST(LaneGateTest, FollowsWhatTheLatestBatchesTook) {
  LaneGate gate = AfterBatches(10, milliseconds(1));
  ASSERT_FALSE(gate.IsOpen(3, 1));
  for (int i = 0; i < 50; ++i) gate.Served(10, milliseconds(10));
  EXPECT_TRUE(gate.IsOpen(3, 1));
  for (int i = 0; i < 100; ++i) gate.Served(10, microseconds(100));
  EXPECT_FALSE(gate.IsOpen(30, 1));
}

}  // namespace
}  // namespace hourglass::issuance
