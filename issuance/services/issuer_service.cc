#include "issuance/services/issuer_service.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "ca/root_states.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

// For whom, which the line about the failed call does not say.
void LogRefusal(const EventLog& log, const Caller& caller,
                const v1::IssueCertificateRequest& request, const absl::Status& status,
                const std::vector<v1::DenyReason>& deny_reasons) {
  std::vector<absl::string_view> settings;
  settings.reserve(deny_reasons.size());
  for (const v1::DenyReason& reason : deny_reasons) settings.push_back(reason.setting());
  log.Info("certificate_refused", {{"tenant", request.tenant_id()},
                                   {"caller", caller.name},
                                   {"user", request.user().upn()},
                                   {"device", request.device_id()},
                                   {"request", request.request_id()},
                                   {"reason", ErrorReasonName(ReasonOf(status))},
                                   {"settings", absl::StrJoin(settings, " ")}});
}

}  // namespace

grpc::ServerUnaryReactor* IssuerService::IssueCertificate(
    grpc::CallbackServerContext* context, const v1::IssueCertificateRequest* request,
    v1::IssueCertificateResponse* response) {
  return calls_->Run(
      context, "IssueCertificate",
      [this, request, response](const Caller& caller,
                                std::vector<v1::DenyReason>& deny_reasons) -> absl::Status {
        IssueOutcome outcome = pipeline_->Issue(caller, *request);
        counters_->Count(outcome.status);
        deny_reasons = std::move(outcome.deny_reasons);
        if (!outcome.status.ok()) {
          LogRefusal(*log_, caller, *request, outcome.status, deny_reasons);
          return outcome.status;
        }
        *response = std::move(outcome.response);
        log_->Info("certificate_issued",
                   {{"tenant", request->tenant_id()},
                    {"caller", caller.name},
                    {"user", request->user().upn()},
                    {"device", request->device_id()},
                    {"request", request->request_id()},
                    {"serial", absl::BytesToHexString(response->serial_number())},
                    {"verdict", response->verdict_id()}});
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* IssuerService::GetTrustBundle(grpc::CallbackServerContext* context,
                                                        const v1::GetTrustBundleRequest* request,
                                                        v1::TrustBundle* response) {
  return calls_->Run(
      context, "GetTrustBundle",
      [this, request, response](const Caller& caller,
                                std::vector<v1::DenyReason>&) -> absl::Status {
        RETURN_IF_ERROR(Authorize(caller, {Role::kBroker, Role::kAuditor, Role::kAdministrator},
                                  request->tenant_id()));
        // From the store and not from the snapshot: gateways must learn of the roots while a key is
        // out of reach too.
        ASSIGN_OR_RETURN(const TenantRecord tenant, store_->GetTenant(request->tenant_id()));
        ASSIGN_OR_RETURN(const std::vector<RootRecord> roots,
                         store_->ListRoots(request->tenant_id()));
        response->set_tenant_id(tenant.tenant_id);
        response->set_revision(tenant.revision);
        for (const RootRecord& root : roots) {
          if (ca::InTrustBundle(root.state)) response->add_roots(root.certificate);
        }
        return absl::OkStatus();
      });
}

}  // namespace hourglass::issuance
