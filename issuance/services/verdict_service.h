// The gRPC method by which hourglassd asks a compliance service.
#ifndef HOURGLASS_ISSUANCE_SERVICES_VERDICT_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_VERDICT_SERVICE_H_

#include "hourglass/v1/compliance.grpc.pb.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/compliance/engine.h"

namespace hourglass::issuance {

// v1::ComplianceService over the engine, for those who issue by its verdicts: its calls wait with
// the changes, and not behind listings that leave the processors to others. Who may call is as with
// hourglassd's own. A tenant that is not in the store has nothing that allows, and is denied.
class VerdictService final : public UnaryService<v1::ComplianceService> {
 public:
  // Both must outlive this object.
  VerdictService(CallRunner* calls, ComplianceEngine* engine);

  // Errors: those of ComplianceEngine::Evaluate.
  absl::Status Evaluate(const Caller& caller, const v1::EvaluateRequest& request,
                        v1::Verdict* response);

 private:
  ComplianceEngine* const engine_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_VERDICT_SERVICE_H_
