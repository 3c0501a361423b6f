// The gRPC methods of decisions.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_SERVICE_H_

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "hourglass/v1/decisions.grpc.pb.h"
#include "issuance/base/recurring.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/compliance/engine.h"
#include "issuance/decisions/holder_review.h"
#include "issuance/log/event_log.h"
#include "issuance/services/access/decision_watch.h"

namespace hourglass::issuance {

// v1::DecisionService over the store. Has the holders of live certificates reviewed (HolderReview)
// by a thread of its own, of the tenants that somebody watches here.
class DecisionService final : public UnaryService<v1::DecisionService> {
 public:
  // `calls` must outlive this object and every call, and `engine`, which is null where verdicts
  // come from elsewhere, this object: nobody is reviewed then.
  DecisionService(CallRunner* calls, const DecisionSources& sources, ComplianceEngine* engine,
                  EventLog log)
      : sources_(sources), watches_(calls, sources) {
    if (engine != nullptr) StartReview(engine, std::move(log));
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
  void StartReview(ComplianceEngine* engine, EventLog log);

  const DecisionSources sources_;
  DecisionWatches watches_;
  std::optional<HolderReview> review_;
  std::optional<Recurring> reviewing_;  // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_SERVICE_H_
