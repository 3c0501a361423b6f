#include "issuance/access/lenience.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "issuance/access/prepared_policy.h"

namespace hourglass::access {
namespace {

constexpr std::uint32_t Bit(Condition condition) {
  return std::uint32_t{1} << static_cast<int>(condition);
}

constexpr std::uint32_t kSignInConditions =
    Bit(Condition::kClientApps) | Bit(Condition::kLocations) | Bit(Condition::kSignInRisk) |
    Bit(Condition::kUserRisk) | Bit(Condition::kInsiderRisk) | Bit(Condition::kAuthenticationFlows);

bool IsOfSignIn(ControlKind kind) {
  switch (kind) {
    case ControlKind::kBlock:
    case ControlKind::kCompliantDevice:
    case ControlKind::kDomainJoinedDevice:
    case ControlKind::kNotUnderstood:
      return false;
    default:
      return true;
  }
}

// Takes what is not known of the sign-in as good; returns whether the policy is satisfied then. The
// controls are in the order of grant, session and not_understood.
bool SatisfyControls(const PreparedPolicy& policy, PolicyResult* result) {
  if (result->satisfaction == Satisfaction::kBlocks) return false;
  std::size_t granted = 0;
  bool all = true;
  for (std::size_t i = 0; i < result->controls.size(); ++i) {
    ControlResult& control = result->controls[i];
    if (control.status == ControlStatus::kNotKnown && IsOfSignIn(control.kind)) {
      control.status = ControlStatus::kSatisfied;
    }
    const bool is_met = control.status == ControlStatus::kSatisfied;
    if (i < policy.grant.size()) {
      granted += is_met ? 1 : 0;
    } else {
      all &= is_met;
    }
  }
  const std::size_t needed = policy.combination == GrantOperator::kOr
                                 ? std::min<std::size_t>(1, policy.grant.size())
                                 : policy.grant.size();
  return all && granted >= needed;
}

}  // namespace

Outcome OutcomeOf(const std::vector<PolicyResult>& results, const AccessOptions& options) {
  bool blocked = false, unsatisfied = false;
  bool granted = false;  // one that asks for controls is known to apply
  for (const PolicyResult& result : results) {
    if (!result.enforced || result.application == Application::kNotApplied) continue;
    blocked |= result.satisfaction == Satisfaction::kBlocks;
    unsatisfied |= result.satisfaction == Satisfaction::kUnsatisfied;
    granted |= result.grants && result.application == Application::kApplies;
  }
  if (blocked) return Outcome::kDenyBlocked;
  if (unsatisfied) return Outcome::kDenyControls;
  return granted || options.allow_without_policy ? Outcome::kAllow : Outcome::kDenyNoPolicy;
}

Decision Leniently(const PreparedPolicies& policies, Decision decision, const Lenience& lenience) {
  if (!lenience.sign_in && !lenience.user) return decision;
  const std::uint32_t lenient =
      (lenience.sign_in ? kSignInConditions : 0) | (lenience.user ? Bit(Condition::kUsers) : 0);
  // As Evaluate made them: one for each policy, in the same order.
  for (std::size_t i = 0; i < decision.results.size(); ++i) {
    PolicyResult& result = decision.results[i];
    if (result.application == Application::kNotApplied) continue;
    const bool may_be_good = (result.not_known & lenient) != 0;
    const bool is_satisfied = lenience.sign_in && SatisfyControls(policies.policies()[i], &result);
    if (may_be_good || is_satisfied) result.satisfaction = Satisfaction::kSatisfied;
    // Where one must be known to apply, this one may be.
    if (may_be_good) result.application = Application::kApplies;
  }
  decision.outcome = OutcomeOf(decision.results, policies.options());
  return decision;
}

}  // namespace hourglass::access
