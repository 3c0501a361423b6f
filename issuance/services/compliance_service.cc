#include "issuance/services/compliance_service.h"

#include "hsm/base/status_macros.h"
#include "issuance/compliance/question.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {

absl::Status ComplianceService::Evaluate(const Caller&, const v1::EvaluateRequest& request,
                                         v1::Verdict* response) {
  RETURN_IF_ERROR(tenants_->CheckExists(request.tenant_id()));
  // Refused here: an error of the compliance service would be an outage.
  RETURN_IF_ERROR(CheckQuestion(request));
  ComplianceQuestion question = {request.tenant_id(), request.user_id(), request.user_upn(),
                                 request.device_id(), request.public_key_sha256()};
  if (request.has_sign_in()) question.sign_in = request.sign_in();
  ASSIGN_OR_RETURN(const ComplianceVerdict verdict, compliance_->Ask(question));
  response->set_verdict_id(verdict.verdict_id);
  // The verdict is for it: the client has checked that.
  NameQuestion(request, response);
  response->set_policy_version(verdict.policy_version);
  *response->mutable_evaluated_at() = ToProto(verdict.evaluated_at);
  if (verdict.allowed()) {
    response->mutable_allow();
  } else {
    for (const v1::DenyReason& reason : verdict.deny_reasons)
      *response->mutable_deny()->add_reasons() = reason;
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
