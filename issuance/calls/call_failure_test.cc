// What the caller of a failed method is told.
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "hsm/base/error.h"
#include "hsm/key/custodian.h"
#include "issuance/calls/call_runner.h"
#include "issuance/tokens/token_fault.h"
#include "tests/support/grpc_matchers.h"

namespace hourglass::issuance {
namespace {

using std::chrono::milliseconds;

std::optional<milliseconds> RetryDelayIn(const grpc::Status& status) {
  const auto detail = ErrorDetailOf(status);
  if (!detail.has_value() || !detail->has_retry_delay()) return std::nullopt;
  return milliseconds(detail->retry_delay().seconds() * 1000 +
                      detail->retry_delay().nanos() / 1'000'000);
}

TEST(FailureOfTest, SaysWhenToComeBackWhereComingBackHelps) {
  const absl::Status no_key = Error(ErrorReason::kKeyUnavailable, "", "the token is gone");
  EXPECT_EQ(RetryDelayIn(FailureOf(no_key, {})), milliseconds(1000));
  EXPECT_EQ(RetryDelayIn(FailureOf(hsm::WithRetryDelay(no_key, milliseconds(70)), {})),
            milliseconds(70));
  EXPECT_EQ(RetryDelayIn(FailureOf(Error(ErrorReason::kOverloaded, "", "too much"), {})),
            milliseconds(250));
  const absl::Status no_verdict = Error(ErrorReason::kComplianceUnavailable, "", "it is away");
  EXPECT_EQ(RetryDelayIn(FailureOf(hsm::WithRetryDelay(no_verdict, milliseconds(1700)), {})),
            milliseconds(1700));
  for (int i = 1; i <= static_cast<int>(ErrorReason::kInternalError); ++i) {
    const auto reason = static_cast<ErrorReason>(i);
    if (reason == ErrorReason::kKeyUnavailable || reason == ErrorReason::kOverloaded) continue;
    EXPECT_EQ(RetryDelayIn(FailureOf(Error(reason, "field", "why"), {})), std::nullopt)
        << ErrorReasonName(reason);
  }
}

TEST(FailureOfTest, HandsOnTheReasonsOfADeny) {
  v1::DenyReason reason;
  reason.set_setting("disk_encryption.enabled");
  const grpc::Status status =
      FailureOf(Error(ErrorReason::kDeviceNotCompliant, "device_id", "no"), {reason}, "verdict-7");
  EXPECT_THAT(status, RefusedWith(v1::DEVICE_NOT_COMPLIANT, "device_id"));
  ASSERT_EQ(ErrorDetailOf(status)->deny_reasons_size(), 1);
  EXPECT_EQ(ErrorDetailOf(status)->deny_reasons(0).setting(), "disk_encryption.enabled");
  EXPECT_EQ(ErrorDetailOf(status)->correlation_id(), "verdict-7");
  EXPECT_THAT(FailureOf(absl::OkStatus(), {}), Succeeded());
}

TEST(FailureOfTest, SaysWhatIsWrongWithAnAccessToken) {
  for (const TokenFault fault : {TokenFault::kReplayed, TokenFault::kKeysUnavailable}) {
    const grpc::Status status = FailureOf(TokenError(fault, "why"), {});
    EXPECT_THAT(status, RefusedWith(MayPass(fault) ? v1::TOKEN_NOT_JUDGED : v1::TOKEN_REFUSED,
                                    "access_token"));
    EXPECT_EQ(ErrorDetailOf(status)->token_fault(), TokenFaultName(fault));
  }
  const grpc::Status other = FailureOf(Error(ErrorReason::kTokenRefused, "access_token", "x"), {});
  EXPECT_EQ(ErrorDetailOf(other)->token_fault(), "");
}

TEST(OverloadedUntilTest, SaysTheTimeThatItIsGiven) {
  const grpc::Status status = OverloadedUntil(milliseconds(12'345));
  EXPECT_THAT(status, RefusedWith(v1::OVERLOADED, ""));
  EXPECT_EQ(RetryDelayIn(status), milliseconds(12'345));
}

}  // namespace
}  // namespace hourglass::issuance
