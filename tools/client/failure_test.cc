#include "tools/client/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/error.pb.h"
#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"
#include "tools/client/connection.h"

namespace hourglass::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Failure, SaysWhatToDoAboutATokenThatIsAway) {
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kKeyUnavailable, "pkcs11:token=contoso",
                                   "no such token is present")),
              AllOf(HasSubstr("KEY_UNAVAILABLE: pkcs11:token=contoso: no such token is present"),
                    HasSubstr("next: check that the token is there (hourglass keys probe --module "
                              "MODULE)")));
}

TEST(Failure, DoesNotSendToTheTokenWhereTheFieldIsAnotherThing) {
  const auto unavailable = [](absl::string_view field) {
    return FailureInWords(Error(ErrorReason::kKeyUnavailable, field, "cannot be read"));
  };
  EXPECT_THAT(unavailable("module-path"),
              AllOf(HasSubstr("next: name the PKCS#11 library"), Not(HasSubstr("SoftHSM"))));
  EXPECT_THAT(unavailable("file:/etc/hourglass/pin"),
              AllOf(HasSubstr("next: put the PIN where"), Not(HasSubstr("SoftHSM"))));
  EXPECT_THAT(unavailable("credential:pin"), HasSubstr("next: put the PIN where"));
  EXPECT_THAT(unavailable("env:PIN"), HasSubstr("next: put the PIN where"));
  EXPECT_THAT(unavailable("tpm:sealed=root1"),
              AllOf(HasSubstr("keys.tpm.tcti"), Not(HasSubstr("SoftHSM"))));
}

TEST(Failure, SaysHowASealedKeyIsOpenedAgain) {
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kKeyUnfit, "tpm:sealed=root1",
                                   "the registers 7 hold something else")),
              HasSubstr("--recovery-code-file FILE"));
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kKeyUnfit, "pkcs11:token=contoso",
                                   "CKA_EXTRACTABLE must be false")),
              AllOf(HasSubstr("hourglass keys probe"), Not(HasSubstr("recovery"))));
}

TEST(Failure, SpeaksOfTheRecoveryCodeWhereOneWasAskedFor) {
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kPinRefused, "tpm:sealed=root1",
                                   "the recovery code is mistyped")),
              HasSubstr("next: give the recovery code"));
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kPinRefused, "pkcs11:token=contoso", "C_Login")),
              AllOf(HasSubstr("next: put the right PIN"), Not(HasSubstr("recovery"))));
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kKeyExists, "--recovery-code-out", "is there")),
              AllOf(HasSubstr("next: name a file"), Not(HasSubstr("keys list"))));
}

// As the service says it of an access token.
std::string TokenFailure(ErrorReason reason, absl::string_view fault) {
  issuance::StatusExtras extras;
  extras.token_fault = fault;
  return FailureInWords(CallError(
      issuance::ToGrpcStatus(Error(reason, "access_token", "is not taken"), extras), "here"));
}

TEST(Failure, SaysOfATokenWhatItsFaultAsksFor) {
  const auto refused = [](absl::string_view fault) {
    return TokenFailure(ErrorReason::kTokenRefused, fault);
  };
  EXPECT_THAT(refused("MISSING"),
              AllOf(HasSubstr("next: bring the access token"), HasSubstr("--access-token-file")));
  for (const char* used_up : {"EXPIRED", "REPLAYED", "USED_BY_ANOTHER_CALLER"}) {
    EXPECT_THAT(refused(used_up), HasSubstr("next: get a new access token")) << used_up;
  }
  for (const char* another : {"ANOTHER_USER", "ANOTHER_DEVICE"}) {
    EXPECT_THAT(refused(another), HasSubstr("next: ask for the user and on the device")) << another;
  }
  // Faults of the configuration, faults that begin as others do, and those of later releases.
  for (const char* other : {"AUDIENCE_WRONG", "EXPIRY_MISSING", "WHAT_IS_NOT_THERE_YET", ""}) {
    EXPECT_THAT(refused(other),
                AllOf(HasSubstr("next: see docs/tokens.md"), Not(HasSubstr("new access token"))))
        << other;
  }
  EXPECT_THAT(TokenFailure(ErrorReason::kTokenNotJudged, "KEY_UNKNOWN"),
              AllOf(HasSubstr("next: ask again in a minute with the same request id"),
                    Not(HasSubstr("docs/tokens.md"))));
}

TEST(Failure, SaysWhoseLimitIsUsedUp) {
  const auto limited = [](absl::string_view field) {
    return FailureInWords(Error(ErrorReason::kRequestsTooFrequent, field, "too often"));
  };
  EXPECT_THAT(limited("device_id"),
              AllOf(HasSubstr("a client that loops"), HasSubstr("limits.device_requests")));
  EXPECT_THAT(limited("tenant_id"), HasSubstr("raises limits.tenant_requests"));
  EXPECT_THAT(limited(""),
              AllOf(HasSubstr("raises limits.caller_requests"), Not(HasSubstr("device_requests"))));
}

TEST(Failure, SaysHowASidAndACursorAreFound) {
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kSidUnknown, "user.upn", "nobody knows it")),
              AllOf(HasSubstr("hourglass users show"), HasSubstr("hourglass users import")));
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kCursorUnknown, "cursor", "is of no event")),
              HasSubstr("next: begin without a cursor"));
}

google::protobuf::RepeatedPtrField<v1::PromotionObstacle> Obstacles(
    const std::vector<v1::PromotionObstacle::Kind>& kinds) {
  google::protobuf::RepeatedPtrField<v1::PromotionObstacle> obstacles;
  for (const v1::PromotionObstacle::Kind kind : kinds) {
    v1::PromotionObstacle& obstacle = *obstacles.Add();
    obstacle.set_kind(kind);
    if (kind == v1::PromotionObstacle::NOT_ACKNOWLEDGED) obstacle.set_relying_party("gw\n1");
    obstacle.set_message("because");
  }
  return obstacles;
}

TEST(Failure, SaysOfEachObstacleWhatToDoAndOfEachKindOnce) {
  const std::string text = ObstaclesInWords(
      Obstacles({v1::PromotionObstacle::NOT_ACKNOWLEDGED, v1::PromotionObstacle::NOT_ACKNOWLEDGED,
                 v1::PromotionObstacle::NO_RELYING_PARTY}));
  EXPECT_THAT(text, testing::StartsWith("  - NOT_ACKNOWLEDGED gw\\x0a1: because\n"
                                        "  - NOT_ACKNOWLEDGED gw\\x0a1: because\n"
                                        "  - NO_RELYING_PARTY: because\n  next: "));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
  EXPECT_EQ(ObstaclesInWords({}), "");
}

TEST(Failure, WhatIsInTheWayIsSaidOnce) {
  const auto said = [](const std::string& message) {
    v1::ErrorDetail detail;
    detail.set_reason(v1::PROMOTION_BLOCKED);
    detail.set_field("root_id");
    for (const char* why : {"gw-1 has it not", "the token is away"}) {
      v1::PromotionObstacle& obstacle = *detail.add_obstacles();
      obstacle.set_kind(v1::PromotionObstacle::KEY_CANNOT_SIGN);
      obstacle.set_message(why);
    }
    v1::RpcStatus wire;
    wire.set_code(static_cast<int>(grpc::StatusCode::FAILED_PRECONDITION));
    wire.set_message(message);
    wire.add_details()->PackFrom(detail);
    return CallError(
        grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, message, wire.SerializeAsString()),
        "here");
  };
  const absl::Status blocked =
      said("root_id: cannot be promoted: gw-1 has it not; the token is away");
  EXPECT_THAT(FailureInWords(blocked),
              testing::StartsWith("PROMOTION_BLOCKED: root_id: cannot be promoted\n"
                                  "  - KEY_CANNOT_SIGN: gw-1 has it not\n"
                                  "  - KEY_CANNOT_SIGN: the token is away\n  next: "));
  // Programs get the message as it came.
  EXPECT_THAT(FailureAsJson(blocked)["error"]["message"].get<std::string>(),
              testing::EndsWith("cannot be promoted: gw-1 has it not; the token is away"));
  EXPECT_THAT(FailureInWords(said("root_id: in other words: no")),
              testing::StartsWith("PROMOTION_BLOCKED: root_id: in other words: no\n  - "));
}

TEST(Failure, HasAdviceForEveryKindOfObstacle) {
  for (int kind = v1::PromotionObstacle::Kind_MIN + 1; kind <= v1::PromotionObstacle::Kind_MAX;
       ++kind) {
    const Json json = ObstaclesAsJson(Obstacles({static_cast<v1::PromotionObstacle::Kind>(kind)}));
    EXPECT_FALSE(json[0].value("next", "").empty()) << kind;
    EXPECT_EQ(json[0].contains("relying_party"), kind == v1::PromotionObstacle::NOT_ACKNOWLEDGED);
  }
  EXPECT_FALSE(
      ObstaclesAsJson(Obstacles({v1::PromotionObstacle::KIND_UNSPECIFIED}))[0].contains("next"));
}

TEST(Failure, ABlockedPromotionWithoutObstaclesStillSaysWhereToLook) {
  const absl::Status blocked = CallError(
      issuance::ToGrpcStatus(Error(ErrorReason::kPromotionBlocked, "root_id", "blocked")), "here");
  EXPECT_THAT(FailureInWords(blocked), HasSubstr("next: see where the rotation stands: hourglass "
                                                 "rotation status --tenant TENANT\n"));
  EXPECT_FALSE(FailureAsJson(blocked)["error"].contains("obstacles"));
}

}  // namespace
}  // namespace hourglass::client
