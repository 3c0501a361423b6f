#include "issuance/services/device_service.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/services/device_state_check.h"
#include "issuance/services/record_mapper.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

constexpr int kMostReports = 500;

// What this service does not know it neither judges nor keeps; so a record is small.
DeviceRecord RecordOf(const std::string& tenant_id, const std::string& device_id,
                      v1::DeviceState state, Timestamp now, const Caller& caller) {
  state.DiscardUnknownFields();
  return {tenant_id, device_id, state.SerializeAsString(), now, caller.name};
}

absl::Status CheckReport(const v1::DeviceReport& report, Timestamp now, absl::string_view field) {
  const absl::Status id = CheckNewDeviceId(report.device_id());
  if (!id.ok()) {
    const std::string message(absl::StripPrefix(id.message(), absl::StrCat(FieldOf(id), ": ")));
    return Error(ReasonOf(id), absl::StrCat(field, ".device_id"), message);
  }
  const std::string state = absl::StrCat(field, ".state");
  if (!report.has_state()) return Error(ErrorReason::kFieldMissing, state, "is required");
  return CheckDeviceState(report.state(), now, state);
}

absl::Status CheckReports(const v1::ReportDevicesRequest& request, Timestamp now) {
  if (request.reports().empty()) {
    return Error(ErrorReason::kFieldMissing, "reports", "at least one is required");
  }
  if (request.reports_size() > kMostReports) {
    return Error(ErrorReason::kFieldInvalid, "reports",
                 absl::StrCat("at most ", kMostReports, " are taken at once"));
  }
  absl::flat_hash_set<absl::string_view> ids;
  for (int i = 0; i < request.reports_size(); ++i) {
    const std::string field = absl::StrCat("reports[", i, "]");
    RETURN_IF_ERROR(CheckReport(request.reports(i), now, field));
    if (!ids.insert(request.reports(i).device_id()).second) {
      return Error(ErrorReason::kFieldInvalid, absl::StrCat(field, ".device_id"),
                   "is that of another one of these");
    }
  }
  return absl::OkStatus();
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
  RETURN_IF_ERROR(CheckDeviceState(request.state(), now, "state"));
  const DeviceRecord device =
      RecordOf(request.tenant_id(), request.device_id(), request.state(), now, caller);
  RETURN_IF_ERROR(reports_.Put(device, now));
  ASSIGN_OR_RETURN(*response, ToProto(device));
  log_->Info("device_reported",
             {{"tenant", device.tenant_id}, {"device", device.device_id}, {"caller", caller.name}});
  return absl::OkStatus();
}

absl::Status DeviceService::ReportDevices(const Caller& caller,
                                          const v1::ReportDevicesRequest& request,
                                          v1::ReportDevicesResponse* response) {
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  RETURN_IF_ERROR(CheckReports(request, now));
  for (const v1::DeviceReport& report : request.reports()) {
    RETURN_IF_ERROR(reports_.Put(
        RecordOf(request.tenant_id(), report.device_id(), report.state(), now, caller), now));
  }
  *response->mutable_reported_at() = ToProto(now);
  log_->Info("devices_reported", {{"tenant", request.tenant_id()},
                                  {"devices", absl::StrCat(request.reports_size())},
                                  {"caller", caller.name}});
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
  DecisionEvent event;
  event.tenant_id = request.tenant_id();
  event.kind = DecisionEvent::Kind::kDeviceRemoved;
  // Not DecidingTime: nothing hangs on when it was.
  event.at = clock_->Now();
  event.device_id = request.device_id();
  RETURN_IF_ERROR(decisions_->RemoveDeviceTelling(event));
  log_->Info(
      "device_removed",
      {{"tenant", request.tenant_id()}, {"device", request.device_id()}, {"caller", caller.name}});
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
