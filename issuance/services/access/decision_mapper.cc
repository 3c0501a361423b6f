#include "issuance/services/access/decision_mapper.h"

#include <string>
#include <utility>

#include "ca/encoding/digest.h"
#include "issuance/decisions/event_cursor.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

v1::DecisionEvent::Kind ToProto(DecisionEvent::Kind kind) {
  switch (kind) {
    case DecisionEvent::Kind::kDeviceNotCompliant:
      return v1::DecisionEvent::DEVICE_NOT_COMPLIANT;
    case DecisionEvent::Kind::kAccessRefused:
      return v1::DecisionEvent::ACCESS_REFUSED;
    case DecisionEvent::Kind::kDeviceBlocked:
      return v1::DecisionEvent::DEVICE_BLOCKED;
    case DecisionEvent::Kind::kDeviceRemoved:
      return v1::DecisionEvent::DEVICE_REMOVED;
    case DecisionEvent::Kind::kUserBlocked:
      return v1::DecisionEvent::USER_BLOCKED;
    case DecisionEvent::Kind::kUserDisabled:
      return v1::DecisionEvent::USER_DISABLED;
    case DecisionEvent::Kind::kAccessLost:
      return v1::DecisionEvent::ACCESS_LOST;
  }
  return v1::DecisionEvent::KIND_UNSPECIFIED;
}

}  // namespace

v1::Refusal ToProto(const RefusalRecord& refusal) {
  v1::Refusal proto;
  proto.set_tenant_id(refusal.tenant_id);
  proto.set_verdict_id(refusal.verdict_id);
  *proto.mutable_at() = ToProto(refusal.at);
  proto.set_caller(refusal.caller);
  proto.set_user_id(refusal.user_id);
  proto.set_user_upn(refusal.user_upn);
  proto.set_device_id(refusal.device_id);
  proto.set_request_id(refusal.request_id);
  proto.set_policy_version(refusal.policy_version);
  *proto.mutable_reasons() = ReasonsIn(refusal.reasons);
  return proto;
}

google::protobuf::RepeatedPtrField<v1::DenyReason> ReasonsIn(absl::string_view kept) {
  v1::DenyReasons reasons;
  if (!reasons.ParseFromArray(kept.data(), static_cast<int>(kept.size()))) return {};
  return std::move(*reasons.mutable_reasons());
}

v1::DecisionEvent ToProto(const DecisionEvent& event) {
  v1::DecisionEvent proto;
  proto.set_cursor(CursorOf(event));
  proto.set_tenant_id(event.tenant_id);
  proto.set_kind(ToProto(event.kind));
  *proto.mutable_at() = ToProto(event.at);
  proto.set_device_id(event.device_id);
  proto.set_user_id(event.user_id);
  proto.set_user_upn(event.user_upn);
  proto.set_reason(event.reason);
  proto.set_verdict_id(event.verdict_id);
  *proto.mutable_reasons() = ReasonsIn(event.reasons);
  return proto;
}

v1::LiveCertificate ToProto(const JournalRecord& record, absl::string_view root_sha256) {
  const Intent& intent = record.intent;
  v1::LiveCertificate proto;
  proto.set_serial_number(intent.serial_number);
  *proto.mutable_not_after() = ToProto(intent.not_after);
  proto.set_root_id(intent.root_id);
  proto.set_root_sha256(std::string(root_sha256));
  proto.set_intermediate_serial_number(intent.intermediate_serial_number);
  proto.set_sha256(ca::Sha256(record.certificate));
  proto.set_user_upn(intent.user_upn);
  proto.set_user_id(intent.user_id);
  proto.set_device_id(intent.device_id);
  return proto;
}

}  // namespace hourglass::issuance
