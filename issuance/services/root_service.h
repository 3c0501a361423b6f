#ifndef HOURGLASS_ISSUANCE_SERVICES_ROOT_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ROOT_SERVICE_H_

#include "hourglass/v1/roots.grpc.pb.h"
#include "issuance/call_runner.h"
#include "issuance/event_log.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// v1::RootService over the administration of roots.
class RootService final : public v1::RootService::CallbackService {
 public:
  // All must outlive this object.
  RootService(CallRunner* calls, RootAdministration* roots, Store* store, const EventLog* log)
      : calls_(calls), roots_(roots), store_(store), log_(log) {}

  grpc::ServerUnaryReactor* CreateRoot(grpc::CallbackServerContext* context,
                                       const v1::CreateRootRequest* request,
                                       v1::Root* response) override;
  grpc::ServerUnaryReactor* ListRoots(grpc::CallbackServerContext* context,
                                      const v1::ListRootsRequest* request,
                                      v1::ListRootsResponse* response) override;
  grpc::ServerUnaryReactor* GetRoot(grpc::CallbackServerContext* context,
                                    const v1::GetRootRequest* request, v1::Root* response) override;
  grpc::ServerUnaryReactor* ListIntermediates(grpc::CallbackServerContext* context,
                                              const v1::ListIntermediatesRequest* request,
                                              v1::ListIntermediatesResponse* response) override;
  grpc::ServerUnaryReactor* PromoteRoot(grpc::CallbackServerContext* context,
                                        const v1::MoveRootRequest* request,
                                        v1::Root* response) override;
  grpc::ServerUnaryReactor* RetireRoot(grpc::CallbackServerContext* context,
                                       const v1::MoveRootRequest* request,
                                       v1::Root* response) override;
  grpc::ServerUnaryReactor* DiscardRoot(grpc::CallbackServerContext* context,
                                        const v1::MoveRootRequest* request,
                                        v1::Root* response) override;

 private:
  CallRunner* const calls_;
  RootAdministration* const roots_;
  Store* const store_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ROOT_SERVICE_H_
