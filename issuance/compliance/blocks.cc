#include "issuance/compliance/blocks.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/time.h"
#include "ca/names/name_rules.h"
#include "hsm/base/status_macros.h"
#include "issuance/compliance/decision.h"

namespace hourglass::issuance {
namespace {

// Who blocked it is for administrators: `blocks list` has it.
v1::DenyReason DenialOf(const BlockRecord& block, absl::string_view setting,
                        absl::string_view whom) {
  std::string message = absl::StrCat("this ", whom, " is blocked");
  if (block.until.has_value()) {
    absl::StrAppend(&message, " until ",
                    ca::FormatTime(std::chrono::floor<std::chrono::seconds>(*block.until)));
  }
  absl::StrAppend(&message, ": ", block.reason);
  return MakeDenyReason(setting, message, "");
}

bool IsOneUser(const DecisionFacts& facts, const v1::EvaluateRequest& question) {
  if (question.user_id().empty() || question.user_upn().empty()) return true;
  return facts.user.has_value() &&
         ca::FoldedUpn(facts.user->upn) == ca::FoldedUpn(question.user_upn());
}

}  // namespace

std::vector<v1::DenyReason> BlockReasons(const DecisionFacts& facts) {
  std::vector<v1::DenyReason> reasons;
  if (facts.device_block.has_value()) {
    reasons.push_back(DenialOf(*facts.device_block, "device_blocked", "device"));
  }
  if (facts.user_block.has_value()) {
    reasons.push_back(DenialOf(*facts.user_block, "user_blocked", "user"));
  }
  if (facts.user.has_value() && !facts.user->is_enabled) {
    reasons.push_back(
        MakeDenyReason("user_disabled", "the directory has this user's account disabled", ""));
  }
  return reasons;
}

absl::StatusOr<BlockFindings> FindBlocks(DecisionFactsStore& store,
                                         const v1::EvaluateRequest& question, Timestamp now) {
  DecisionSubject subject{question.tenant_id(), question.user_id(), question.user_upn(),
                          question.device_id()};
  BlockFindings findings;
  ASSIGN_OR_RETURN(findings.facts, store.ReadDecisionFacts(subject, now));
  findings.reasons = BlockReasons(findings.facts);
  if (IsOneUser(findings.facts, question)) return findings;
  subject.user_id = "";
  ASSIGN_OR_RETURN(const DecisionFacts of_name, store.ReadDecisionFacts(subject, now));
  findings.name_is_anothers = of_name.user.has_value();
  for (v1::DenyReason& reason : BlockReasons(of_name)) {
    const bool is_there = std::any_of(
        findings.reasons.begin(), findings.reasons.end(),
        [&](const v1::DenyReason& other) { return other.setting() == reason.setting(); });
    if (!is_there) findings.reasons.push_back(std::move(reason));
  }
  return findings;
}

}  // namespace hourglass::issuance
