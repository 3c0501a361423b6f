#include "issuance/compliance/engine_service.h"

#include <utility>

#include "issuance/status_detail.h"

namespace hourglass::issuance {

grpc::ServerUnaryReactor* ComplianceEngineService::Evaluate(grpc::CallbackServerContext* context,
                                                            const v1::EvaluateRequest* request,
                                                            v1::Verdict* verdict) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto answer = engine_->Evaluate(*request);
  if (answer.ok()) *verdict = *answer;
  reactor->Finish(ToGrpcStatus(answer.status()));
  return reactor;
}

}  // namespace hourglass::issuance
