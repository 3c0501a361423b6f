// The gRPC method that asks for a verdict.
#ifndef HOURGLASS_ISSUANCE_SERVICES_COMPLIANCE_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_COMPLIANCE_SERVICE_H_

#include "hourglass/v1/compliance.grpc.pb.h"
#include "issuance/authorities/tenants.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/compliance/compliance_client.h"

namespace hourglass::issuance {

// v1::ComplianceService for administrators and auditors who want to know what a verdict would be:
// asks the configured compliance service as the pipeline does, so that they see what it would see.
class ComplianceService final : public UnaryService<v1::ComplianceService> {
 public:
  // All must outlive this object.
  ComplianceService(CallRunner* calls, Tenants* tenants, ComplianceClient* compliance)
      : tenants_(tenants), compliance_(compliance) {
    Serve(calls, this, "Evaluate", &ComplianceService::Evaluate);
  }

  absl::Status Evaluate(const Caller& caller, const v1::EvaluateRequest& request,
                        v1::Verdict* response);

 private:
  Tenants* const tenants_;
  ComplianceClient* const compliance_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_COMPLIANCE_SERVICE_H_
