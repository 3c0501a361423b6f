// The gRPC methods of decisions.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_SERVICE_H_

#include "absl/status/status.h"
#include "hourglass/v1/decisions.grpc.pb.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/services/access/decision_watch.h"

namespace hourglass::issuance {

// v1::DecisionService over the store.
class DecisionService final : public UnaryService<v1::DecisionService> {
 public:
  // `calls` must outlive this object and every call.
  DecisionService(CallRunner* calls, const DecisionSources& sources)
      : sources_(sources), watches_(calls, sources) {
    Serve(calls, this, "ListRefusals", &DecisionService::ListRefusals);
    ServeStream<v1::WatchDecisionsRequest, v1::DecisionEvent>(
        "WatchDecisions", [this](grpc::CallbackServerContext* context,
                                 const DecisionWatches::Streams::Request& asked) {
          return watches_.Open(context, asked);
        });
  }

  // Open streams end with STOPPING.
  void StopWatches() { watches_.Stop(); }

  absl::Status ListRefusals(const Caller& caller, const v1::ListRefusalsRequest& request,
                            v1::ListRefusalsResponse* response);

 private:
  const DecisionSources sources_;
  DecisionWatches watches_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_SERVICE_H_
