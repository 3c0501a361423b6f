#include "issuance/calls/call_runner.h"

#include <grpc/grpc_security_constants.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/custodian.h"
#include "issuance/tokens/token_fault.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::issuance {
namespace {

constexpr std::chrono::milliseconds kOverloadedRetryDelay(250);
// Where a key cannot be used and its custodian does not say when to come back.
constexpr std::chrono::milliseconds kKeyRetryDelay(1000);

// Lives as long as the context, which keeps what it was asked for.
absl::StatusOr<absl::string_view> ClientCertificatePem(const grpc::ServerContextBase& context) {
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth != nullptr && auth->IsPeerAuthenticated()) {
    const auto certificates = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
    if (certificates.size() == 1) {
      return absl::string_view(certificates.front().data(), certificates.front().size());
    }
  }
  return Error(ErrorReason::kCallerUnknown, "", "no client certificate");
}

// Where no more calls may wait.
absl::Status TooManyWait() {
  return Error(ErrorReason::kOverloaded, "", "more calls are waiting than the service takes");
}

}  // namespace

grpc::Status FailureOf(const absl::Status& status, absl::Span<const v1::DenyReason> deny_reasons,
                       absl::string_view correlation_id) {
  StatusExtras extras;
  extras.correlation_id = correlation_id;
  extras.deny_reasons = deny_reasons;
  if (ReasonOf(status) == ErrorReason::kKeyUnavailable) {
    extras.retry_delay = hsm::RetryDelayOf(status).value_or(kKeyRetryDelay);
  } else if (ReasonOf(status) == ErrorReason::kOverloaded) {
    extras.retry_delay = kOverloadedRetryDelay;
  } else if (ReasonOf(status) == ErrorReason::kComplianceUnavailable ||
             ReasonOf(status) == ErrorReason::kRequestsTooFrequent) {
    extras.retry_delay = hsm::RetryDelayOf(status);
  }
  const TokenFault fault = TokenFaultOf(status);
  if (fault != TokenFault::kNone) extras.token_fault = TokenFaultName(fault);
  return ToGrpcStatus(status, extras);
}

grpc::Status OverloadedUntil(std::chrono::milliseconds come_back) {
  StatusExtras extras;
  extras.retry_delay = come_back;
  return ToGrpcStatus(TooManyWait(), extras);
}

absl::StatusOr<const Caller*> CallRunner::Identify(const grpc::ServerContextBase& context,
                                                   std::string* certificate_sha256) const {
  ASSIGN_OR_RETURN(const absl::string_view certificate, ClientCertificatePem(context));
  return callers_->Identify(certificate, certificate_sha256);
}

void CallRunner::LogFailure(const grpc::ServerContextBase& context, absl::string_view name,
                            const Caller* caller, const absl::Status& status) {
  failures_->Count(status);
  log_->Warning("call_failed", {{"method", name},
                                {"caller", caller == nullptr ? "" : caller->name},
                                {"peer", context.peer()},
                                {"code", absl::StatusCodeToString(status.code())},
                                {"reason", ErrorReasonName(ReasonOf(status))},
                                {"message", std::string(status.message())}});
}

// Counts as under way until the answer has been sent, and not only until it is known.
class CallRunner::Reactor final : public grpc::ServerUnaryReactor {
 public:
  Reactor(OpenCalls::Call call, CallBounds::Ticket ticket)
      : call_(std::move(call)), ticket_(std::move(ticket)) {}

  CallBounds::Ticket& ticket() { return ticket_; }

  void OnDone() override {
    // The end of the last call may be the end of whoever counts them: after all else is gone.
    const CallBounds::Ticket last = std::move(ticket_);
    delete this;
  }

 private:
  const OpenCalls::Call call_;
  CallBounds::Ticket ticket_;
};

grpc::ServerUnaryReactor* CallRunner::Refuse(const CallContext& context, absl::string_view name,
                                             const absl::Status& refusal) {
  const absl::StatusOr<const Caller*> caller = Identify(*context.context);
  const absl::Status& told = caller.ok() ? refusal : caller.status();
  if (!absl::IsCancelled(told)) {
    LogFailure(*context.context, name, caller.value_or(nullptr), told);
  }
  OpenCalls::Call call = Follow(*context.context);
  call.Refuse();
  auto* const refused = new Reactor(std::move(call), CallBounds::Ticket());
  refused->Finish(FailureOf(told, {}));
  return refused;
}

// A call that was let in.
struct CallRunner::Call {
  CallContext context;
  const Method& method;
  const Caller& caller;
  absl::string_view tenant_id;
  Answer answer;
};

absl::Status CallRunner::Answered(const Call& call) {
  RETURN_IF_ERROR(Permit(call.caller, call.method, call.tenant_id));
  // Since it was let in, answers may have piled up that nobody reads.
  if (!bounds_.HasRoom(call.caller.name)) {
    return Error(ErrorReason::kOverloaded, "", "too many answers are not read");
  }
  return call.answer(call.caller);
}

void CallRunner::RunInTurn(const Call& call, Reactor* reactor) {
  if (call.context.context->IsCancelled()) {
    reactor->Finish(
        grpc::Status(grpc::StatusCode::CANCELLED, "the caller gave up before its turn came"));
    return;
  }
  const absl::Status status = Answered(call);
  if (!status.ok()) LogFailure(*call.context.context, call.method.name, &call.caller, status);
  reactor->ticket().Hold(status.ok() ? call.context.response->ByteSizeLong() : 0);
  reactor->Finish(FailureOf(status, {}));
}

grpc::ServerUnaryReactor* CallRunner::Run(const CallContext& context, const Method& method,
                                          absl::string_view tenant_id, Answer answer) {
  const absl::StatusOr<const Caller*> identified = Identify(*context.context);
  if (!identified.ok()) return Refuse(context, method.name, identified.status());
  const Caller& caller = **identified;
  absl::StatusOr<CallBounds::Ticket> begun = bounds_.Begin(caller.name, context.request_size);
  if (!begun.ok()) return Refuse(context, method.name, begun.status());
  auto* const reactor = new Reactor(Follow(*context.context), *std::move(begun));
  const bool queued = pool_->Submit(
      caller.name, method.kind,
      [this, reactor, call = Call{context, method, caller, tenant_id, std::move(answer)}] {
        RunInTurn(call, reactor);
      });
  if (queued) return reactor;
  const absl::Status refusal = TooManyWait();
  LogFailure(*context.context, method.name, &caller, refusal);
  reactor->Finish(FailureOf(refusal, {}));
  return reactor;
}

}  // namespace hourglass::issuance
