#include "issuance/services/access/device_key_service.h"

#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/device_keys/device_key.h"
#include "issuance/device_keys/device_proof.h"
#include "issuance/device_keys/statements.h"
#include "issuance/services/access/access_mapper.h"
#include "issuance/store/device_key_rules.h"
#include "issuance/store/page.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kKeyIdSize = 64;

// The key of an enrolment, where whoever brings it shows that the device has it.
absl::StatusOr<DeviceKeyRecord> ProvenKey(const v1::EnrolDeviceKeyRequest& request, Timestamp now) {
  RETURN_IF_ERROR(CheckNewDeviceId(request.device_id()));
  RETURN_IF_ERROR(CheckDeviceKey(request.public_key()));
  DeviceKeyRecord key;
  key.tenant_id = request.tenant_id();
  key.key_id = DeviceKeyId(request.public_key());
  key.device_id = request.device_id();
  key.public_key = request.public_key();
  const std::string sha256 = absl::HexStringToBytes(key.key_id);
  RETURN_IF_ERROR(CheckEnrolmentProof(request.proof(), request.public_key(),
                                      {request.tenant_id(), request.device_id(), sha256}, now));
  return key;
}

void LogKey(const EventLog& log, absl::string_view event, const Caller& caller,
            const DeviceKeyRecord& key) {
  log.Info(event, {{"tenant", key.tenant_id},
                   {"device", key.device_id},
                   {"key", key.key_id},
                   {"state", NameOf(key.state)},
                   {"caller", caller.name}});
}

}  // namespace

absl::Status DeviceKeyService::EnrolDeviceKey(const Caller& caller,
                                              const v1::EnrolDeviceKeyRequest& request,
                                              v1::DeviceKey* response) {
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  // Whether a proof is of now is not to be told by a clock that leapt.
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  ASSIGN_OR_RETURN(const DeviceKeyRecord key, ProvenKey(request, now));
  auto approval = DeviceKeyStore::Approval::kLater;
  ChangeCause cause = {now, caller.name, ""};
  if (!request.access_token().empty()) {
    // Whoever sends one expects that it is looked at.
    if (token_ == nullptr) {
      return Error(ErrorReason::kFieldInvalid, "access_token",
                   "the tenant takes no access tokens: an administrator approves the key");
    }
    ASSIGN_OR_RETURN(const std::string user_id, token_(caller, request, key.key_id, now));
    approval = DeviceKeyStore::Approval::kIfFirst;
    cause.reason = absl::StrCat("an access token of user ", user_id, " names the device");
  }
  ASSIGN_OR_RETURN(const DeviceKeyRecord enrolled, keys_->EnrolDeviceKey(key, approval, cause));
  LogKey(*log_, "device_key_enrolled", caller, enrolled);
  *response = ToProto(enrolled);
  return absl::OkStatus();
}

absl::Status DeviceKeyService::ApproveDeviceKey(const Caller& caller,
                                                const v1::ApproveDeviceKeyRequest& request,
                                                v1::DeviceKey* response) {
  RETURN_IF_ERROR(CheckId(request.key_id(), kKeyIdSize, "key_id"));
  RETURN_IF_ERROR(CheckReason(request.reason(), "reason"));
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const DeviceKeyRecord key,
                   keys_->ApproveDeviceKey(request.tenant_id(), request.key_id(), request.replace(),
                                           {clock_->Now(), caller.name, request.reason()}));
  LogKey(*log_, "device_key_approved", caller, key);
  *response = ToProto(key);
  return absl::OkStatus();
}

absl::Status DeviceKeyService::RemoveDeviceKey(const Caller& caller,
                                               const v1::RemoveDeviceKeyRequest& request,
                                               v1::DeviceKey* response) {
  RETURN_IF_ERROR(CheckId(request.key_id(), kKeyIdSize, "key_id"));
  RETURN_IF_ERROR(CheckReason(request.reason(), "reason"));
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  // Not DecidingTime: the key of a stolen laptop is to go whatever the clock shows.
  ASSIGN_OR_RETURN(const DeviceKeyRecord key,
                   keys_->RemoveDeviceKey(request.tenant_id(), request.key_id(), request.release(),
                                          {clock_->Now(), caller.name, request.reason()}));
  LogKey(*log_, "device_key_removed", caller, key);
  *response = ToProto(key);
  return absl::OkStatus();
}

absl::Status DeviceKeyService::ListDeviceKeys(const Caller&,
                                              const v1::ListDeviceKeysRequest& request,
                                              v1::ListDeviceKeysResponse* response) {
  DeviceKeyFilter filter;
  if (!request.device_id().empty()) {
    RETURN_IF_ERROR(CheckId(request.device_id(), kMaxDeviceIdSize, "device_id"));
    filter.device_id = request.device_id();
  }
  ASSIGN_OR_RETURN(filter.state, FromProto(request.state()));
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(
      const Page<DeviceKeyRecord> page,
      keys_->ListDeviceKeys(request.tenant_id(), filter, page_size, request.page_token()));
  for (const DeviceKeyRecord& key : page.records) *response->add_device_keys() = ToProto(key);
  response->set_next_page_token(page.next_page_token);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
