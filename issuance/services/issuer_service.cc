#include "issuance/services/issuer_service.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"

namespace hourglass::issuance {
namespace {

constexpr absl::string_view kIssueCertificate = "IssueCertificate";

// What an answer takes: a certificate and its chain are some 2 kB, a refusal's detail at most 4
// KiB.
constexpr std::size_t kOctetsOfAnAnswer = 4096;

}  // namespace

// A call on its way through the lanes. Deletes itself when it has been answered.
class IssuerService::IssueCall final : public grpc::ServerUnaryReactor, public IssueTask {
 public:
  IssueCall(IssuerService* service, const CallContext& context, const AskedForOne& asked,
            v1::IssueCertificateResponse* certificate_response)
      : service_(service),
        context_(context.context),
        asked_(asked),
        call_(service->calls_->Follow(*context_)) {
    request = &asked.message;
    response = certificate_response;
  }

  // On gRPC's thread: no more than it takes to stand in the right line.
  void Start() {
    const absl::StatusOr<const Caller*> identified =
        service_->calls_->Identify(*context_, &caller_certificate_sha256);
    if (!identified.ok()) return Refuse(identified.status());
    caller = *identified;
    absl::StatusOr<CallBounds::Ticket> begun =
        service_->calls_->bounds().Begin(caller->name, asked_.size + kOctetsOfAnAnswer);
    if (!begun.ok()) return Refuse(begun.status());
    ticket_ = *std::move(begun);
    const std::optional<grpc::Status> refusal =
        asked_.is_sound ? service_->desk_.HandIn(this, *context_, kIssueCertificate)
                        : service_->desk_.RefuseMalformed(caller, *context_, kIssueCertificate);
    if (refusal.has_value()) Finish(*refusal);
  }

  bool CallerIsGone() const override { return context_->IsCancelled(); }

  void Finished() override { Finish(service_->desk_.HandOut(*this, *context_, kIssueCertificate)); }

  void OnDone() override {
    // The end of the last call may be the end of whoever counts them: after all else is gone.
    const CallBounds::Ticket last = std::move(ticket_);
    delete this;
  }

 private:
  void Refuse(const absl::Status& refusal) {
    service_->calls_->LogFailure(*context_, kIssueCertificate, caller, refusal);
    call_.Refuse();
    Finish(FailureOf(refusal, {}));
  }

  IssuerService* const service_;
  grpc::CallbackServerContext* const context_;
  const AskedForOne& asked_;
  OpenCalls::Call call_;
  CallBounds::Ticket ticket_;
};

grpc::ServerUnaryReactor* IssuerService::IssueCertificate(const CallContext& context,
                                                          const AskedForOne& asked,
                                                          v1::IssueCertificateResponse* response) {
  auto* const call = new IssueCall(this, context, asked, response);
  call->Start();
  return call;
}

IssueStreams::Reactor* IssuerService::IssueCertificates(grpc::CallbackServerContext* context) {
  return streams_.Open(context);
}

}  // namespace hourglass::issuance
