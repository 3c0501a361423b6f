#include "issuance/services/rotation_mapper.h"

#include <chrono>

#include "google/protobuf/duration.pb.h"
#include "issuance/services/record_mapper.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

v1::RotationStep::Action ActionForProto(RotationAction action) {
  switch (action) {
    case RotationAction::kStage:
      return v1::RotationStep::STAGE;
    case RotationAction::kPromote:
      return v1::RotationStep::PROMOTE;
    case RotationAction::kRetire:
      return v1::RotationStep::RETIRE;
  }
  return v1::RotationStep::ACTION_UNSPECIFIED;
}

v1::RotationPolicy::Mode ModeForProto(RotationMode mode) {
  switch (mode) {
    case RotationMode::kOff:
      return v1::RotationPolicy::OFF;
    case RotationMode::kDryRun:
      return v1::RotationPolicy::DRY_RUN;
    case RotationMode::kAutomatic:
      return v1::RotationPolicy::AUTOMATIC;
  }
  return v1::RotationPolicy::MODE_UNSPECIFIED;
}

google::protobuf::Duration DurationForProto(std::chrono::seconds duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count());
  return proto;
}

}  // namespace

v1::RotationStep ToProto(const RotationStep& step) {
  v1::RotationStep proto;
  proto.set_action(ActionForProto(step.action));
  proto.set_root_id(step.root_id);
  *proto.mutable_due_at() = ToProto(Timestamp(step.due_at));
  proto.set_reason(step.reason);
  return proto;
}

v1::RotationPolicy ToProto(const RotationPolicy& policy) {
  v1::RotationPolicy proto;
  proto.set_mode(ModeForProto(policy.mode));
  *proto.mutable_stage_before_expiry() = DurationForProto(policy.stage_before_expiry);
  *proto.mutable_promote_before_expiry() = DurationForProto(policy.promote_before_expiry);
  *proto.mutable_root_duration() = DurationForProto(policy.root_duration);
  proto.set_key_type(ToProto(policy.key_type));
  proto.set_waive_acknowledgements(policy.waive_acknowledgements);
  return proto;
}

}  // namespace hourglass::issuance
