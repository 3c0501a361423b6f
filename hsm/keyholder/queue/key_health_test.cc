#include "hsm/keyholder/queue/key_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hsm/base/error.h"
#include "hsm/key/custodian.h"

namespace hourglass::hsm {
namespace {

using AfterError = KeyHealth::AfterError;
using AfterTest = KeyHealth::AfterTest;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime kStart{std::chrono::hours(1)};
constexpr SteadyTime kNow = kStart + seconds(10);

constexpr CustodianCondition kToken{/*pin_logs_in=*/true, /*none_can_start=*/false};
constexpr CustodianCondition kRefusedToken{/*pin_logs_in=*/true, /*none_can_start=*/true};
constexpr CustodianCondition kTpm{/*pin_logs_in=*/false, /*none_can_start=*/false};

absl::Status NotFound() { return Error(ErrorReason::kKeyNotFound, "key", "is not there"); }
absl::Status Unavailable() { return Error(ErrorReason::kKeyUnavailable, "token", "is away"); }
absl::Status PinRefused() { return Error(ErrorReason::kPinRefused, "pin", "is wrong"); }

TEST(KeyHealthTest, AnErrorIsTheAnswerOnlyOnceAYoungerWorkerHasSaidSo) {
  KeyHealth health;
  EXPECT_EQ(health.Failed(NotFound(), kStart, kToken, kNow), AfterError::kReplaceWorker);
  EXPECT_EQ(health.worker_since(), kNow);
  EXPECT_FALSE(health.ails());
  // A second error of that worker: it is on its way out already.
  EXPECT_EQ(health.Failed(NotFound(), kStart, kToken, kNow + seconds(1)),
            AfterError::kAwaitYounger);
  EXPECT_EQ(health.worker_since(), kNow);

  health.Believe(NotFound(), kNow);
  EXPECT_TRUE(health.ails());
  EXPECT_EQ(health.worker_since(), SteadyTime::min());
  EXPECT_EQ(health.Failed(NotFound(), kNow, kToken, kNow), AfterError::kAnswer);
}

TEST(KeyHealthTest, AnAilingKeyIsAskedAnewAfterAWhile) {
  KeyHealth health;
  health.Believe(NotFound(), kStart);
  EXPECT_EQ(health.Failed(NotFound(), kStart, kToken, kStart + milliseconds(500)),
            AfterError::kAnswer);
  EXPECT_EQ(health.Failed(NotFound(), kStart, kToken, kStart + milliseconds(501)),
            AfterError::kReplaceWorker);
  // For as long again as it has ailed by then.
  health.Believe(NotFound(), kStart + seconds(4));
  EXPECT_EQ(health.Failed(NotFound(), kStart, kToken, kStart + seconds(8)), AfterError::kAnswer);
  EXPECT_EQ(health.Failed(NotFound(), kStart, kToken, kStart + milliseconds(8001)),
            AfterError::kReplaceWorker);
}

TEST(KeyHealthTest, ASignatureEndsAnAilment) {
  KeyHealth health;
  health.Believe(NotFound(), kStart);
  health.Signed();
  EXPECT_FALSE(health.ails());
  // And with it how long it has lasted.
  health.Believe(NotFound(), kNow);
  EXPECT_EQ(health.Failed(NotFound(), kNow, kToken, kNow + milliseconds(501)),
            AfterError::kReplaceWorker);
}

TEST(KeyHealthTest, NoSecondOpinionIsWaitedForThatNobodyCanGive) {
  KeyHealth health;
  EXPECT_EQ(health.Failed(NotFound(), kStart, kRefusedToken, kNow), AfterError::kAnswer);
  EXPECT_EQ(health.worker_since(), SteadyTime::min());
  // What no worker can go on after is no opinion.
  EXPECT_EQ(health.Failed(Unavailable(), kStart, kRefusedToken, kNow), AfterError::kWorkerLost);
  EXPECT_EQ(health.FailedTest(NotFound(), kStart, true, kRefusedToken, kNow), AfterTest::kNothing);
  EXPECT_EQ(health.FailedTest(Unavailable(), kStart, true, kRefusedToken, kNow),
            AfterTest::kReplaceWorker);
}

TEST(KeyHealthTest, AWorkerThatCanDoNothingIsLost) {
  KeyHealth health;
  EXPECT_EQ(health.Failed(Unavailable(), kStart, kToken, kNow), AfterError::kWorkerLost);
  EXPECT_EQ(health.worker_since(), SteadyTime::min());
  EXPECT_FALSE(health.ails());
}

TEST(KeyHealthTest, ARefusedPinIsOfTheCustodianWhereItLogsIn) {
  KeyHealth health;
  EXPECT_EQ(health.Failed(PinRefused(), kStart, kToken, kNow), AfterError::kWorkerLost);
  EXPECT_EQ(health.FailedTest(PinRefused(), kStart, true, kToken, kNow), AfterTest::kReplaceWorker);
  EXPECT_FALSE(health.ails());
}

TEST(KeyHealthTest, ARefusedPinIsOfTheKeyWhereItDoesNotLogIn) {
  KeyHealth health;
  EXPECT_EQ(health.Failed(PinRefused(), kStart, kTpm, kNow), AfterError::kRefusePin);
  EXPECT_FALSE(health.ails());
  EXPECT_EQ(health.FailedTest(PinRefused(), kStart, true, kTpm, kNow), AfterTest::kRefusePin);
  EXPECT_TRUE(health.ails());
}

TEST(KeyHealthTest, ARefusedPinIsNotedOfAKeyThatAilsAsWell) {
  KeyHealth health;
  health.Believe(NotFound(), kStart);
  ASSERT_TRUE(health.ails());
  // Not yet to be asked anew: any other error is only the answer.
  EXPECT_EQ(health.Failed(NotFound(), kStart, kTpm, kStart), AfterError::kAnswer);
  EXPECT_EQ(health.Failed(PinRefused(), kStart, kTpm, kStart), AfterError::kRefusePin);
  EXPECT_EQ(health.Failed(PinRefused(), kStart, kToken, kStart), AfterError::kWorkerLost);
}

TEST(KeyHealthTest, TheFirstTestsOfAWorkerAreBelieved) {
  KeyHealth health;
  EXPECT_EQ(health.FailedTest(NotFound(), kStart, /*serving=*/false, kToken, kNow),
            AfterTest::kBelieve);
  EXPECT_TRUE(health.ails());
  // Where the worker may be at fault, others of its keys tell.
  KeyHealth other;
  EXPECT_EQ(other.FailedTest(Unavailable(), kStart, /*serving=*/false, kToken, kNow),
            AfterTest::kJudgeLast);
  EXPECT_FALSE(other.ails());
}

TEST(KeyHealthTest, LaterTestsWantASecondOpinionAsSignaturesDo) {
  KeyHealth health;
  EXPECT_EQ(health.FailedTest(NotFound(), kStart, /*serving=*/true, kToken, kNow),
            AfterTest::kReplaceWorker);
  EXPECT_EQ(health.worker_since(), kNow);
  // The worker alone is in doubt: any other may sign.
  KeyHealth other;
  EXPECT_EQ(other.FailedTest(Unavailable(), kStart, /*serving=*/true, kToken, kNow),
            AfterTest::kReplaceWorker);
  EXPECT_EQ(other.worker_since(), SteadyTime::min());
  // What a new worker has confirmed replaces none.
  health.Believe(NotFound(), kNow);
  EXPECT_EQ(health.FailedTest(NotFound(), kNow, /*serving=*/true, kToken, kNow),
            AfterTest::kNothing);
}

TEST(KeyHealthTest, APassedTestOfAYoungerWorkerSettlesTheDoubt) {
  KeyHealth health;
  EXPECT_EQ(health.PassedTest(kStart), std::nullopt);
  ASSERT_EQ(health.Failed(NotFound(), kStart, kToken, kNow), AfterError::kReplaceWorker);
  EXPECT_EQ(health.PassedTest(kStart), std::nullopt);
  EXPECT_EQ(health.PassedTest(kNow), kNow);
  health.Believe(NotFound(), kNow);
  health.PassedTest(kNow);
  EXPECT_FALSE(health.ails());
}

TEST(KeyHealthTest, TwoWorkersWhoseSignaturesDoNotVerifyTakeItOutOfService) {
  KeyHealth health;
  EXPECT_FALSE(health.Mismatched(kStart, kNow));
  EXPECT_FALSE(health.Mismatched(kNow, kNow + seconds(1)));  // not since the first
  EXPECT_FALSE(health.out_of_service());
  EXPECT_TRUE(health.Mismatched(kNow + milliseconds(1), kNow + seconds(2)));
  EXPECT_TRUE(health.out_of_service());
  // No error is looked into any more, however long ago.
  EXPECT_EQ(health.Failed(NotFound(), kStart, kToken, kNow + std::chrono::hours(1)),
            AfterError::kAnswer);
}

TEST(KeyHealthTest, ASoundSignatureOfAYoungerWorkerClearsAMismatch) {
  KeyHealth health;
  ASSERT_FALSE(health.Mismatched(kStart, kNow));
  health.PassedTest(kNow);  // no younger than the mismatch
  KeyHealth doubted = health;
  EXPECT_TRUE(doubted.Mismatched(kNow + seconds(1), kNow + seconds(2)));
  health.PassedTest(kNow + seconds(1));
  EXPECT_FALSE(health.Mismatched(kNow + seconds(1), kNow + seconds(2)));
}

TEST(KeyHealthTest, WorkersOfAnyAgeMaySignOnceNoneCanStart) {
  KeyHealth health;
  ASSERT_EQ(health.Failed(NotFound(), kStart, kToken, kNow), AfterError::kReplaceWorker);
  health.TrustAllWorkers();
  EXPECT_EQ(health.worker_since(), SteadyTime::min());
}

}  // namespace
}  // namespace hourglass::hsm
