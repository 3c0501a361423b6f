// The gRPC methods of devices.
#ifndef HOURGLASS_ISSUANCE_SERVICES_DEVICE_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_DEVICE_SERVICE_H_

#include "hourglass/v1/devices.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/log/event_log.h"
#include "issuance/store/device_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// v1::DeviceService over the store.
class DeviceService final : public UnaryService<v1::DeviceService> {
 public:
  // All must outlive this object.
  DeviceService(CallRunner* calls, TenantStore* tenants, DeviceStore* devices, const Clock* clock,
                const EventLog* log)
      : tenants_(tenants), devices_(devices), clock_(clock), log_(log) {
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
  absl::Status RemoveDevice(const Caller& caller, const v1::RemoveDeviceRequest& request,
                            v1::RemoveDeviceResponse* response);

 private:
  TenantStore* const tenants_;
  DeviceStore* const devices_;
  const Clock* const clock_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_DEVICE_SERVICE_H_
