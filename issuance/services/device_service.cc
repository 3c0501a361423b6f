#include "issuance/services/device_service.h"

#include <string>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/base/os_version.h"
#include "issuance/compliance/decision.h"
#include "issuance/services/record_mapper.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

absl::Status CheckNotInFuture(const google::protobuf::Timestamp& time, Timestamp now,
                              absl::string_view field) {
  ASSIGN_OR_RETURN(const Timestamp parsed, FromProto(time, field));
  if (parsed > now + kClockTolerance) {
    return Error(ErrorReason::kFieldInvalid, field, "lies more than 5 minutes in the future");
  }
  return absl::OkStatus();
}

absl::Status CheckTimes(const v1::DeviceState& state, Timestamp now) {
  if (state.antivirus().has_signatures_updated_at()) {
    RETURN_IF_ERROR(CheckNotInFuture(state.antivirus().signatures_updated_at(), now,
                                     "state.antivirus.signatures_updated_at"));
  }
  if (state.automatic_update().has_last_installed_at()) {
    RETURN_IF_ERROR(CheckNotInFuture(state.automatic_update().last_installed_at(), now,
                                     "state.automatic_update.last_installed_at"));
  }
  if (state.device_health_attestation().has_attested_at()) {
    RETURN_IF_ERROR(CheckNotInFuture(state.device_health_attestation().attested_at(), now,
                                     "state.device_health_attestation.attested_at"));
  }
  return absl::OkStatus();
}

// An empty one is unknown.
absl::Status CheckOsVersion(const std::string& version) {
  if (version.empty() || ParseOsVersion(version).has_value()) return absl::OkStatus();
  return Error(ErrorReason::kFieldInvalid, "state.automatic_update.os_version",
               "must be up to four numbers of at most nine digits joined by dots");
}

}  // namespace

absl::Status DeviceService::ReportDevice(const Caller& caller,
                                         const v1::ReportDeviceRequest& request,
                                         v1::Device* response) {
  // Not administrators: whoever may promote roots does not say which devices are in order.
  RETURN_IF_ERROR(CheckNewDeviceId(request.device_id()));
  if (!request.has_state()) return Error(ErrorReason::kFieldMissing, "state", "is required");
  // What is dated by a clock that leapt would be judged by that date for long.
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  RETURN_IF_ERROR(CheckTimes(request.state(), now));
  RETURN_IF_ERROR(CheckOsVersion(request.state().automatic_update().os_version()));
  // What this service does not know it neither judges nor keeps; so a record is small.
  v1::DeviceState state = request.state();
  state.DiscardUnknownFields();
  const DeviceRecord device{request.tenant_id(), request.device_id(), state.SerializeAsString(),
                            now, caller.name};
  RETURN_IF_ERROR(devices_->PutDevice(device));
  ASSIGN_OR_RETURN(*response, ToProto(device));
  log_->Info("device_reported",
             {{"tenant", device.tenant_id}, {"device", device.device_id}, {"caller", caller.name}});
  return absl::OkStatus();
}

absl::Status DeviceService::ListDevices(const Caller&, const v1::ListDevicesRequest& request,
                                        v1::ListDevicesResponse* response) {
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const Page<DeviceRecord> page,
                   devices_->ListDevices(request.tenant_id(), page_size, request.page_token()));
  for (const DeviceRecord& device : page.records) {
    ASSIGN_OR_RETURN(*response->add_devices(), ToProto(device));
  }
  response->set_next_page_token(page.next_page_token);
  return absl::OkStatus();
}

absl::Status DeviceService::GetDevice(const Caller&, const v1::GetDeviceRequest& request,
                                      v1::Device* response) {
  RETURN_IF_ERROR(CheckId(request.device_id(), kMaxDeviceIdSize, "device_id"));
  ASSIGN_OR_RETURN(const DeviceRecord device,
                   devices_->GetDevice(request.tenant_id(), request.device_id()));
  ASSIGN_OR_RETURN(*response, ToProto(device));
  return absl::OkStatus();
}

absl::Status DeviceService::RemoveDevice(const Caller& caller,
                                         const v1::RemoveDeviceRequest& request,
                                         v1::RemoveDeviceResponse*) {
  RETURN_IF_ERROR(CheckId(request.device_id(), kMaxDeviceIdSize, "device_id"));
  RETURN_IF_ERROR(devices_->RemoveDevice(request.tenant_id(), request.device_id()));
  log_->Info(
      "device_removed",
      {{"tenant", request.tenant_id()}, {"device", request.device_id()}, {"caller", caller.name}});
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
