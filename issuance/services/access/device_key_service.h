// The gRPC methods of the keys by which devices prove that they ask.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ACCESS_DEVICE_KEY_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ACCESS_DEVICE_KEY_SERVICE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/device_keys.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/log/event_log.h"
#include "issuance/store/device_key_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// Who signed in on the device of an enrolment, by its access token: his object id, once the token
// is accepted, is that device's, and is used up by the key of this id. `now` is trusted. Errors: as
// of a request for a certificate whose token is refused; FIELD_INVALID with field `access_token`
// where the tenant takes none.
using EnrolmentToken = std::function<absl::StatusOr<std::string>(
    const Caller& caller, const v1::EnrolDeviceKeyRequest& request, absl::string_view key_id,
    Timestamp now)>;

// v1::DeviceKeyService over the store.
class DeviceKeyService final : public UnaryService<v1::DeviceKeyService> {
 public:
  // All must outlive this object. Without `token` no tenant takes access tokens.
  DeviceKeyService(CallRunner* calls, TenantStore* tenants, DeviceKeyStore* keys,
                   const Clock* clock, const EventLog* log, EnrolmentToken token = nullptr)
      : tenants_(tenants), keys_(keys), clock_(clock), log_(log), token_(std::move(token)) {
    Serve(calls, this, "EnrolDeviceKey", &DeviceKeyService::EnrolDeviceKey);
    Serve(calls, this, "ApproveDeviceKey", &DeviceKeyService::ApproveDeviceKey);
    Serve(calls, this, "RemoveDeviceKey", &DeviceKeyService::RemoveDeviceKey);
    Serve(calls, this, "ListDeviceKeys", &DeviceKeyService::ListDeviceKeys);
  }

  // Logged as `device_key_enrolled`, `device_key_approved` and `device_key_removed`, without
  // reasons, which may name people: they are kept with the keys.
  absl::Status EnrolDeviceKey(const Caller& caller, const v1::EnrolDeviceKeyRequest& request,
                              v1::DeviceKey* response);
  absl::Status ApproveDeviceKey(const Caller& caller, const v1::ApproveDeviceKeyRequest& request,
                                v1::DeviceKey* response);
  absl::Status RemoveDeviceKey(const Caller& caller, const v1::RemoveDeviceKeyRequest& request,
                               v1::DeviceKey* response);
  absl::Status ListDeviceKeys(const Caller& caller, const v1::ListDeviceKeysRequest& request,
                              v1::ListDeviceKeysResponse* response);

 private:
  TenantStore* const tenants_;
  DeviceKeyStore* const keys_;
  const Clock* const clock_;
  const EventLog* const log_;
  const EnrolmentToken token_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ACCESS_DEVICE_KEY_SERVICE_H_
