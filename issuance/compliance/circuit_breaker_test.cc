#include "issuance/compliance/circuit_breaker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace hourglass::issuance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = CircuitBreaker::Admission::Kind;
using Outcome = CircuitBreaker::Outcome;
using Change = CircuitBreaker::Change;
using State = CircuitBreaker::State;

class CircuitBreakerTest : public testing::Test {
 protected:
  // One question from beginning to end.
  Change Ask(Outcome outcome) { return breaker_.Settle(Admitted(Kind::kAsk), outcome, now_); }

  CircuitBreaker::Admission Admitted(Kind kind) {
    const CircuitBreaker::Admission admission = breaker_.Admit(now_);
    EXPECT_EQ(admission.kind, kind);
    return admission;
  }

  void Open() {
    EXPECT_EQ(Ask(Outcome::kFailed), Change::kNone);
    EXPECT_EQ(Ask(Outcome::kFailed), Change::kNone);
    EXPECT_EQ(Ask(Outcome::kFailed), Change::kOpened);
    ASSERT_EQ(breaker_.state(), State::kOpen);
  }

  CircuitBreaker breaker_{{.failures = 3, .open_for = seconds(2)}};
  CircuitBreaker::Time now_ = CircuitBreaker::Time(seconds(1000));
};

TEST_F(CircuitBreakerTest, OpensAfterSoManyFailuresInARow) {
  EXPECT_TRUE(breaker_.IsUntroubled());
  Open();
  EXPECT_FALSE(breaker_.IsUntroubled());
  EXPECT_EQ(Admitted(Kind::kRefused).come_back, seconds(2));
  now_ += milliseconds(500);
  EXPECT_EQ(Admitted(Kind::kRefused).come_back, milliseconds(1500));
}

TEST_F(CircuitBreakerTest, AnAnswerBetweenBeginsTheRowAnew) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Ask(Outcome::kFailed), Change::kNone);
    EXPECT_FALSE(breaker_.IsUntroubled());
    EXPECT_EQ(Ask(Outcome::kFailed), Change::kNone);
    EXPECT_EQ(Ask(Outcome::kAnswered), Change::kNone);
    EXPECT_TRUE(breaker_.IsUntroubled());
  }
}

TEST_F(CircuitBreakerTest, WhatTellsNothingNeitherOpensNorHeals) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask(Outcome::kNothingLearned), Change::kNone);
  EXPECT_TRUE(breaker_.IsUntroubled());
  Ask(Outcome::kFailed);
  Ask(Outcome::kFailed);
  Ask(Outcome::kNothingLearned);
  EXPECT_EQ(Ask(Outcome::kFailed), Change::kOpened);
}

TEST_F(CircuitBreakerTest, OneProbeAloneWhenTheTimeIsOver) {
  Open();
  now_ += seconds(2) - milliseconds(1);
  EXPECT_EQ(Admitted(Kind::kRefused).come_back, milliseconds(1));
  now_ += milliseconds(1);
  const auto probe = Admitted(Kind::kProbe);
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_GT(Admitted(Kind::kRefused).come_back, milliseconds(0));
  now_ += seconds(100);
  Admitted(Kind::kRefused);
  EXPECT_EQ(breaker_.Settle(probe, Outcome::kAnswered, now_), Change::kClosed);
  EXPECT_TRUE(breaker_.IsUntroubled());
  EXPECT_EQ(Ask(Outcome::kAnswered), Change::kNone);
}

TEST_F(CircuitBreakerTest, AProbeThatFailsKeepsItOpenForAsLongAgain) {
  Open();
  for (int i = 0; i < 3; ++i) {
    now_ += seconds(2);
    EXPECT_EQ(breaker_.Settle(Admitted(Kind::kProbe), Outcome::kFailed, now_), Change::kNone);
    EXPECT_EQ(Admitted(Kind::kRefused).come_back, seconds(2));
  }
}

// A caller who gives up at once must not keep others from probing.
TEST_F(CircuitBreakerTest, AProbeThatTellsNothingIsFollowedByAnother) {
  Open();
  now_ += seconds(2);
  EXPECT_EQ(breaker_.Settle(Admitted(Kind::kProbe), Outcome::kNothingLearned, now_), Change::kNone);
  EXPECT_EQ(breaker_.Settle(Admitted(Kind::kProbe), Outcome::kAnswered, now_), Change::kClosed);
}

TEST_F(CircuitBreakerTest, WhatWasAskedBeforeCountsForNothing) {
  std::vector<CircuitBreaker::Admission> slow;
  for (int i = 0; i < 20; ++i) slow.push_back(Admitted(Kind::kAsk));
  Open();
  // Neither closes nor prolongs.
  EXPECT_EQ(breaker_.Settle(slow[0], Outcome::kAnswered, now_), Change::kNone);
  EXPECT_EQ(breaker_.Settle(slow[1], Outcome::kFailed, now_), Change::kNone);
  now_ += seconds(2);
  const auto probe = Admitted(Kind::kProbe);
  EXPECT_EQ(breaker_.Settle(slow[2], Outcome::kAnswered, now_), Change::kNone);
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_EQ(breaker_.Settle(probe, Outcome::kAnswered, now_), Change::kClosed);
  for (int i = 3; i < 20; ++i) {
    EXPECT_EQ(breaker_.Settle(slow[static_cast<std::size_t>(i)], Outcome::kFailed, now_),
              Change::kNone);
  }
  EXPECT_TRUE(breaker_.IsUntroubled());
}

TEST(CircuitBreakerOptionsTest, OneFailureMayBeEnough) {
  CircuitBreaker breaker({.failures = 1, .open_for = seconds(1)});
  const CircuitBreaker::Time now{};
  EXPECT_EQ(breaker.Settle(breaker.Admit(now), Outcome::kFailed, now), Change::kOpened);
}

}  // namespace
}  // namespace hourglass::issuance
