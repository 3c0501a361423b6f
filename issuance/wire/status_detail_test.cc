#include "issuance/wire/status_detail.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "issuance/wire/promotion_obstacles_payload.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

v1::DenyReason Reason(const std::string& setting, const std::string& message,
                      const std::string& url) {
  v1::DenyReason reason;
  reason.set_setting(setting);
  reason.set_message(message);
  reason.set_remediation_url(url);
  return reason;
}

// The comment of each value in error.proto ends with its gRPC code in brackets; protoc drops
// comments, so the codes are written out once more here.
grpc::StatusCode DocumentedCode(v1::ErrorReason reason) {
  switch (reason) {
    case v1::FIELD_MISSING:
    case v1::FIELD_INVALID:
    case v1::REQUEST_MALFORMED:
    case v1::REQUEST_SIGNATURE_INVALID:
    case v1::KEY_UNSUPPORTED:
    case v1::KEY_SIZE_REFUSED:
    case v1::KEY_INVALID:
    case v1::KEY_WEAK:
    case v1::KEY_URI_INVALID:
    case v1::BUNDLE_UNKNOWN:
    case v1::BUNDLE_MISMATCH:
    case v1::BUNDLE_INVALID:
    case v1::CONFIGURATION_INVALID:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case v1::REQUEST_ID_REUSED:
    case v1::TENANT_EXISTS:
    case v1::DISPLAY_NAME_TAKEN:
    case v1::KEY_EXISTS:
    case v1::RELYING_PARTY_EXISTS:
    case v1::USER_EXISTS:
    case v1::DEVICE_KEY_EXISTS:
      return grpc::StatusCode::ALREADY_EXISTS;
    case v1::CALLER_CERTIFICATE_EXPIRED:
    case v1::CALLER_REFUSED:
    case v1::TOKEN_REFUSED:
    case v1::DEVICE_PROOF_MISSING:
    case v1::DEVICE_PROOF_REFUSED:
    case v1::CALLER_UNKNOWN:
      return grpc::StatusCode::UNAUTHENTICATED;
    case v1::ROLE_NOT_PERMITTED:
    case v1::TENANT_NOT_PERMITTED:
    case v1::UPN_NOT_OF_TENANT:
    case v1::KEY_NOT_PERMITTED:
    case v1::DEVICE_NOT_COMPLIANT:
      return grpc::StatusCode::PERMISSION_DENIED;
    case v1::TENANT_UNKNOWN:
    case v1::ROOT_UNKNOWN:
    case v1::DEVICE_UNKNOWN:
    case v1::KEY_NOT_FOUND:
    case v1::CERTIFICATE_UNKNOWN:
    case v1::RELYING_PARTY_UNKNOWN:
    case v1::POLICY_UNKNOWN:
    case v1::USER_UNKNOWN:
    case v1::BLOCK_UNKNOWN:
    case v1::DEVICE_KEY_UNKNOWN:
      return grpc::StatusCode::NOT_FOUND;
    case v1::ROOT_MOVE_ILLEGAL:
    case v1::NO_PRIMARY_ROOT:
    case v1::ROOT_EXPIRING:
    case v1::ROOT_NOT_YET_VALID:
    case v1::SUB_KEY_NOT_ALLOWED:
    case v1::PIN_REFUSED:
    case v1::KEY_MISMATCH:
    case v1::KEY_UNFIT:
    case v1::KEY_DESTROYED:
    case v1::KEY_IN_USE:
    case v1::PROMOTION_BLOCKED:
    case v1::BUNDLE_OUTDATED:
    case v1::SID_UNKNOWN:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case v1::PRIMARY_CHANGED:
    case v1::POLICIES_CHANGED:
      return grpc::StatusCode::ABORTED;
    case v1::COMPLIANCE_UNAVAILABLE:
    case v1::COMPLIANCE_ANSWER_INVALID:
    case v1::KEY_UNAVAILABLE:
    case v1::JOURNAL_UNAVAILABLE:
    case v1::CLOCK_UNTRUSTED:
    case v1::STOPPING:
    case v1::TOKEN_NOT_JUDGED:
      return grpc::StatusCode::UNAVAILABLE;
    case v1::CURSOR_UNKNOWN:
      return grpc::StatusCode::OUT_OF_RANGE;
    case v1::QUOTA_EXCEEDED:
    case v1::OVERLOADED:
    case v1::REQUESTS_TOO_FREQUENT:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case v1::INTERNAL_ERROR:
      return grpc::StatusCode::INTERNAL;
    default:
      return grpc::StatusCode::UNKNOWN;
  }
}

TEST(StatusDetailTest, EveryReasonOfTheProtoCrossesTheWireAndBack) {
  const auto* reasons = v1::ErrorReason_descriptor();
  ASSERT_EQ(reasons->value_count(), static_cast<int>(ErrorReason::kInternalError) + 1);
  for (int i = 1; i < reasons->value_count(); ++i) {
    const auto reason = static_cast<ErrorReason>(i);
    const std::string name(ErrorReasonName(reason));
    SCOPED_TRACE(name);
    const auto* const of_the_proto = reasons->FindValueByName(name);
    ASSERT_NE(of_the_proto, nullptr);
    const absl::Status status = Error(reason, "user.upn", "is wrong");
    const grpc::Status wire = ToGrpcStatus(status);

    const auto detail = ErrorDetailOf(wire);
    ASSERT_TRUE(detail.has_value());
    EXPECT_EQ(detail->reason(), of_the_proto->number());
    EXPECT_EQ(detail->field(), "user.upn");
    EXPECT_EQ(wire.error_code(), DocumentedCode(detail->reason()));
    EXPECT_EQ(wire.error_message(), "user.upn: is wrong");

    const absl::Status back = FromGrpcStatus(wire);
    EXPECT_THAT(back, FailsWith(reason, "user.upn"));
    EXPECT_EQ(std::string(back.message()), std::string(status.message()));
  }
}

TEST(StatusDetailTest, TheDetailReadsAsGoogleRpcStatus) {
  v1::RpcStatus wire;
  ASSERT_TRUE(wire.ParseFromString(
      ToGrpcStatus(Error(ErrorReason::kStopping, "", "the service is stopping")).error_details()));
  EXPECT_EQ(wire.code(), static_cast<int>(grpc::StatusCode::UNAVAILABLE));
  EXPECT_EQ(wire.message(), "the service is stopping");
  ASSERT_EQ(wire.details_size(), 1);
  EXPECT_EQ(wire.details(0).type_url(), "type.googleapis.com/hourglass.v1.ErrorDetail");
}

TEST(StatusDetailTest, OkIsOk) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_OK(FromGrpcStatus(grpc::Status::OK));
  EXPECT_FALSE(ErrorDetailOf(grpc::Status::OK).has_value());
}

TEST(StatusDetailTest, AStatusWithoutReasonLeaksNothing) {
  const grpc::Status wire = ToGrpcStatus(absl::NotFoundError("a text for the log"));
  EXPECT_EQ(wire.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(ErrorDetailOf(wire)->reason(), v1::INTERNAL_ERROR);
  EXPECT_THAT(wire.error_message() + wire.error_details(),
              testing::Not(testing::HasSubstr("for the log")));
}

TEST(StatusDetailTest, CarriesDenyReasonsAndRetryDelay) {
  const std::vector<v1::DenyReason> reasons = {
      Reason("disk_encryption.enabled", "is off", "https://help.contoso.example/vpn")};
  const grpc::Status wire = ToGrpcStatus(Error(ErrorReason::kDeviceNotCompliant, "", "refused"),
                                         {reasons, std::chrono::milliseconds(1500)});
  const auto detail = ErrorDetailOf(wire);
  ASSERT_TRUE(detail.has_value());
  ASSERT_EQ(detail->deny_reasons_size(), 1);
  EXPECT_EQ(detail->deny_reasons(0).SerializeAsString(), reasons[0].SerializeAsString());
  EXPECT_EQ(detail->retry_delay().seconds(), 1);
  EXPECT_EQ(detail->retry_delay().nanos(), 500000000);
}

TEST(StatusDetailTest, TellsWhatIsWrongWithATokenAndWhereTheJournalHasTheRefusal) {
  StatusExtras extras;
  extras.token_fault = "REPLAYED";
  extras.correlation_id = "verdict-1";
  const auto detail =
      ErrorDetailOf(ToGrpcStatus(Error(ErrorReason::kTokenRefused, "access_token", "x"), extras));
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->token_fault(), "REPLAYED");
  EXPECT_EQ(detail->correlation_id(), "verdict-1");
}

TEST(StatusDetailTest, StaysWithinTheMetadataThatGrpcTakes) {
  const std::vector<v1::DenyReason> many(
      40, Reason("a.setting", std::string(100, 'm'), "https://" + std::string(150, 'u')));
  const absl::Status denied = Error(ErrorReason::kDeviceNotCompliant, "", std::string(100000, 'x'));
  const grpc::Status wire = ToGrpcStatus(denied, {many, {}});
  EXPECT_EQ(wire.error_message().size(), kMaxStatusMessageSize);
  EXPECT_LE(wire.error_details().size(), kMaxStatusDetailSize);
  const auto detail = ErrorDetailOf(wire);
  ASSERT_TRUE(detail.has_value());
  EXPECT_GT(detail->deny_reasons_size(), 10);

  const std::vector<v1::DenyReason> huge = {
      Reason(std::string(5000, 's'), std::string(5000, 'm'), std::string(5000, 'u'))};
  const grpc::Status cut = ToGrpcStatus(denied, {huge, {}});
  EXPECT_LE(cut.error_details().size(), kMaxStatusDetailSize);
  EXPECT_EQ(ErrorDetailOf(cut)->deny_reasons_size(), 1);
}

absl::Status Blocked(const std::vector<v1::PromotionObstacle>& obstacles) {
  absl::Status status = Error(ErrorReason::kPromotionBlocked, "root_id", "something is in the way");
  AttachObstacles(obstacles, &status);
  return status;
}

v1::PromotionObstacle NotAcknowledged(const std::string& relying_party,
                                      const std::string& message) {
  v1::PromotionObstacle obstacle;
  obstacle.set_kind(v1::PromotionObstacle::NOT_ACKNOWLEDGED);
  obstacle.set_relying_party(relying_party);
  obstacle.set_message(message);
  return obstacle;
}

TEST(StatusDetailTest, CarriesWhatIsInTheWayOfAPromotionThereAndBack) {
  const std::vector<v1::PromotionObstacle> obstacles = {NotAcknowledged("vpn-1", "has version 3"),
                                                        NotAcknowledged("vpn-2", "has none")};
  const grpc::Status wire = ToGrpcStatus(Blocked(obstacles));
  const auto detail = ErrorDetailOf(wire);
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->reason(), v1::PROMOTION_BLOCKED);
  ASSERT_EQ(detail->obstacles_size(), 2);
  const absl::Status back = FromGrpcStatus(wire);
  EXPECT_THAT(back, FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
  const std::vector<v1::PromotionObstacle> told = AttachedObstacles(back);
  ASSERT_EQ(told.size(), 2u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(detail->obstacles(i).SerializeAsString(), obstacles[i].SerializeAsString());
    EXPECT_EQ(told[i].SerializeAsString(), obstacles[i].SerializeAsString());
  }
  const grpc::Status without = ToGrpcStatus(Error(ErrorReason::kPromotionBlocked, "", "m"));
  EXPECT_EQ(ErrorDetailOf(without)->obstacles_size(), 0);
  EXPECT_TRUE(AttachedObstacles(FromGrpcStatus(without)).empty());
}

TEST(StatusDetailTest, ObstaclesStayWithinTheMetadata) {
  const std::vector<v1::PromotionObstacle> many(
      1000, NotAcknowledged(std::string(64, 'n'), std::string(100, 'm')));
  const grpc::Status wire = ToGrpcStatus(Blocked(many));
  EXPECT_LE(wire.error_details().size(), kMaxStatusDetailSize);
  EXPECT_GT(ErrorDetailOf(wire)->obstacles_size(), 10);
  const grpc::Status cut =
      ToGrpcStatus(Blocked({NotAcknowledged(std::string(5000, 'n'), std::string(5000, 'm'))}));
  EXPECT_LE(cut.error_details().size(), kMaxStatusDetailSize);
  EXPECT_EQ(ErrorDetailOf(cut)->obstacles_size(), 1);
}

TEST(StatusDetailTest, CutsBetweenCharacters) {
  std::string text(kMaxStatusMessageSize - 1, 'x');
  text += "\xC3\xA9";
  const grpc::Status wire = ToGrpcStatus(Error(ErrorReason::kInternalError, "", text));
  EXPECT_EQ(wire.error_message(), std::string(kMaxStatusMessageSize - 1, 'x'));
}

TEST(StatusDetailTest, WhatAnotherServiceSaidCannotMakeAnAnswerUnreadable) {
  for (const auto& [said, told] : {std::pair("z\xC3\xA9", "z\xC3\xA9"), std::pair("z\xC3", "z?")}) {
    const grpc::Status status = ToGrpcStatus(Error(ErrorReason::kComplianceUnavailable, "", said));
    EXPECT_EQ(status.error_message(), told);
    v1::RpcStatus read;
    ASSERT_TRUE(read.ParseFromString(ToRpcStatus(status).SerializeAsString())) << told;
    ASSERT_TRUE(ErrorDetailOf(status).has_value()) << told;
    EXPECT_EQ(ErrorDetailOf(status)->reason(), v1::COMPLIANCE_UNAVAILABLE);
  }
}

TEST(StatusDetailTest, ErrorsOfOthersHaveNoReason) {
  const grpc::Status plain(grpc::StatusCode::UNAVAILABLE, "connection refused");
  EXPECT_FALSE(ErrorDetailOf(plain).has_value());
  const absl::Status status = FromGrpcStatus(plain);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(std::string(status.message()), "connection refused");
  EXPECT_EQ(ReasonOf(status), ErrorReason::kUnspecified);

  const grpc::Status garbage(grpc::StatusCode::UNAVAILABLE, "m", "\xff\xff\xff garbage");
  EXPECT_FALSE(ErrorDetailOf(garbage).has_value());
}

TEST(StatusDetailTest, AReasonOfANewerServerKeepsCodeAndMessage) {
  v1::ErrorDetail detail;
  detail.set_reason(static_cast<v1::ErrorReason>(9999));
  v1::RpcStatus wire;
  wire.add_details()->PackFrom(detail);
  const absl::Status status = FromGrpcStatus(
      grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "new", wire.SerializeAsString()));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), ErrorReason::kUnspecified);
}

}  // namespace
}  // namespace hourglass::issuance
