#include "hsm/base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"

namespace hourglass {
namespace {

TEST(ErrorTest, CarriesCodeReasonFieldAndMessage) {
  const absl::Status status = Error(ErrorReason::kKeySizeRefused, "pkcs10", "RSA key of 1024 bits");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), ErrorReason::kKeySizeRefused);
  EXPECT_EQ(FieldOf(status), "pkcs10");
  EXPECT_EQ(std::string(status.message()), "pkcs10: RSA key of 1024 bits");
}

TEST(ErrorTest, WithoutFieldTheMessageStandsAlone) {
  const absl::Status status = Error(ErrorReason::kStopping, "", "the service is stopping");
  EXPECT_EQ(std::string(status.message()), "the service is stopping");
  EXPECT_EQ(FieldOf(status), "");
}

TEST(ErrorTest, OtherStatusesHaveNoReason) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), ErrorReason::kUnspecified);
  EXPECT_EQ(ReasonOf(absl::InternalError("plain")), ErrorReason::kUnspecified);
}

}  // namespace
}  // namespace hourglass
