#include "issuance/services/rotation_mapper.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/reflection.h>

#include <chrono>
#include <map>
#include <string>

#include "issuance/services/testing/service_test.h"

namespace hourglass::issuance {
namespace {

using std::chrono::seconds;

// Whether no field of the message's type is left out: what is added to the contract shows here.
void ExpectEveryField(const google::protobuf::Message& message) {
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = message.GetDescriptor()->field(i);
    EXPECT_TRUE(message.GetReflection()->HasField(message, field)) << field->full_name();
  }
}

TEST(RotationMapperTest, EveryKindOfObstacleHasItsName) {
  const std::map<PromotionObstacle::Kind, std::string> names = {
      {PromotionObstacle::Kind::kNotAcknowledged, "NOT_ACKNOWLEDGED"},
      {PromotionObstacle::Kind::kNoRelyingParty, "NO_RELYING_PARTY"},
      {PromotionObstacle::Kind::kKeyCannotSign, "KEY_CANNOT_SIGN"},
      {PromotionObstacle::Kind::kEndsTooSoon, "ENDS_TOO_SOON"},
      {PromotionObstacle::Kind::kNotYetValid, "NOT_YET_VALID"},
  };
  // And UNSPECIFIED.
  EXPECT_EQ(static_cast<int>(names.size()) + 1,
            v1::PromotionObstacle::Kind_descriptor()->value_count());
  for (const auto& [kind, name] : names) {
    const v1::PromotionObstacle proto = ToProto(PromotionObstacle{kind, "vpn-1", "z\xC3"});
    EXPECT_EQ(v1::PromotionObstacle::Kind_Name(proto.kind()), name);
    EXPECT_EQ(proto.relying_party(), "vpn-1");
    EXPECT_EQ(proto.message(), "z?") << "what a token says may be no UTF-8";
    ExpectEveryField(proto);
  }
}

TEST(RotationMapperTest, EveryStepIsTheOneOfItsName) {
  const std::map<RotationAction, std::string> names = {{RotationAction::kStage, "STAGE"},
                                                       {RotationAction::kPromote, "PROMOTE"},
                                                       {RotationAction::kRetire, "RETIRE"}};
  EXPECT_EQ(static_cast<int>(names.size()) + 1,
            v1::RotationStep::Action_descriptor()->value_count());
  for (const auto& [action, name] : names) {
    RotationStep step;
    step.action = action;
    step.root_id = "r7";
    step.due_at = ca::Time(seconds(1767323045));
    step.reason = "the primary ends";
    const v1::RotationStep proto = ToProto(step);
    EXPECT_EQ(v1::RotationStep::Action_Name(proto.action()), name);
    EXPECT_EQ(proto.root_id(), "r7");
    EXPECT_EQ(proto.due_at().seconds(), 1767323045);
    EXPECT_EQ(proto.due_at().nanos(), 0);
    EXPECT_EQ(proto.reason(), "the primary ends");
    ExpectEveryField(proto);
  }
}

TEST(RotationMapperTest, APolicyIsShownWhole) {
  const std::map<RotationMode, std::string> names = {{RotationMode::kOff, "OFF"},
                                                     {RotationMode::kDryRun, "DRY_RUN"},
                                                     {RotationMode::kAutomatic, "AUTOMATIC"}};
  EXPECT_EQ(static_cast<int>(names.size()) + 1,
            v1::RotationPolicy::Mode_descriptor()->value_count());
  for (const auto& [mode, name] : names) {
    RotationPolicy policy;
    policy.mode = mode;
    policy.stage_before_expiry = seconds(3);
    policy.promote_before_expiry = seconds(2);
    policy.root_duration = seconds(4);
    policy.key_type = hsm::KeyType::kRsa3072;
    policy.waive_acknowledgements = true;
    v1::RotationPolicy wanted = MessageOf<v1::RotationPolicy>(R"pb(
      stage_before_expiry { seconds: 3 }
      promote_before_expiry { seconds: 2 }
      root_duration { seconds: 4 }
      key_type: RSA_3072
      waive_acknowledgements: true)pb");
    v1::RotationPolicy::Mode parsed;
    ASSERT_TRUE(v1::RotationPolicy::Mode_Parse(name, &parsed));
    wanted.set_mode(parsed);
    EXPECT_THAT(ToProto(policy), IsMessage(wanted));
    ExpectEveryField(ToProto(policy));
  }
}

}  // namespace
}  // namespace hourglass::issuance
