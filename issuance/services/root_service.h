// The gRPC methods of roots.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ROOT_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ROOT_SERVICE_H_

#include "hourglass/v1/roots.grpc.pb.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/log/event_log.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/store/intermediate_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// v1::RootService over the administration of roots.
class RootService final : public UnaryService<v1::RootService> {
 public:
  // All must outlive this object.
  RootService(CallRunner* calls, RootAdministration* roots, TenantStore* tenants,
              IntermediateStore* intermediates, const EventLog* log)
      : roots_(roots), tenants_(tenants), intermediates_(intermediates), log_(log) {
    Serve(calls, this, "CreateRoot", &RootService::CreateRoot);
    Serve(calls, this, "ListRoots", &RootService::ListRoots);
    Serve(calls, this, "GetRoot", &RootService::GetRoot);
    Serve(calls, this, "ListIntermediates", &RootService::ListIntermediates);
    Serve(calls, this, "PromoteRoot", &RootService::PromoteRoot);
    Serve(calls, this, "RollBackRoot", &RootService::RollBackRoot);
    Serve(calls, this, "RetireRoot", &RootService::RetireRoot);
    Serve(calls, this, "DiscardRoot", &RootService::DiscardRoot);
  }

  absl::Status CreateRoot(const Caller& caller, const v1::CreateRootRequest& request,
                          v1::Root* response);
  absl::Status ListRoots(const Caller& caller, const v1::ListRootsRequest& request,
                         v1::ListRootsResponse* response);
  absl::Status GetRoot(const Caller& caller, const v1::GetRootRequest& request, v1::Root* response);
  absl::Status ListIntermediates(const Caller& caller, const v1::ListIntermediatesRequest& request,
                                 v1::ListIntermediatesResponse* response);
  absl::Status PromoteRoot(const Caller& caller, const v1::PromoteRootRequest& request,
                           v1::Root* response);
  absl::Status RollBackRoot(const Caller& caller, const v1::RollBackRootRequest& request,
                            v1::Root* response);
  absl::Status RetireRoot(const Caller& caller, const v1::MoveRootRequest& request,
                          v1::Root* response);
  absl::Status DiscardRoot(const Caller& caller, const v1::MoveRootRequest& request,
                           v1::Root* response);

 private:
  RootAdministration* const roots_;
  TenantStore* const tenants_;
  IntermediateStore* const intermediates_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ROOT_SERVICE_H_
