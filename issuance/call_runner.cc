#include "issuance/call_runner.h"

#include <grpc/grpc_security_constants.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/custodian.h"
#include "issuance/status_detail.h"

namespace hourglass::issuance {
namespace {

constexpr std::chrono::milliseconds kOverloadedRetryDelay(250);
// Where a key cannot be used and its custodian does not say when to come back.
constexpr std::chrono::milliseconds kKeyRetryDelay(1000);

absl::StatusOr<std::string> ClientCertificatePem(const grpc::ServerContextBase& context) {
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth != nullptr && auth->IsPeerAuthenticated()) {
    const auto certificates = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
    if (certificates.size() == 1) {
      return std::string(certificates.front().data(), certificates.front().size());
    }
  }
  return Error(ErrorReason::kCallerUnknown, "", "no client certificate");
}

}  // namespace

grpc::Status FailureOf(const absl::Status& status, absl::Span<const v1::DenyReason> deny_reasons) {
  StatusExtras extras;
  extras.deny_reasons = deny_reasons;
  if (ReasonOf(status) == ErrorReason::kKeyUnavailable) {
    extras.retry_delay = hsm::RetryDelayOf(status).value_or(kKeyRetryDelay);
  }
  return ToGrpcStatus(status, extras);
}

grpc::Status OverloadedUntil(std::chrono::milliseconds come_back) {
  StatusExtras extras;
  extras.retry_delay = come_back;
  return ToGrpcStatus(
      Error(ErrorReason::kOverloaded, "", "more calls are waiting than the service takes"), extras);
}

absl::StatusOr<const Caller*> CallRunner::Identify(const grpc::ServerContextBase& context) const {
  ASSIGN_OR_RETURN(const std::string certificate, ClientCertificatePem(context));
  return callers_->Identify(certificate);
}

void CallRunner::LogFailure(const grpc::ServerContextBase& context, absl::string_view name,
                            const Caller* caller, const absl::Status& status) const {
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
  // `counted_by` is null where the call was refused before it began.
  explicit Reactor(CallRunner* counted_by) : counted_by_(counted_by) {}

  void OnDone() override {
    CallRunner* const counted_by = counted_by_;
    delete this;
    if (counted_by != nullptr) counted_by->End();
  }

 private:
  CallRunner* const counted_by_;
};

absl::Status CallRunner::Begin() {
  const std::lock_guard lock(mutex_);
  if (!taking_calls_) return Error(ErrorReason::kStopping, "", "the service is stopping");
  ++under_way_;
  return absl::OkStatus();
}

void CallRunner::End() {
  // Notified under the lock: the one that waits may destroy this object as soon as it can.
  const std::lock_guard lock(mutex_);
  --under_way_;
  ended_.notify_all();
}

void CallRunner::StopTakingCalls(std::chrono::milliseconds grace) {
  std::unique_lock lock(mutex_);
  taking_calls_ = false;
  ended_.wait_for(lock, grace, [this] { return under_way_ == 0; });
}

grpc::ServerUnaryReactor* CallRunner::Run(grpc::CallbackServerContext* context,
                                          absl::string_view name, Method method) {
  if (const absl::Status begun = Begin(); !begun.ok()) {
    auto* const refused = new Reactor(nullptr);
    refused->Finish(ToGrpcStatus(begun));
    return refused;
  }
  auto* const reactor = new Reactor(this);
  const bool queued = workers_->Submit(
      [this, context, reactor, name = std::string(name), method = std::move(method)] {
        if (context->IsCancelled()) {
          reactor->Finish(
              grpc::Status(grpc::StatusCode::CANCELLED, "the caller gave up before its turn came"));
          return;
        }
        std::vector<v1::DenyReason> deny_reasons;
        const absl::StatusOr<const Caller*> caller = Identify(*context);
        const absl::Status status = caller.ok() ? method(**caller, deny_reasons) : caller.status();
        if (!status.ok()) LogFailure(*context, name, caller.value_or(nullptr), status);
        reactor->Finish(FailureOf(status, deny_reasons));
      });
  if (!queued) reactor->Finish(OverloadedUntil(kOverloadedRetryDelay));
  return reactor;
}

}  // namespace hourglass::issuance
