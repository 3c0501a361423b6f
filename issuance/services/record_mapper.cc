#include "issuance/services/record_mapper.h"

#include "ca/issuers/root_certificate.h"
#include "hsm/base/error.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
v1::KeyType ToProto(hsm::KeyType key_type) {
  switch (key_type) {
    case hsm::KeyType::kEcP256:
      return v1::EC_P256;
    case hsm::KeyType::kEcP384:
      return v1::EC_P384;
    case hsm::KeyType::kRsa2048:
      return v1::RSA_2048;
    case hsm::KeyType::kRsa3072:
      return v1::RSA_3072;
    case hsm::KeyType::kRsa4096:
      return v1::RSA_4096;
  }
  return v1::KEY_TYPE_UNSPECIFIED;
}

v1::RootState ToProto(ca::RootState state) {
  switch (state) {
    case ca::RootState::kStaged:
      return v1::STAGED;
    case ca::RootState::kPrimary:
      return v1::PRIMARY;
    case ca::RootState::kRetiring:
      return v1::RETIRING;
    case ca::RootState::kRetired:
      return v1::RETIRED;
    case ca::RootState::kDiscarded:
      return v1::DISCARDED;
  }
  return v1::ROOT_STATE_UNSPECIFIED;
}

v1::Root ToProto(const RootRecord& root) {
  v1::Root proto;
  proto.set_root_id(root.root_id);
  proto.set_tenant_id(root.tenant_id);
  proto.set_generation(static_cast<std::uint32_t>(root.generation));
  proto.set_state(ToProto(root.state));
  proto.set_key_type(ToProto(root.key_type));
  proto.set_key_uri(root.key_uri);
  proto.set_certificate(root.certificate);
  *proto.mutable_created_at() = ToProto(root.created_at);
  *proto.mutable_not_before() = ToProto(root.not_before);
  *proto.mutable_not_after() = ToProto(root.not_after);
  if (root.last_leaf_not_after.has_value()) {
    *proto.mutable_last_leaf_not_after() = ToProto(*root.last_leaf_not_after);
  }
  *proto.mutable_state_since() = ToProto(root.state_since);
  if (root.key_destroyed_at.has_value()) {
    *proto.mutable_key_destroyed_at() = ToProto(*root.key_destroyed_at);
  }
  const auto certificate = ca::RootCertificate::Parse(root.certificate);
  proto.set_bundle_version(root.bundle_version);
  proto.set_issuing_sub_keys(certificate.ok() && certificate->allows_issuing_sub_keys());
  return proto;
}

v1::Intermediate ToProto(const IntermediateRecord& intermediate) {
  v1::Intermediate proto;
  proto.set_serial_number(intermediate.serial_number);
  proto.set_key_type(ToProto(intermediate.key_type));
  *proto.mutable_not_before() = ToProto(intermediate.not_before);
  *proto.mutable_not_after() = ToProto(intermediate.not_after);
  *proto.mutable_intended_at() = ToProto(intermediate.intended_at);
  if (intermediate.released_at.has_value()) {
    *proto.mutable_released_at() = ToProto(*intermediate.released_at);
  }
  proto.set_epoch(intermediate.epoch);
  proto.set_tbs_certificate(intermediate.tbs_certificate);
  proto.set_certificate(intermediate.certificate);
  return proto;
}

v1::Tenant ToProto(const TenantRecord& tenant, const std::vector<RootRecord>& roots) {
  v1::Tenant proto;
  proto.set_tenant_id(tenant.tenant_id);
  proto.set_display_name(tenant.display_name);
  *proto.mutable_created_at() = ToProto(tenant.created_at);
  proto.set_epoch(tenant.epoch);
  for (const RootRecord& root : roots) {
    if (root.state == ca::RootState::kPrimary) proto.set_primary_root_id(root.root_id);
  }
  return proto;
}

v1::JournalEntry ToProto(const JournalRecord& record) {
  const Intent& intent = record.intent;
  v1::JournalEntry proto;
  proto.set_tenant_id(intent.tenant_id);
  proto.set_serial_number(intent.serial_number);
  proto.set_root_id(intent.root_id);
  proto.set_epoch(intent.epoch);
  proto.set_request_id(intent.request_id);
  proto.set_caller(intent.caller);
  proto.set_user_id(intent.user_id);
  proto.set_user_upn(intent.user_upn);
  proto.set_device_id(intent.device_id);
  proto.set_verdict_id(intent.verdict_id);
  proto.set_policy_version(intent.policy_version);
  *proto.mutable_not_before() = ToProto(intent.not_before);
  *proto.mutable_not_after() = ToProto(intent.not_after);
  *proto.mutable_intended_at() = ToProto(intent.intended_at);
  if (record.released_at.has_value()) *proto.mutable_released_at() = ToProto(*record.released_at);
  proto.set_tbs_certificate(intent.tbs_certificate);
  proto.set_certificate(record.certificate);
  proto.set_intermediate_serial_number(intent.intermediate_serial_number);
  proto.set_identity(intent.identity);
  proto.set_token_issuer(intent.token_issuer);
  proto.set_token_id(intent.token_id);
  return proto;
}

v1::RelyingParty ToProto(const RelyingPartyRecord& party) {
  v1::RelyingParty proto;
  proto.set_tenant_id(party.tenant_id);
  proto.set_name(party.name);
  proto.set_identity(party.identity);
  proto.set_kind(party.kind);
  proto.set_manual(party.is_manual);
  proto.set_acknowledged_version(party.acknowledged_version);
  proto.set_acknowledged_sha256(party.acknowledged_sha256);
  if (party.acknowledged_at.has_value()) {
    *proto.mutable_acknowledged_at() = ToProto(*party.acknowledged_at);
  }
  proto.set_acknowledged_by(party.acknowledged_by);
  *proto.mutable_registered_at() = ToProto(party.registered_at);
  proto.set_fetched_version(party.fetched_version);
  if (party.fetched_at.has_value()) *proto.mutable_fetched_at() = ToProto(*party.fetched_at);
  return proto;
}

absl::StatusOr<v1::Device> ToProto(const DeviceRecord& device) {
  v1::Device proto;
  proto.set_tenant_id(device.tenant_id);
  proto.set_device_id(device.device_id);
  if (!proto.mutable_state()->ParseFromString(device.state)) {
    return Error(ErrorReason::kJournalUnavailable, "device_id",
                 "the stored state of this device is damaged");
  }
  *proto.mutable_reported_at() = ToProto(device.reported_at);
  proto.set_reported_by(device.reported_by);
  return proto;
}

v1::AdministrativeAction ToProto(const AdministrativeAction& action) {
  v1::AdministrativeAction proto;
  proto.set_tenant_id(action.tenant_id);
  proto.set_sequence(action.sequence);
  *proto.mutable_at() = ToProto(action.at);
  proto.set_caller(action.caller);
  proto.set_action(action.action);
  proto.set_subject(action.subject);
  proto.set_from_state(action.from_state);
  proto.set_to_state(action.to_state);
  proto.set_reason(action.reason);
  proto.set_override(action.overrides);
  return proto;
}

absl::StatusOr<hsm::KeyType> FromProto(v1::KeyType key_type) {
  switch (key_type) {
    case v1::EC_P256:
      return hsm::KeyType::kEcP256;
    case v1::EC_P384:
      return hsm::KeyType::kEcP384;
    case v1::RSA_2048:
      return hsm::KeyType::kRsa2048;
    case v1::RSA_3072:
      return hsm::KeyType::kRsa3072;
    case v1::RSA_4096:
      return hsm::KeyType::kRsa4096;
    case v1::KEY_TYPE_UNSPECIFIED:
      return Error(ErrorReason::kFieldMissing, "key_type", "is required");
    default:
      return Error(ErrorReason::kFieldInvalid, "key_type", "is not a type that this service knows");
  }
}

}  // namespace hourglass::issuance
