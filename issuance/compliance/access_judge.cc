#include "issuance/compliance/access_judge.h"

#include <cstddef>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/encoding/utf8.h"
#include "issuance/access/explanation.h"
#include "issuance/compliance/decision.h"

namespace hourglass::issuance {
namespace {

using access::ComplianceState;
using access::ControlKind;

// A verdict has room for more, but nobody reads them.
constexpr std::size_t kMostReasons = 100;
constexpr std::size_t kMaxMessageSize = 512;
constexpr std::size_t kMaxVersionSize = 256;
constexpr char kPolicySetting[] = "policy";

// What names of policies bring along is for verdicts, which have no control characters.
std::string PlainText(absl::string_view text) {
  const std::optional<ca::Utf8Text> decoded = ca::DecodeUtf8(text);
  if (!decoded.has_value() || decoded->has_controls) {
    std::string plain;
    for (const char c : text) plain += c >= ' ' && c < '\x7f' ? c : '?';
    return plain.substr(0, kMaxMessageSize);
  }
  return std::string(ca::FirstCharacters(text, kMaxMessageSize));
}

class Reasons {
 public:
  Reasons(const AccessConfig& config, std::vector<v1::DenyReason>* reasons)
      : config_(config), reasons_(reasons) {}

  void Add(absl::string_view setting, absl::string_view message) {
    if (reasons_->size() >= kMostReasons) return;
    reasons_->push_back(
        MakeDenyReason(PlainText(setting), PlainText(message), RemediationUrl(config_, setting)));
  }

  void Add(const std::vector<access::UnmetSetting>& unmet) {
    for (const access::UnmetSetting& setting : unmet) {
      Add(setting.setting, setting.policy_name.empty()
                               ? setting.message
                               : absl::StrCat(setting.message, " (\"", setting.policy_name, "\")"));
    }
  }

 private:
  const AccessConfig& config_;
  std::vector<v1::DenyReason>* const reasons_;
};

bool Denies(const access::PolicyResult& result) {
  return result.enforced && result.application != access::Application::kNotApplied &&
         (result.satisfaction == access::Satisfaction::kBlocks ||
          result.satisfaction == access::Satisfaction::kUnsatisfied);
}

// What is missing, each once, in the order of ControlKind; returns whether a compliant device is.
bool AddMissingControls(const access::Decision& decision, Reasons reasons) {
  using Key = std::pair<ControlKind, std::string>;
  std::map<Key, std::string> missing;
  for (const access::PolicyResult& result : decision.results) {
    if (!Denies(result)) continue;
    for (const access::ControlResult& control : result.controls) {
      if (control.status == access::ControlStatus::kSatisfied) continue;
      missing.try_emplace(Key(control.kind, std::string(control.detail)),
                          absl::StrCat(access::DescribeControl(control), " (\"",
                                       result.policy->display_name, "\")"));
    }
  }
  bool lacks_compliance = false;
  for (const auto& [key, message] : missing) {
    const absl::string_view name = access::ControlName(key.first);
    reasons.Add(name.empty() ? kPolicySetting : name, message);
    lacks_compliance |= key.first == ControlKind::kCompliantDevice;
  }
  return lacks_compliance;
}

bool CountsAsCompliant(ComplianceState state, const AccessConfig& config) {
  return state == ComplianceState::kCompliant ||
         (state == ComplianceState::kInGracePeriod && config.options.grace_period_is_compliant);
}

access::ComplianceResult JudgeCompliance(const TenantPolicies& policies, const AccessConfig& config,
                                         const FileFindings& file,
                                         const access::ComplianceFacts& report, Timestamp now) {
  access::ComplianceOptions options = config.compliance;
  // The file is the policy that the device has.
  if (policies.compliance.empty() && file.has_file) options.compliant_without_policy = true;
  access::ComplianceResult result =
      access::EvaluateCompliance(policies.compliance, report, options, now);
  if (!file.reasons.empty()) {
    result.state = ComplianceState::kNoncompliant;
    result.grace_ends_at.reset();
  }
  return result;
}

void AddAccessReasons(const access::Decision& decision, const access::ComplianceResult& compliance,
                      Reasons reasons) {
  if (decision.outcome == access::Outcome::kAllow) return;
  if (decision.outcome == access::Outcome::kDenyNoPolicy) {
    for (const std::string& reason : access::DenialReasons(decision)) {
      reasons.Add(kPolicySetting, reason);
    }
    return;
  }
  if (AddMissingControls(decision, reasons)) reasons.Add(compliance.unmet);
}

}  // namespace

AccessJudgement JudgeAccess(const TenantPolicies& policies, const AccessConfig& config,
                            const FileFindings& file, AccessFacts facts, Timestamp now,
                            const access::Lenience& lenience) {
  AccessJudgement judgement;
  judgement.reasons = file.reasons;
  judgement.has_report = facts.report.reported_at.has_value();
  judgement.compliance = JudgeCompliance(policies, config, file, facts.report, now);
  // Of a device that nobody reported, it is not known.
  if (judgement.has_report) {
    facts.facts.device.compliance = judgement.compliance.state;
  }
  if (policies.access != nullptr) {
    judgement.decision = access::Leniently(
        *policies.access, access::Evaluate(*policies.access, facts.facts, now), lenience);
  }
  Reasons reasons(config, &judgement.reasons);
  bool denied = false;
  if (policies.enforces_access) {
    denied = judgement.decision.outcome != access::Outcome::kAllow;
    AddAccessReasons(judgement.decision, judgement.compliance, reasons);
  } else if (!policies.compliance.empty()) {
    denied = !CountsAsCompliant(judgement.compliance.state, config);
    if (denied) reasons.Add(judgement.compliance.unmet);
  }
  // No reasons would be an allowance.
  if (denied && judgement.reasons.empty()) reasons.Add(kPolicySetting, "a policy denies it");
  return judgement;
}

std::string PolicyVersionOf(const TenantPolicies& policies, const FileFindings& file) {
  if (!policies.decide()) return file.version;
  const std::string of_store = absl::StrCat("ca:", policies.revision);
  if (file.version.empty()) return of_store;
  // The file's is plain text, which may be cut where a character ends.
  std::string version = file.version;
  while (version.size() + 1 + of_store.size() > kMaxVersionSize) {
    const std::optional<ca::Utf8Text> decoded = ca::DecodeUtf8(version);
    version = std::string(ca::FirstCharacters(version, decoded->characters - 1));
  }
  return absl::StrCat(version, " ", of_store);
}

}  // namespace hourglass::issuance
