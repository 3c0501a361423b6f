#ifndef HOURGLASS_ISSUANCE_SERVICES_DEVICE_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_DEVICE_SERVICE_H_

#include "hourglass/v1/devices.grpc.pb.h"
#include "issuance/call_runner.h"
#include "issuance/clock.h"
#include "issuance/event_log.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// v1::DeviceService over the store.
class DeviceService final : public v1::DeviceService::CallbackService {
 public:
  // All must outlive this object.
  DeviceService(CallRunner* calls, Store* store, const Clock* clock, const EventLog* log)
      : calls_(calls), store_(store), clock_(clock), log_(log) {}

  grpc::ServerUnaryReactor* ReportDevice(grpc::CallbackServerContext* context,
                                         const v1::ReportDeviceRequest* request,
                                         v1::Device* response) override;
  grpc::ServerUnaryReactor* ListDevices(grpc::CallbackServerContext* context,
                                        const v1::ListDevicesRequest* request,
                                        v1::ListDevicesResponse* response) override;
  grpc::ServerUnaryReactor* GetDevice(grpc::CallbackServerContext* context,
                                      const v1::GetDeviceRequest* request,
                                      v1::Device* response) override;
  grpc::ServerUnaryReactor* RemoveDevice(grpc::CallbackServerContext* context,
                                         const v1::RemoveDeviceRequest* request,
                                         v1::RemoveDeviceResponse* response) override;

 private:
  CallRunner* const calls_;
  Store* const store_;
  const Clock* const clock_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_DEVICE_SERVICE_H_
