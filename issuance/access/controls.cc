#include "issuance/access/controls.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "absl/strings/match.h"

namespace hourglass::access {
namespace {

bool Uses(const std::vector<std::string>& methods, const std::string& method) {
  return std::any_of(methods.begin(), methods.end(), [&method](const std::string& used) {
    return absl::EqualsIgnoreCase(used, method);
  });
}

Truth MeetsStrength(const PreparedControl& control, const SignInFacts& facts) {
  if (facts.strengths.has_value() && facts.strengths->Has(control.detail)) return Truth::kYes;
  if (!facts.methods.has_value()) return Truth::kUnknown;
  for (const std::vector<std::string>& combination : control.combinations) {
    const bool is_met = !combination.empty() && std::all_of(combination.begin(), combination.end(),
                                                            [&facts](const std::string& method) {
                                                              return Uses(*facts.methods, method);
                                                            });
    if (is_met) return Truth::kYes;
  }
  return Truth::kNo;
}

Truth Has(const std::optional<IdSet>& ids, const std::string& folded) {
  return ids.has_value() ? Known(ids->HasFolded(folded)) : Truth::kUnknown;
}

std::chrono::hours PeriodOf(const SignInFrequency& frequency) {
  return std::chrono::hours(*frequency.value) * (frequency.unit == FrequencyUnit::kDays ? 24 : 1);
}

// How long an authentication is good for, as the policy's frequency says.
std::chrono::seconds LimitOf(const SignInFrequency& frequency) {
  if (frequency.interval == FrequencyInterval::kEveryTime) return kEveryTime;
  return PeriodOf(frequency);
}

const std::optional<Timestamp>& AuthenticationOf(const SignInFrequency& frequency,
                                                 const SignInFacts& facts) {
  return frequency.authentication == FrequencyAuthentication::kSecondary ? facts.mfa_at
                                                                         : facts.authenticated_at;
}

// An authentication at exactly the limit still counts; one further ahead than clocks may differ
// does not.
Truth IsFresh(const SignInFrequency& frequency, const SignInFacts& facts, Timestamp now) {
  const std::optional<Timestamp>& at = AuthenticationOf(frequency, facts);
  if (!at.has_value()) return Truth::kUnknown;
  return Known(*at <= now + kClockTolerance && now - *at <= LimitOf(frequency));
}

Truth IsSatisfied(const PreparedControl& control, const PreparedPolicy& policy,
                  const Circumstances& at, Timestamp now) {
  const SignInFacts& sign_in = at.facts.sign_in;
  switch (control.kind) {
    case ControlKind::kMfa:
      return Known(sign_in.mfa);
    case ControlKind::kAuthenticationStrength:
      return MeetsStrength(control, sign_in);
    case ControlKind::kCompliantDevice:
      return at.device.compliant();
    case ControlKind::kDomainJoinedDevice:
      return at.device.hybrid_joined();
    case ControlKind::kApprovedApplication:
      return Known(sign_in.approved_application);
    case ControlKind::kCompliantApplication:
      return Known(sign_in.app_protection);
    case ControlKind::kPasswordChange:
      return Known(sign_in.password_changed);
    case ControlKind::kRiskRemediation:
      return Known(sign_in.risk_remediated);
    case ControlKind::kTermsOfUse:
      return Has(sign_in.terms_accepted, control.detail);
    case ControlKind::kCustomFactor:
      return Has(sign_in.custom_factors, control.detail);
    case ControlKind::kSignInFrequency:
      return IsFresh(*policy.source->session->sign_in_frequency, sign_in, now);
    case ControlKind::kSecureSignInSession:
      return Known(sign_in.token_bound);
    case ControlKind::kBlock:
    case ControlKind::kNotUnderstood:
      break;
  }
  return Truth::kNo;
}

ControlStatus StatusOf(const PreparedControl& control, Truth satisfied) {
  if (control.kind == ControlKind::kNotUnderstood) return ControlStatus::kNotUnderstood;
  switch (satisfied) {
    case Truth::kYes:
      return ControlStatus::kSatisfied;
    case Truth::kNo:
      return ControlStatus::kUnsatisfied;
    default:
      return ControlStatus::kNotKnown;
  }
}

}  // namespace

void ApplyControls(const PreparedPolicy& policy, const Circumstances& circumstances, Timestamp now,
                   PolicyResult* result) {
  result->grants = policy.blocks || !policy.grant.empty();
  if (policy.blocks) {
    result->satisfaction = Satisfaction::kBlocks;
    result->controls.push_back({ControlKind::kBlock, ControlStatus::kUnsatisfied, ""});
    return;
  }
  const auto ask = [&](const PreparedControl& control) {
    const ControlStatus status =
        StatusOf(control, IsSatisfied(control, policy, circumstances, now));
    result->controls.push_back({control.kind, status, control.detail});
    return status == ControlStatus::kSatisfied;
  };
  std::size_t satisfied = 0;
  for (const PreparedControl& control : policy.grant) satisfied += ask(control) ? 1 : 0;
  const std::size_t needed = policy.combination == GrantOperator::kOr
                                 ? std::min<std::size_t>(1, policy.grant.size())
                                 : policy.grant.size();
  bool all = satisfied >= needed;
  for (const PreparedControl& control : policy.session) all &= ask(control);
  for (const PreparedControl& control : policy.not_understood) all &= ask(control);
  result->satisfaction = all ? Satisfaction::kSatisfied : Satisfaction::kUnsatisfied;
}

std::optional<Timestamp> AuthenticateAgainAt(const PreparedPolicy& policy,
                                             const SignInFacts& facts) {
  for (const PreparedControl& control : policy.session) {
    if (control.kind != ControlKind::kSignInFrequency) continue;
    const SignInFrequency& frequency = *policy.source->session->sign_in_frequency;
    const std::optional<Timestamp>& at = AuthenticationOf(frequency, facts);
    if (at.has_value()) return *at + LimitOf(frequency);
  }
  return std::nullopt;
}

}  // namespace hourglass::access
