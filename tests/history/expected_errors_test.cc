#include "tests/history/expected_errors.h"

#include <gtest/gtest.h>

#include <string>

#include "hsm/base/error.h"

namespace hourglass::history {
namespace {

Refused RefusedWith(ErrorReason reason) { return {"", std::string(ErrorReasonName(reason)), "no"}; }

// What hourglass-broker asks again after, whatever reasons there are to come.
TEST(ExpectedErrorsTest, WhatIsUnavailableIsRetryable) {
  int retryable = 0;
  for (int i = 1; i <= static_cast<int>(ErrorReason::kInternalError); ++i) {
    const auto reason = static_cast<ErrorReason>(i);
    const absl::StatusCode code = Error(reason, "", "").code();
    const bool expected = code == absl::StatusCode::kUnavailable ||
                          reason == ErrorReason::kOverloaded ||
                          reason == ErrorReason::kPrimaryChanged;
    EXPECT_EQ(IsRetryable(RefusedWith(reason)), expected) << ErrorReasonName(reason);
    if (expected) ++retryable;
  }
  EXPECT_GT(retryable, 5);
}

TEST(ExpectedErrorsTest, WithoutAReasonNothingIsExpected) {
  EXPECT_FALSE(IsRetryable({"UNAVAILABLE", "", "a proxy's"}));
  EXPECT_FALSE(IsExpectedOfAdministration({"UNAVAILABLE", "", "a proxy's"}));
}

TEST(ExpectedErrorsTest, AnAdministratorMayBeTooLate) {
  EXPECT_TRUE(IsExpectedOfAdministration(RefusedWith(ErrorReason::kRootMoveIllegal)));
  EXPECT_TRUE(IsExpectedOfAdministration(RefusedWith(ErrorReason::kPrimaryChanged)));
  EXPECT_TRUE(IsExpectedOfAdministration(RefusedWith(ErrorReason::kJournalUnavailable)));
  EXPECT_FALSE(IsRetryable(RefusedWith(ErrorReason::kRootMoveIllegal)));
  EXPECT_FALSE(IsExpectedOfAdministration(RefusedWith(ErrorReason::kInternalError)));
  EXPECT_FALSE(IsExpectedOfAdministration(RefusedWith(ErrorReason::kKeyMismatch)));
  // One request makes one root, however many replicas are asked at once.
  EXPECT_FALSE(IsExpectedOfAdministration(RefusedWith(ErrorReason::kKeyExists)));
}

}  // namespace
}  // namespace hourglass::history
