#include "issuance/compliance/remote_stub.h"

#include <grpcpp/client_context.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "issuance/compliance/callback_stub.h"
#include "issuance/compliance/tenant_circuits.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::issuance {
namespace {

using Stub = v1::ComplianceService::StubInterface;
using Admission = CircuitBreaker::Admission;
using Outcome = CircuitBreaker::Outcome;
using Done = std::function<void(grpc::Status)>;

// Whether there was a connection that the call could be sent on: gRPC knows its peer's address from
// then on, and before that only what the channel is to.
bool MayHaveBeenSent(const grpc::ClientContext& context) {
  const std::string peer = context.peer();
  return absl::StartsWith(peer, "ipv4:") || absl::StartsWith(peer, "ipv6:") ||
         absl::StartsWith(peer, "unix:");
}

Outcome OutcomeOf(const grpc::Status& status, bool had_time) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DATA_LOSS:
    case grpc::StatusCode::ABORTED:
      return Outcome::kFailed;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return had_time ? Outcome::kFailed : Outcome::kNothingLearned;
    case grpc::StatusCode::CANCELLED:
      return Outcome::kNothingLearned;
    default:
      return Outcome::kAnswered;
  }
}

grpc::Status NotAskedUntil(std::chrono::milliseconds come_back) {
  StatusExtras extras;
  extras.retry_delay = come_back;
  return ToGrpcStatus(Error(ErrorReason::kComplianceUnavailable, "",
                            "it has not answered this tenant's last questions, and is not asked "
                            "for a while"),
                      extras);
}

class RemoteStub final : public CallbackStub<Stub> {
 public:
  RemoteStub(std::unique_ptr<Stub> next, const RemoteComplianceOptions& options, EventLog log,
             const Clock* clock, ComplianceCounts* counts)
      : next_(std::move(next)),
        options_(options),
        log_(std::move(log)),
        clock_(clock),
        counts_(counts),
        circuits_(options.circuit) {}

  void Ask(grpc::ClientContext* context, const v1::EvaluateRequest* request, v1::Verdict* verdict,
           Done done) override;

 private:
  class Question;

  void Settle(const std::string& tenant_id, const Admission& admission, Outcome outcome,
              const grpc::Status& status);

  const std::unique_ptr<Stub> next_;
  const RemoteComplianceOptions options_;
  const EventLog log_;
  const Clock* const clock_;
  ComplianceCounts* const counts_;
  TenantCircuits circuits_;
};

// One question under way; goes when it is answered.
class RemoteStub::Question {
 public:
  Question(RemoteStub* stub, const Admission& admission, const v1::EvaluateRequest* request,
           v1::Verdict* verdict, Done done)
      : stub_(stub),
        admission_(admission),
        request_(request),
        verdict_(verdict),
        done_(std::move(done)) {}

  void Ask(std::chrono::system_clock::time_point no_later_than) {
    deadline_ = no_later_than;
    had_time_ = no_later_than - std::chrono::system_clock::now() >= stub_->options_.deadline / 2;
    contexts_[0].set_deadline(no_later_than);
    stub_->next_->async()->Evaluate(&contexts_[0], request_, verdict_, [this](grpc::Status status) {
      const bool may_ask_again =
          status.error_code() == grpc::StatusCode::UNAVAILABLE && !MayHaveBeenSent(contexts_[0]);
      if (!may_ask_again) return End(status);
      AskAgain(std::move(status));
    });
  }

 private:
  void AskAgain(grpc::Status why) {
    why_ = std::move(why);
    stub_->counts_->asked_again.fetch_add(1, std::memory_order_relaxed);
    contexts_[1].set_deadline(deadline_);
    contexts_[1].set_wait_for_ready(true);
    stub_->next_->async()->Evaluate(
        &contexts_[1], request_, verdict_, [this](const grpc::Status& status) {
          // What gRPC says of a wait for a connection is only that it
          // is over.
          End(status.ok() || MayHaveBeenSent(contexts_[1]) ? status : why_);
        });
  }

  void End(grpc::Status status) {
    stub_->Settle(request_->tenant_id(), admission_, OutcomeOf(status, had_time_), status);
    const Done done = std::move(done_);
    // Whoever is told may end what this refers to.
    delete this;
    done(std::move(status));
  }

  RemoteStub* const stub_;
  const Admission admission_;
  const v1::EvaluateRequest* const request_;
  v1::Verdict* const verdict_;
  Done done_;
  std::chrono::system_clock::time_point deadline_;
  bool had_time_ = true;
  grpc::Status why_;
  std::array<grpc::ClientContext, 2> contexts_;
};

void RemoteStub::Ask(grpc::ClientContext* context, const v1::EvaluateRequest* request,
                     v1::Verdict* verdict, Done done) {
  const Admission admission = circuits_.Admit(request->tenant_id(), options_.now());
  if (admission.kind == Admission::Kind::kRefused) {
    counts_->not_asked.fetch_add(1, std::memory_order_relaxed);
    return done(NotAskedUntil(admission.come_back));
  }
  auto* const question = new Question(this, admission, request, verdict, std::move(done));
  question->Ask(context->deadline());
}

void RemoteStub::Settle(const std::string& tenant_id, const Admission& admission, Outcome outcome,
                        const grpc::Status& status) {
  (status.ok() ? counts_->answered : counts_->failed).fetch_add(1, std::memory_order_relaxed);
  const CircuitBreaker::Change change =
      circuits_.Settle(tenant_id, admission, outcome, options_.now());
  if (change == CircuitBreaker::Change::kNone) return;
  if (change == CircuitBreaker::Change::kClosed) {
    counts_->open.fetch_sub(1, std::memory_order_relaxed);
    counts_->circuits.Closed(tenant_id);
    return log_.Info("compliance_circuit_closed", {{"tenant", tenant_id}});
  }
  counts_->open.fetch_add(1, std::memory_order_relaxed);
  counts_->opened.fetch_add(1, std::memory_order_relaxed);
  const std::string failure =
      absl::StrCat("gRPC status ", status.error_code(), ": ", status.error_message());
  counts_->circuits.Opened({tenant_id, clock_->Now(), failure});
  log_.Warning("compliance_circuit_opened", {{"tenant", tenant_id},
                                             {"failures", absl::StrCat(options_.circuit.failures)},
                                             {"message", failure}});
}

}  // namespace

std::unique_ptr<Stub> RemoteComplianceStub(std::unique_ptr<Stub> next,
                                           const RemoteComplianceOptions& options, EventLog log,
                                           const Clock* clock, ComplianceCounts* counts) {
  return std::make_unique<RemoteStub>(std::move(next), options, std::move(log), clock, counts);
}

}  // namespace hourglass::issuance
