#include "hsm/keyholder/queue/start_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr SteadyTime kNow{std::chrono::hours(1)};
constexpr PinStamp kWrong{1, 2, 3, 4};
constexpr PinStamp kChanged{1, 2, 3, 5};

absl::Status PinRefused() { return Error(ErrorReason::kPinRefused, "pin", "is wrong"); }

TEST(StartGateTest, OneStartsAtATime) {
  StartGate gate(true, std::nullopt);
  EXPECT_TRUE(gate.Ask(0, kNow).granted);
  EXPECT_THAT(gate.waiting(), IsEmpty());
  const StartGate::Permit second = gate.Ask(1, kNow);
  EXPECT_FALSE(second.granted);
  EXPECT_EQ(second.ask_again, SteadyTime::max());
  EXPECT_THAT(gate.waiting(), ElementsAre(1));
  // One that does not start leaves nothing.
  gate.Leave(1);
  EXPECT_FALSE(gate.Ask(1, kNow).granted);
  gate.Leave(0);
  EXPECT_TRUE(gate.Ask(1, kNow).granted);
  EXPECT_THAT(gate.waiting(), IsEmpty());
}

TEST(StartGateTest, PausesGrowWithLosses) {
  StartGate gate(true, std::nullopt);
  ASSERT_TRUE(gate.Ask(0, kNow).granted);
  gate.LeaveAfterLoss(0, kNow);  // the first is replaced at once
  ASSERT_TRUE(gate.Ask(0, kNow).granted);
  gate.LeaveAfterLoss(0, kNow);
  const StartGate::Permit early = gate.Ask(0, kNow + milliseconds(24));
  EXPECT_FALSE(early.granted);
  EXPECT_EQ(early.ask_again, kNow + milliseconds(25));
  EXPECT_THAT(gate.waiting(), ElementsAre(0));
  EXPECT_TRUE(gate.Ask(0, kNow + milliseconds(25)).granted);
}

TEST(StartGateTest, APinThatLogsInIsTriedOnceUntilItChanges) {
  StartGate gate(true, std::nullopt);
  EXPECT_FALSE(gate.AcceptPin(kChanged));
  gate.RefusePin("", kWrong, PinRefused());
  EXPECT_TRUE(gate.none_can_start());
  const StartGate::Permit permit = gate.Ask(0, kNow);
  EXPECT_FALSE(permit.granted);
  EXPECT_EQ(permit.ask_again, kNow + milliseconds(250));
  EXPECT_THAT(gate.waiting(), ElementsAre(0));
  EXPECT_FALSE(gate.AcceptPin(kWrong));
  EXPECT_FALSE(gate.Ask(0, kNow + seconds(1)).granted);
  EXPECT_TRUE(gate.AcceptPin(kChanged));
  EXPECT_FALSE(gate.none_can_start());
  EXPECT_TRUE(gate.Ask(0, kNow + seconds(1)).granted);
  // Whatever it was refused for.
  gate.RefusePin("key", kWrong, PinRefused());
  EXPECT_TRUE(gate.none_can_start());
}

TEST(StartGateTest, APinThatDoesNotLogInIsRefusedForWhatItWasTriedFor) {
  const TemporaryDirectory directory;
  const PinSource source{PinSource::Kind::kFile, directory.File("pin")};
  directory.Write("pin", "1234");
  StartGate gate(false, source);
  gate.RefusePin("key", StampOf(source), PinRefused());
  EXPECT_THAT(gate.CheckPin("key"), FailsWith(ErrorReason::kPinRefused));
  EXPECT_TRUE(gate.IsRefused("key"));
  EXPECT_OK(gate.CheckPin("other"));
  EXPECT_FALSE(gate.IsRefused("other"));
  // Workers start all the same.
  EXPECT_FALSE(gate.none_can_start());
  EXPECT_FALSE(gate.AcceptPin(kChanged));
  EXPECT_TRUE(gate.Ask(0, kNow).granted);

  directory.Write("pin", "12345");
  EXPECT_TRUE(gate.IsRefused("key"));  // nobody has looked yet
  EXPECT_OK(gate.CheckPin("key"));
  EXPECT_FALSE(gate.IsRefused("key"));
}

}  // namespace
}  // namespace hourglass::hsm
