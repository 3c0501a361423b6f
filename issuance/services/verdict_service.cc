#include "issuance/services/verdict_service.h"

#include "hsm/base/status_macros.h"
#include "issuance/identity/methods.h"

namespace hourglass::issuance {
namespace {

constexpr char kEvaluate[] = "Evaluate";

const Method& EvaluateForIssuers() {
  static const Method kMethod = [] {
    Method method = MethodNamed(kEvaluate);
    method.kind = MethodKind::kChange;
    return method;
  }();
  return kMethod;
}

}  // namespace

VerdictService::VerdictService(CallRunner* calls, ComplianceEngine* engine) : engine_(engine) {
  ServeAs(calls, this, kEvaluate, EvaluateForIssuers(), &VerdictService::Evaluate);
}

absl::Status VerdictService::Evaluate(const Caller&, const v1::EvaluateRequest& request,
                                      v1::Verdict* response) {
  ASSIGN_OR_RETURN(*response, engine_->Evaluate(request));
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
