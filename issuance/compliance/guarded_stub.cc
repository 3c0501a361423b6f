#include "issuance/compliance/guarded_stub.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "hsm/base/status_macros.h"
#include "issuance/base/entropy.h"
#include "issuance/compliance/blocks.h"
#include "issuance/compliance/callback_stub.h"
#include "issuance/compliance/mapped_sid.h"
#include "issuance/compliance/question.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::issuance {
namespace {

using Stub = v1::ComplianceService::StubInterface;

class GuardedStub final : public CallbackStub<DirectoryStub> {
 public:
  GuardedStub(std::unique_ptr<Stub> next, DecisionFactsStore* store, const Clock* clock)
      : next_(std::move(next)), store_(store), clock_(clock) {}

  void Ask(grpc::ClientContext* context, const v1::EvaluateRequest* request, v1::Verdict* verdict,
           Done done) override {
    std::string sid;
    EvaluateWithSid(context, request, verdict, &sid, std::move(done));
  }

  // `sid` is written before it returns.
  void EvaluateWithSid(grpc::ClientContext* context, const v1::EvaluateRequest* request,
                       v1::Verdict* verdict, std::string* sid, Done done) override {
    const std::optional<grpc::Status> answered = Answer(*request, verdict, sid);
    if (answered.has_value()) return done(*answered);
    next_->async()->Evaluate(context, request, verdict, std::move(done));
  }

 private:
  // Nothing where the other is to be asked.
  std::optional<grpc::Status> Answer(const v1::EvaluateRequest& request, v1::Verdict* verdict,
                                     std::string* sid) {
    const absl::StatusOr<bool> is_denied = Deny(request, verdict, sid);
    if (!is_denied.ok()) return ToGrpcStatus(is_denied.status());
    return *is_denied ? std::make_optional(grpc::Status::OK) : std::nullopt;
  }

  // Whether it did.
  absl::StatusOr<bool> Deny(const v1::EvaluateRequest& request, v1::Verdict* verdict,
                            std::string* sid) {
    // When a block ends is not to be told by a clock that leapt.
    ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
    ASSIGN_OR_RETURN(const BlockFindings found, FindBlocks(*store_, request, now));
    *sid = DirectorySid(found.facts.user, request.user_id(), request.user_upn());
    if (found.reasons.empty()) return false;
    ASSIGN_OR_RETURN(*verdict,
                     VerdictOn(request, kBlockedPolicyVersion, found.reasons, now, entropy_));
    return true;
  }

  const std::unique_ptr<Stub> next_;
  DecisionFactsStore* const store_;
  const Clock* const clock_;
  SystemEntropy entropy_;
};

}  // namespace

std::unique_ptr<DirectoryStub> GuardedComplianceStub(std::unique_ptr<Stub> next,
                                                     DecisionFactsStore* store,
                                                     const Clock* clock) {
  return std::make_unique<GuardedStub>(std::move(next), store, clock);
}

}  // namespace hourglass::issuance
