// The gRPC methods of tenants.
#ifndef HOURGLASS_ISSUANCE_SERVICES_TENANT_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_TENANT_SERVICE_H_

#include "hourglass/v1/tenants.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/log/event_log.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// v1::TenantService over the store.
class TenantService final : public UnaryService<v1::TenantService> {
 public:
  // All must outlive this object.
  TenantService(CallRunner* calls, TenantStore* store, const Clock* clock, const EventLog* log)
      : store_(store), clock_(clock), log_(log) {
    Serve(calls, this, "CreateTenant", &TenantService::CreateTenant);
    Serve(calls, this, "ListTenants", &TenantService::ListTenants);
    Serve(calls, this, "GetTenant", &TenantService::GetTenant);
  }

  absl::Status CreateTenant(const Caller& caller, const v1::CreateTenantRequest& request,
                            v1::Tenant* response);
  absl::Status ListTenants(const Caller& caller, const v1::ListTenantsRequest& request,
                           v1::ListTenantsResponse* response);
  absl::Status GetTenant(const Caller& caller, const v1::GetTenantRequest& request,
                         v1::Tenant* response);

 private:
  TenantStore* const store_;
  const Clock* const clock_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_TENANT_SERVICE_H_
