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

constexpr absl::string_view kIssueCertificate = "IssueCertificate";

}  // namespace

// A call on its way through the lanes. Deletes itself when it has been answered.
class IssuerService::IssueCall final : public grpc::ServerUnaryReactor, public IssueTask {
 public:
  IssueCall(IssuerService* service, grpc::CallbackServerContext* context,
            const v1::IssueCertificateRequest* certificate_request,
            v1::IssueCertificateResponse* certificate_response)
      : service_(service), context_(context) {
    request = certificate_request;
    response = certificate_response;
    deadline = context->deadline();
  }

  // On gRPC's thread: no more than it takes to stand in the right line.
  void Start() {
    absl::Status begun = service_->calls_->Begin();
    is_under_way_ = begun.ok();
    if (!begun.ok()) return Finish(FailureOf(begun, {}));
    const absl::StatusOr<const Caller*> identified = service_->calls_->Identify(*context_);
    if (!identified.ok()) return Refuse(identified.status());
    caller = *identified;
    if (const absl::Status permitted = Authorize(*caller, {Role::kBroker}, request->tenant_id());
        !permitted.ok()) {
      return Refuse(permitted);
    }
    const auto come_back = service_->lanes_->Submit(this);
    if (!come_back.has_value()) return;
    service_->counters_->Count(Error(ErrorReason::kOverloaded, "", ""));
    Finish(OverloadedUntil(*come_back));
  }

  bool CallerIsGone() const override { return context_->IsCancelled(); }

  void Finished() override {
    if (ReasonOf(status) == ErrorReason::kUnspecified && !status.ok()) {
      // Nobody waits any more, and nothing was decided.
      return Finish(FailureOf(status, {}));
    }
    if (!status.ok()) return Refuse(status);
    service_->counters_->Count(status);
    service_->log_->Info("certificate_issued",
                         {{"tenant", request->tenant_id()},
                          {"caller", caller->name},
                          {"user", request->user().upn()},
                          {"device", request->device_id()},
                          {"request", request->request_id()},
                          {"serial", absl::BytesToHexString(response->serial_number())},
                          {"verdict", response->verdict_id()}});
    Finish(grpc::Status::OK);
  }

  void OnDone() override {
    CallRunner* const calls = is_under_way_ ? service_->calls_ : nullptr;
    delete this;
    if (calls != nullptr) calls->End();
  }

 private:
  void Refuse(const absl::Status& refusal) {
    service_->calls_->LogFailure(*context_, kIssueCertificate, caller, refusal);
    if (caller != nullptr) {
      service_->counters_->Count(refusal);
      LogRefusal(*service_->log_, *caller, *request, refusal, deny_reasons);
    }
    Finish(FailureOf(refusal, deny_reasons));
  }

  IssuerService* const service_;
  grpc::CallbackServerContext* const context_;
  bool is_under_way_ = false;
};

grpc::ServerUnaryReactor* IssuerService::IssueCertificate(
    grpc::CallbackServerContext* context, const v1::IssueCertificateRequest* request,
    v1::IssueCertificateResponse* response) {
  auto* const call = new IssueCall(this, context, request, response);
  call->Start();
  return call;
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
