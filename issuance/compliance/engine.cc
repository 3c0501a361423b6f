#include "issuance/compliance/engine.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hourglass/v1/devices.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/compliance/blocks.h"
#include "issuance/compliance/decision.h"
#include "issuance/compliance/question.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kVerdictIdOctets = 16;
constexpr char kNoPolicyVersion[] = "none";

}  // namespace

ComplianceEngine::ComplianceEngine(std::string policy_directory, DecisionFactsStore* store,
                                   const Clock* clock, EventLog log)
    : policies_(std::move(policy_directory), clock),
      store_(store),
      clock_(clock),
      log_(std::move(log)) {}

absl::StatusOr<std::vector<v1::DenyReason>> ComplianceEngine::Judge(
    const v1::EvaluateRequest& request, Timestamp now, v1::Verdict* verdict) {
  ASSIGN_OR_RETURN(BlockFindings found, FindBlocks(*store_, request, now));
  if (found.reasons.empty()) return JudgeDevice(request, found.facts.device, now, verdict);
  verdict->set_policy_version(kBlockedPolicyVersion);
  return std::move(found.reasons);
}

absl::StatusOr<std::vector<v1::DenyReason>> ComplianceEngine::JudgeDevice(
    const v1::EvaluateRequest& request, const std::optional<DeviceRecord>& device, Timestamp now,
    v1::Verdict* verdict) {
  const PolicyFiles::Result found = policies_.Get(request.tenant_id());
  if (!found.status.ok()) {
    if (found.read_anew) {
      log_.Failure("policy_unreadable",
                   {{"tenant_id", request.tenant_id()}, {"mistakes", found.status.message()}});
    }
    if (ReasonOf(found.status) == ErrorReason::kComplianceUnavailable) {
      // The path is for the log alone.
      return Error(ErrorReason::kComplianceUnavailable, "",
                   "the policy of this tenant cannot be read at the moment");
    }
    return std::vector{MakeDenyReason("policy", "the policy of this tenant cannot be read", "")};
  }
  if (found.policy == nullptr) {
    return std::vector{MakeDenyReason("policy", "this tenant has no compliance policy", "")};
  }
  verdict->set_policy_version(found.policy->version);
  if (!device.has_value()) {
    return std::vector{
        MakeDenyReason("device", "nothing is known of this device", found.policy->remediation_url)};
  }
  v1::DeviceState state;
  if (!state.ParseFromString(device->state)) {
    return Error(ErrorReason::kJournalUnavailable, "",
                 absl::StrCat("the record of device ", request.device_id(), " is damaged"));
  }
  return Decide(*found.policy, state, device->reported_at, now);
}

absl::StatusOr<v1::Verdict> ComplianceEngine::Evaluate(const v1::EvaluateRequest& request) {
  RETURN_IF_ERROR(CheckQuestion(request));
  // The age of a report means nothing by a clock that leapt.
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  v1::Verdict verdict;
  verdict.set_policy_version(kNoPolicyVersion);
  ASSIGN_OR_RETURN(const std::string id, entropy_.Take(kVerdictIdOctets));
  ASSIGN_OR_RETURN(const auto reasons, Judge(request, now, &verdict));
  verdict.set_verdict_id(absl::BytesToHexString(id));
  verdict.set_nonce(request.nonce());
  *verdict.mutable_evaluated_at() = ToProto(now);
  if (reasons.empty()) {
    verdict.mutable_allow();
  } else {
    verdict.mutable_deny()->mutable_reasons()->Assign(reasons.begin(), reasons.end());
  }
  return verdict;
}

}  // namespace hourglass::issuance
