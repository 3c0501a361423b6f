#include "issuance/services/key_service.h"

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "issuance/services/record_mapper.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

absl::Status CheckKeyUri(const std::string& uri) {
  if (uri.empty()) return Error(ErrorReason::kFieldMissing, "key_uri", "is required");
  return absl::OkStatus();
}

v1::ErrorReason ReasonForProto(const absl::Status& status) {
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  if (status.ok()) return reason;
  const bool named =
      v1::ErrorReason_Parse(std::string(ErrorReasonName(ReasonOf(status))), &reason) &&
      reason != v1::ERROR_REASON_UNSPECIFIED;
  return named ? reason : v1::INTERNAL_ERROR;
}

v1::KeyPlace::Kind KindForProto(absl::string_view kind) {
  if (kind == "pkcs11") return v1::KeyPlace::PKCS11;
  if (kind == "tpm") return v1::KeyPlace::TPM;
  return kind == "software" ? v1::KeyPlace::SOFTWARE : v1::KeyPlace::KIND_UNSPECIFIED;
}

v1::KeyPlace::State StateForProto(hsm::CustodianStatus::State state) {
  switch (state) {
    case hsm::CustodianStatus::State::kUnused:
      return v1::KeyPlace::UNUSED;
    case hsm::CustodianStatus::State::kHealthy:
      return v1::KeyPlace::HEALTHY;
    case hsm::CustodianStatus::State::kRecovering:
      return v1::KeyPlace::RECOVERING;
    case hsm::CustodianStatus::State::kFailed:
      return v1::KeyPlace::FAILED;
  }
  return v1::KeyPlace::STATE_UNSPECIFIED;
}

// A place's condition is timed by a clock that nobody sets; people read the other.
Timestamp WallTimeOf(std::chrono::steady_clock::time_point then, Timestamp now) {
  return now -
         std::chrono::floor<std::chrono::microseconds>(std::chrono::steady_clock::now() - then);
}

v1::Key KeyAsProto(const AdministeredKey& key) {
  v1::Key proto;
  proto.set_key_uri(key.stored.uri);
  if (key.stored.type.has_value()) proto.set_key_type(ToProto(*key.stored.type));
  proto.set_public_key(key.stored.public_key);
  proto.set_unfit_because(key.stored.unfit_because);
  proto.set_out_of_service(key.stored.out_of_service);
  if (key.used_by.has_value()) {
    proto.mutable_used_by()->set_tenant_id(key.used_by->tenant_id);
    proto.mutable_used_by()->set_root_id(key.used_by->root_id);
    proto.mutable_used_by()->set_state(ToProto(key.used_by->state));
  }
  if (key.left_by.has_value()) {
    proto.mutable_left_by()->set_tenant_id(key.left_by->tenant_id);
    proto.mutable_left_by()->set_root_id(RootIdOf(key.left_by->generation));
  }
  proto.set_bound_to(key.bound_to);
  return proto;
}

v1::KeyPlace PlaceAsProto(const AdministeredPlace& place, Timestamp now) {
  v1::KeyPlace proto;
  proto.set_name(place.name);
  proto.set_kind(KindForProto(place.kind));
  if (place.condition.has_value()) {
    proto.set_state(StateForProto(place.condition->state));
    if (place.condition->state != hsm::CustodianStatus::State::kUnused) {
      *proto.mutable_state_since() = ToProto(WallTimeOf(place.condition->since, now));
    }
    proto.set_state_message(place.condition->message);
  }
  proto.set_error(ReasonForProto(place.status));
  proto.set_error_message(std::string(place.status.message()));
  for (const AdministeredKey& key : place.keys) *proto.add_keys() = KeyAsProto(key);
  return proto;
}

}  // namespace

absl::Status KeyService::ListKeys(const Caller&, const v1::ListKeysRequest&,
                                  v1::ListKeysResponse* response) {
  ASSIGN_OR_RETURN(const std::vector<AdministeredPlace> places, keys_->List());
  for (const AdministeredPlace& place : places) {
    *response->add_places() = PlaceAsProto(place, clock_->Now());
  }
  return absl::OkStatus();
}

absl::Status KeyService::CreateKey(const Caller& caller, const v1::CreateKeyRequest& request,
                                   v1::CreateKeyResponse* response) {
  RETURN_IF_ERROR(CheckKeyUri(request.key_uri()));
  ASSIGN_OR_RETURN(const hsm::KeyType type, FromProto(request.key_type()));
  const std::string& tenant_id = request.tenant_id();
  if (!tenant_id.empty()) RETURN_IF_ERROR(CheckTenantId(tenant_id));
  ASSIGN_OR_RETURN(const KeyAdministration::Creation key,
                   keys_->Create(request.key_uri(), type, tenant_id));
  response->mutable_key()->set_bound_to(tenant_id);
  response->mutable_key()->set_key_uri(key.uri);
  response->mutable_key()->set_key_type(request.key_type());
  response->mutable_key()->set_public_key(key.public_key);
  response->set_created(key.created);
  if (key.created) {
    log_->Info("key_created", {{"key", key.uri},
                               {"key_type", hsm::KeyTypeName(type)},
                               {"tenant", tenant_id},
                               {"caller", caller.name}});
  }
  return absl::OkStatus();
}

absl::Status KeyService::DestroyKey(const Caller& caller, const v1::DestroyKeyRequest& request,
                                    v1::DestroyKeyResponse* response) {
  RETURN_IF_ERROR(CheckKeyUri(request.key_uri()));
  ASSIGN_OR_RETURN(const AdministeredKey key, keys_->Destroy(request.key_uri(), caller.name));
  *response->mutable_key() = KeyAsProto(key);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
