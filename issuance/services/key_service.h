// The gRPC methods of keys.
#ifndef HOURGLASS_ISSUANCE_SERVICES_KEY_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_KEY_SERVICE_H_

#include "hourglass/v1/keys.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/log/event_log.h"
#include "issuance/rotation/key_administration.h"

namespace hourglass::issuance {

// v1::KeyService over the administration of keys.
class KeyService final : public UnaryService<v1::KeyService> {
 public:
  // All must outlive this object.
  KeyService(CallRunner* calls, KeyAdministration* keys, const Clock* clock, const EventLog* log)
      : keys_(keys), clock_(clock), log_(log) {
    Serve(calls, this, "ListKeys", &KeyService::ListKeys);
    Serve(calls, this, "CreateKey", &KeyService::CreateKey);
    Serve(calls, this, "DestroyKey", &KeyService::DestroyKey);
  }

  absl::Status ListKeys(const Caller& caller, const v1::ListKeysRequest& request,
                        v1::ListKeysResponse* response);
  absl::Status CreateKey(const Caller& caller, const v1::CreateKeyRequest& request,
                         v1::CreateKeyResponse* response);
  absl::Status DestroyKey(const Caller& caller, const v1::DestroyKeyRequest& request,
                          v1::DestroyKeyResponse* response);

 private:
  KeyAdministration* const keys_;
  const Clock* const clock_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_KEY_SERVICE_H_
