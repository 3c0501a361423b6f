#include "issuance/services/issuer_service.h"

#include <optional>
#include <vector>

#include "ca/root_states.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

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
    if (!identified.ok()) {
      service_->calls_->LogFailure(*context_, kIssueCertificate, nullptr, identified.status());
      return Finish(FailureOf(identified.status(), {}));
    }
    caller = *identified;
    const std::optional<grpc::Status> refusal =
        service_->desk_.HandIn(this, *context_, kIssueCertificate);
    if (refusal.has_value()) Finish(*refusal);
  }

  bool CallerIsGone() const override { return context_->IsCancelled(); }

  void Finished() override { Finish(service_->desk_.HandOut(*this, *context_, kIssueCertificate)); }

  void OnDone() override {
    CallRunner* const calls = is_under_way_ ? service_->calls_ : nullptr;
    delete this;
    if (calls != nullptr) calls->End();
  }

 private:
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

IssueStreams::Reactor* IssuerService::IssueCertificates(grpc::CallbackServerContext* context) {
  return streams_.Open(context);
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
