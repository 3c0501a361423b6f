#ifndef HOURGLASS_ISSUANCE_SERVICES_TENANT_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_TENANT_SERVICE_H_

#include "hourglass/v1/tenants.grpc.pb.h"
#include "issuance/call_runner.h"
#include "issuance/clock.h"
#include "issuance/event_log.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// v1::TenantService over the store.
class TenantService final : public v1::TenantService::CallbackService {
 public:
  // All must outlive this object.
  TenantService(CallRunner* calls, Store* store, const Clock* clock, const EventLog* log)
      : calls_(calls), store_(store), clock_(clock), log_(log) {}

  grpc::ServerUnaryReactor* CreateTenant(grpc::CallbackServerContext* context,
                                         const v1::CreateTenantRequest* request,
                                         v1::Tenant* response) override;
  grpc::ServerUnaryReactor* ListTenants(grpc::CallbackServerContext* context,
                                        const v1::ListTenantsRequest* request,
                                        v1::ListTenantsResponse* response) override;
  grpc::ServerUnaryReactor* GetTenant(grpc::CallbackServerContext* context,
                                      const v1::GetTenantRequest* request,
                                      v1::Tenant* response) override;

 private:
  CallRunner* const calls_;
  Store* const store_;
  const Clock* const clock_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_TENANT_SERVICE_H_
