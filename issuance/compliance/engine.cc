#include "issuance/compliance/engine.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/devices.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/access/explanation.h"
#include "issuance/compliance/access_facts.h"
#include "issuance/compliance/blocks.h"
#include "issuance/compliance/decision.h"
#include "issuance/compliance/mapped_sid.h"
#include "issuance/compliance/question.h"
#include "issuance/compliance/sign_in.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {
namespace {

constexpr char kNoPolicyVersion[] = "none";

absl::StatusOr<v1::DeviceState> StateOf(const DeviceRecord& device) {
  v1::DeviceState state;
  if (state.ParseFromString(device.state)) return state;
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("the record of device ", device.device_id, " is damaged"));
}

FileFindings FindingsOf(const CompliancePolicy& policy, const std::optional<DeviceRecord>& device,
                        const v1::DeviceState& state, Timestamp now) {
  FileFindings file;
  file.has_file = true;
  file.version = policy.version;
  file.reasons = device.has_value()
                     ? Decide(policy, state, device->reported_at, now)
                     : std::vector{MakeDenyReason("device", "nothing is known of this device",
                                                  policy.remediation_url)};
  return file;
}

// Where neither a block nor the policy file says how to mend it.
void AddRemediation(const AccessConfig& config, std::vector<v1::DenyReason>& reasons) {
  for (v1::DenyReason& reason : reasons) {
    if (!reason.remediation_url().empty()) continue;
    reason.set_remediation_url(RemediationUrl(config, reason.setting()));
  }
}

bool WouldDeny(const access::PolicyResult& result) {
  return !result.enforced && result.application != access::Application::kNotApplied &&
         (result.satisfaction == access::Satisfaction::kBlocks ||
          result.satisfaction == access::Satisfaction::kUnsatisfied);
}

}  // namespace

ComplianceEngine::ComplianceEngine(std::string policy_directory, DecisionFactsStore* store,
                                   const Clock* clock, EventLog log, Access access)
    : files_(std::move(policy_directory), clock),
      cache_(access.store, std::move(access.tenants)),
      store_(store),
      clock_(clock),
      log_(std::move(log)) {}

// Null, with a reason, where the file has mistakes.
absl::StatusOr<std::shared_ptr<const CompliancePolicy>> ComplianceEngine::ReadFile(
    const std::string& tenant_id, Explanation* explanation) {
  PolicyFiles::Result found = files_.Get(tenant_id);
  if (found.status.ok()) return std::move(found.policy);
  if (found.read_anew) {
    log_.Failure("policy_unreadable",
                 {{"tenant_id", tenant_id}, {"mistakes", found.status.message()}});
  }
  if (ReasonOf(found.status) == ErrorReason::kComplianceUnavailable) {
    // The path is for the log alone.
    return Error(ErrorReason::kComplianceUnavailable, "",
                 "the policy of this tenant cannot be read at the moment");
  }
  explanation->reasons.push_back(
      MakeDenyReason("policy", "the policy of this tenant cannot be read", ""));
  return nullptr;
}

absl::Status ComplianceEngine::ReadPolicies(const std::string& tenant_id, std::uint64_t revision,
                                            Explanation* explanation) {
  TenantPolicyCache::Result found = cache_.Get(tenant_id, revision);
  if (ReasonOf(found.status) == ErrorReason::kComplianceUnavailable) return found.status;
  if (found.status.ok()) {
    explanation->policies = std::move(found.policies);
    return absl::OkStatus();
  }
  if (found.read_anew) {
    log_.Failure("policy_unreadable",
                 {{"tenant_id", tenant_id}, {"mistakes", found.status.message()}});
  }
  explanation->policy_version = absl::StrCat("ca:", revision);
  explanation->reasons.push_back(
      MakeDenyReason("policy", "the imported policies of this tenant cannot be read", ""));
  return absl::OkStatus();
}

absl::StatusOr<ComplianceEngine::Explanation> ComplianceEngine::JudgePolicies(
    const v1::EvaluateRequest& question, const BlockFindings& found,
    const access::SignInFacts& sign_in, Timestamp now, const access::Lenience& lenience) {
  const DecisionFacts& facts = found.facts;
  Explanation explanation;
  explanation.policy_version = kNoPolicyVersion;
  ASSIGN_OR_RETURN(const auto policy, ReadFile(question.tenant_id(), &explanation));
  RETURN_IF_ERROR(ReadPolicies(question.tenant_id(), facts.policy_revision, &explanation));
  explanation.has_policies = explanation.reasons.empty();
  if (!explanation.has_policies) return explanation;
  const bool has_none = policy == nullptr && !explanation.policies->decide();
  explanation.has_policies = !has_none;
  if (has_none) {
    explanation.reasons.push_back(
        MakeDenyReason("policy", "this tenant has no compliance policy", ""));
  }
  v1::DeviceState state;
  if (facts.device.has_value()) {
    ASSIGN_OR_RETURN(state, StateOf(*facts.device));
  }
  FileFindings file;
  if (policy != nullptr) file = FindingsOf(*policy, facts.device, state, now);
  if (!has_none) explanation.policy_version = PolicyVersionOf(*explanation.policies, file);
  // Nothing but a file.
  if (explanation.policies->access == nullptr) {
    if (!has_none) explanation.reasons = std::move(file.reasons);
    return explanation;
  }
  AccessFacts known;
  // An id without an entry says nothing of a name that the directory has for another user.
  if (facts.user.has_value() || !found.name_is_anothers) {
    known.facts.user = UserFactsOf(facts.user, question.user_id(), question.user_upn());
  }
  PutUserOfToken(question, &known.facts.user);
  known.facts.sign_in = sign_in;
  if (lenience.user) known.facts.user.groups.reset();
  if (facts.device.has_value()) {
    known.facts.device = DeviceFactsOf(state, question.device_id());
    known.report = ComplianceFactsOf(state, facts.device->reported_at);
  }
  explanation.judgement = JudgeAccess(*explanation.policies, ConfigOf(question.tenant_id()), file,
                                      std::move(known), now, lenience);
  if (!has_none) explanation.reasons = explanation.judgement->reasons;
  return explanation;
}

void ComplianceEngine::LogReportOnly(const v1::EvaluateRequest& question,
                                     const Explanation& explanation) const {
  if (!explanation.judgement.has_value()) return;
  for (const access::PolicyResult& result : explanation.judgement->decision.results) {
    if (!WouldDeny(result)) continue;
    log_.Info("report_only_policy", {{"tenant", question.tenant_id()},
                                     {"policy", result.policy->id},
                                     {"user", question.user_upn()},
                                     {"device", question.device_id()},
                                     {"result", access::DescribeResult(result)}});
  }
}

absl::StatusOr<ComplianceEngine::Explanation> ComplianceEngine::Explain(
    const v1::EvaluateRequest& question, const access::SignInFacts& sign_in, Timestamp now) {
  ASSIGN_OR_RETURN(BlockFindings found, FindBlocks(*store_, question, now));
  absl::StatusOr<Explanation> explanation = JudgePolicies(question, found, sign_in, now);
  if (!found.reasons.empty()) {
    // Whatever policies say, and whether they can be read.
    if (!explanation.ok()) explanation.emplace();
    explanation->policy_version = kBlockedPolicyVersion;
    explanation->reasons = std::move(found.reasons);
  }
  if (explanation.ok()) AddRemediation(ConfigOf(question.tenant_id()), explanation->reasons);
  return explanation;
}

absl::StatusOr<std::vector<v1::DenyReason>> ComplianceEngine::NewReasons(
    const v1::EvaluateRequest& question, const DeviceRecord& report, Timestamp now) {
  ASSIGN_OR_RETURN(BlockFindings found, FindBlocks(*store_, question, now));
  std::vector<v1::DenyReason> fresh;
  if (!found.reasons.empty()) return fresh;
  ASSIGN_OR_RETURN(const Explanation before, JudgePolicies(question, found, {}, now));
  found.facts.device = report;
  ASSIGN_OR_RETURN(const Explanation after, JudgePolicies(question, found, {}, now));
  std::set<absl::string_view> known;
  for (const v1::DenyReason& reason : before.reasons) known.insert(reason.setting());
  for (const v1::DenyReason& reason : after.reasons) {
    if (known.insert(reason.setting()).second) fresh.push_back(reason);
  }
  return fresh;
}

absl::StatusOr<ComplianceEngine::Standing> ComplianceEngine::Review(
    const v1::EvaluateRequest& question, Timestamp now) {
  ASSIGN_OR_RETURN(const BlockFindings found, FindBlocks(*store_, question, now));
  Standing standing;
  if (!found.reasons.empty()) return standing;
  const bool by_token = question.has_sign_in();
  access::Lenience lenience = {.sign_in = by_token, .user = by_token};
  ASSIGN_OR_RETURN(Explanation certain, JudgePolicies(question, found, {}, now, lenience));
  if (!certain.has_policies) return standing;
  AddRemediation(ConfigOf(question.tenant_id()), certain.reasons);
  standing.certain = std::move(certain.reasons);
  if (!by_token) return standing;
  lenience.user = false;
  ASSIGN_OR_RETURN(Explanation all, JudgePolicies(question, found, {}, now, lenience));
  AddRemediation(ConfigOf(question.tenant_id()), all.reasons);
  std::set<absl::string_view> known;
  for (const v1::DenyReason& reason : standing.certain) known.insert(reason.setting());
  for (v1::DenyReason& reason : all.reasons) {
    if (!known.contains(reason.setting())) standing.by_directory.push_back(std::move(reason));
  }
  return standing;
}

absl::StatusOr<v1::Verdict> ComplianceEngine::Evaluate(const v1::EvaluateRequest& request,
                                                       std::string* sid) {
  RETURN_IF_ERROR(CheckQuestion(request));
  // The age of a report means nothing by a clock that leapt.
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  ASSIGN_OR_RETURN(BlockFindings found, FindBlocks(*store_, request, now));
  if (sid != nullptr) *sid = DirectorySid(found.facts.user, request.user_id(), request.user_upn());
  Explanation explanation{found.reasons, kBlockedPolicyVersion, nullptr, std::nullopt};
  if (explanation.reasons.empty()) {
    ASSIGN_OR_RETURN(explanation, JudgePolicies(request, found, SignInFactsOf(request), now));
    LogReportOnly(request, explanation);
  }
  AddRemediation(ConfigOf(request.tenant_id()), explanation.reasons);
  return VerdictOn(request, explanation.policy_version, explanation.reasons, now, entropy_);
}

}  // namespace hourglass::issuance
