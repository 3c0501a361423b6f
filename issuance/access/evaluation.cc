#include "issuance/access/evaluation.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/access/conditions.h"
#include "issuance/access/controls.h"
#include "issuance/access/lenience.h"
#include "issuance/access/prepared_locations.h"
#include "issuance/access/prepared_policy.h"

namespace hourglass::access {
namespace {

template <typename Item>
absl::Status CheckIds(absl::string_view list, const std::vector<Item>& items) {
  absl::flat_hash_set<std::string> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string field = absl::StrCat(list, "[", i, "].id");
    if (items[i].id.empty()) return Error(ErrorReason::kFieldMissing, field, "is empty");
    if (!seen.insert(absl::AsciiStrToLower(items[i].id)).second) {
      return Error(ErrorReason::kFieldInvalid, field, "is that of an earlier one, too");
    }
  }
  return absl::OkStatus();
}

PolicyResult Unconcerned(const ConditionalAccessPolicy& policy, Condition condition) {
  PolicyResult result;
  result.policy = &policy;
  result.excluded_by = condition;
  result.enforced = policy.state == PolicyState::kEnabled;
  return result;
}

}  // namespace

PreparedPolicies::PreparedPolicies() = default;
PreparedPolicies::~PreparedPolicies() = default;

absl::StatusOr<std::shared_ptr<const PreparedPolicies>> PreparedPolicies::Make(
    std::vector<ConditionalAccessPolicy> policies, const std::vector<NamedLocation>& locations,
    AccessOptions options) {
  RETURN_IF_ERROR(CheckIds("policies", policies));
  RETURN_IF_ERROR(CheckIds("locations", locations));
  std::shared_ptr<PreparedPolicies> made(new PreparedPolicies);
  made->options_ = std::move(options);
  made->locations_ =
      std::make_unique<const PreparedLocations>(locations, made->options_.mfa_trusted_ips);
  std::sort(policies.begin(), policies.end(), [](const auto& a, const auto& b) {
    return absl::AsciiStrToLower(a.id) < absl::AsciiStrToLower(b.id);
  });
  made->sources_ = std::move(policies);
  for (const ConditionalAccessPolicy& policy : made->sources_) {
    if (policy.state == PolicyState::kDisabled) {
      made->unconcerned_.push_back(Unconcerned(policy, Condition::kState));
      continue;
    }
    PreparedPolicy prepared = PreparePolicy(policy, *made->locations_, made->options_);
    if (prepared.applications == Truth::kNo) {
      made->unconcerned_.push_back(Unconcerned(policy, Condition::kApplications));
    } else {
      made->policies_.push_back(std::move(prepared));
    }
  }
  return made;
}

Decision Evaluate(const PreparedPolicies& policies, const Facts& facts, Timestamp now) {
  const AccessOptions& options = policies.options();
  Circumstances circumstances{facts, options.assumed,
                              DeviceView(facts.device, options.grace_period_is_compliant),
                              Whereabouts(policies.locations(), facts.sign_in)};
  Decision decision;
  decision.results.reserve(policies.policies().size());
  std::optional<Timestamp> again;
  for (const PreparedPolicy& policy : policies.policies()) {
    PolicyResult& result = decision.results.emplace_back();
    result.policy = policy.source;
    result.enforced = policy.enforced;
    ApplyConditions(policy, &circumstances, &result);
    if (result.application == Application::kNotApplied) continue;
    ApplyControls(policy, circumstances, now, &result);
    if (!policy.enforced) continue;
    const std::optional<Timestamp> at = AuthenticateAgainAt(policy, facts.sign_in);
    if (at.has_value() && (!again.has_value() || *at < *again)) again = at;
  }
  decision.outcome = OutcomeOf(decision.results, options);
  if (decision.outcome == Outcome::kAllow) decision.authenticate_again_at = again;
  return decision;
}

absl::string_view ConditionPath(Condition condition) {
  switch (condition) {
    case Condition::kState:
      return "state";
    case Condition::kApplications:
      return "conditions.applications";
    case Condition::kUsers:
      return "conditions.users";
    case Condition::kClientApps:
      return "conditions.clientAppTypes";
    case Condition::kPlatforms:
      return "conditions.platforms";
    case Condition::kLocations:
      return "conditions.locations";
    case Condition::kDevices:
      return "conditions.devices";
    case Condition::kSignInRisk:
      return "conditions.signInRiskLevels";
    case Condition::kUserRisk:
      return "conditions.userRiskLevels";
    case Condition::kInsiderRisk:
      return "conditions.insiderRiskLevels";
    case Condition::kAuthenticationFlows:
      return "conditions.authenticationFlows";
    case Condition::kOther:
      return "conditions";
    case Condition::kNone:
      break;
  }
  return "";
}

absl::string_view ControlName(ControlKind kind) {
  static constexpr absl::string_view kNames[] = {
      "block",
      "mfa",
      "authenticationStrength",
      "compliantDevice",
      "domainJoinedDevice",
      "approvedApplication",
      "compliantApplication",
      "passwordChange",
      "riskRemediation",
      "termsOfUse",
      "customAuthenticationFactors",
      "signInFrequency",
      "secureSignInSession",
      "notUnderstood",
  };
  return kNames[static_cast<std::size_t>(kind)];
}

absl::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAllow:
      return "ALLOW";
    case Outcome::kDenyBlocked:
      return "DENY_BLOCKED";
    case Outcome::kDenyControls:
      return "DENY_CONTROLS_UNSATISFIED";
    case Outcome::kDenyNoPolicy:
      break;
  }
  return "DENY_NO_POLICY";
}

}  // namespace hourglass::access
