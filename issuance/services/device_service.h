// The gRPC methods of devices.
#ifndef HOURGLASS_ISSUANCE_SERVICES_DEVICE_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_DEVICE_SERVICE_H_

#include "hourglass/v1/devices.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/log/event_log.h"
#include "issuance/services/device_reports.h"
#include "issuance/store/decision_store.h"
#include "issuance/store/device_store.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// v1::DeviceService over the store.
class DeviceService final : public UnaryService<v1::DeviceService> {
 public:
  // What it works with; all must outlive it. `engine` as DeviceReports has it.
  struct Means {
    TenantStore* tenants;
    DeviceStore* devices;
    DecisionStore* decisions;
    JournalStore* journal;
    ComplianceEngine* engine;
    const Clock* clock;
    const EventLog* log;
  };

  // `calls` must outlive this object.
  DeviceService(CallRunner* calls, const Means& means)
      : tenants_(means.tenants),
        devices_(means.devices),
        decisions_(means.decisions),
        reports_(means.devices, means.decisions, means.journal, means.engine),
        clock_(means.clock),
        log_(means.log) {
    Serve(calls, this, "ReportDevice", &DeviceService::ReportDevice);
    Serve(calls, this, "ReportDevices", &DeviceService::ReportDevices);
    Serve(calls, this, "ListDevices", &DeviceService::ListDevices);
    Serve(calls, this, "GetDevice", &DeviceService::GetDevice);
    Serve(calls, this, "RemoveDevice", &DeviceService::RemoveDevice);
  }

  absl::Status ReportDevice(const Caller& caller, const v1::ReportDeviceRequest& request,
                            v1::Device* response);
  // As many transactions as there are reports.
  absl::Status ReportDevices(const Caller& caller, const v1::ReportDevicesRequest& request,
                             v1::ReportDevicesResponse* response);
  absl::Status ListDevices(const Caller& caller, const v1::ListDevicesRequest& request,
                           v1::ListDevicesResponse* response);
  absl::Status GetDevice(const Caller& caller, const v1::GetDeviceRequest& request,
                         v1::Device* response);
  // With an event, in one transaction.
  absl::Status RemoveDevice(const Caller& caller, const v1::RemoveDeviceRequest& request,
                            v1::RemoveDeviceResponse* response);

 private:
  TenantStore* const tenants_;
  DeviceStore* const devices_;
  DecisionStore* const decisions_;
  DeviceReports reports_;
  const Clock* const clock_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_DEVICE_SERVICE_H_
