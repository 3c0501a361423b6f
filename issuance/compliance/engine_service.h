// The embedded compliance engine behind its gRPC interface.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_SERVICE_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "hourglass/v1/compliance.grpc.pb.h"
#include "issuance/compliance/engine.h"

namespace hourglass::issuance {

// Asks nobody who they are: to be served in-process only, never on a listener. Safe to call from
// several threads.
class ComplianceEngineService final : public v1::ComplianceService::CallbackService {
 public:
  // `engine` must outlive this object.
  explicit ComplianceEngineService(ComplianceEngine* engine) : engine_(engine) {}

  // ComplianceEngine::Evaluate; errors carry a v1::ErrorDetail.
  grpc::ServerUnaryReactor* Evaluate(grpc::CallbackServerContext* context,
                                     const v1::EvaluateRequest* request,
                                     v1::Verdict* verdict) override;

 private:
  ComplianceEngine* const engine_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_SERVICE_H_
