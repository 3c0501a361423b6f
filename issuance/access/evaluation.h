// May this user, on this device, signing in like this, have a certificate for the VPN now?
//
// Policies are prepared once and asked often. All of this is pure, and safe to call from several
// threads.
#ifndef HOURGLASS_ISSUANCE_ACCESS_EVALUATION_H_
#define HOURGLASS_ISSUANCE_ACCESS_EVALUATION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/access/facts.h"
#include "issuance/access/named_location.h"
#include "issuance/access/policy.h"

namespace hourglass::access {

// How far clocks may differ: an authentication dated in the future by no more than this is of now.
inline constexpr std::chrono::minutes kClockTolerance(5);

// How old an authentication may be where a policy asks for one "every time": Entra ID leaves as
// much, so that nobody is asked twice at once.
inline constexpr std::chrono::minutes kEveryTime(5);

// Facts that hold for a tenant where nobody supplies them, because an administrator said so.
struct AssumedFacts {
  std::optional<ClientApp> client_app;
  std::optional<TransferMethod> transfer_method;
  std::optional<RiskLevel> sign_in_risk;
  std::optional<RiskLevel> user_risk;
  std::optional<InsiderRiskLevel> insider_risk;
};

struct AccessOptions {
  // The ids that the tenant's "VPN Server" application has in policies; it differs from tenant to
  // tenant. `All` includes it whatever stands here. While this is empty, any id may be its.
  std::vector<std::string> vpn_applications;
  // What Entra ID does where no policy applies. By default that is a denial.
  bool allow_without_policy = false;
  // Whether a device in its grace period counts as compliant.
  bool grace_period_is_compliant = true;
  // The trusted IPs of multifactor authentication. They count as a trusted location.
  std::vector<IpRange> mfa_trusted_ips;
  AssumedFacts assumed;
};

// In the order in which they are evaluated.
enum class Condition {
  kNone,
  kState,
  kApplications,
  kUsers,
  kClientApps,
  kPlatforms,
  kLocations,
  kDevices,
  kSignInRisk,
  kUserRisk,
  kInsiderRisk,
  kAuthenticationFlows,
  kOther,
};

// The condition as Graph names it: `conditions.signInRiskLevels`; `state` of kState; "" of kNone.
absl::string_view ConditionPath(Condition condition);

// In the order in which Entra ID asks for them.
enum class ControlKind {
  kBlock,
  kMfa,
  kAuthenticationStrength,
  kCompliantDevice,
  kDomainJoinedDevice,
  kApprovedApplication,
  kCompliantApplication,
  kPasswordChange,
  kRiskRemediation,
  kTermsOfUse,
  kCustomFactor,
  kSignInFrequency,
  kSecureSignInSession,
  kNotUnderstood,
};

// `compliantDevice`: Graph's name of the control, or of the member that asks for it.
absl::string_view ControlName(ControlKind kind);

enum class ControlStatus { kSatisfied, kUnsatisfied, kNotKnown, kNotUnderstood };

struct ControlResult {
  ControlKind kind;
  ControlStatus status;
  // An id of terms of use, a strength or a factor, or the path of what is not understood; as long
  // as the prepared policies live.
  absl::string_view detail;
};

enum class Application {
  kNotApplied,
  kPossiblyApplies,  // a fact is missing, or something is not understood: enforced all the same
  kApplies,
};

enum class Satisfaction { kNotEvaluated, kSatisfied, kUnsatisfied, kBlocks };

struct PolicyResult {
  const ConditionalAccessPolicy* policy;  // as long as the prepared policies live
  Application application = Application::kNotApplied;
  Condition excluded_by = Condition::kNone;  // of kNotApplied
  std::uint32_t not_known = 0;               // of kPossiblyApplies: a bit for each Condition
  Satisfaction satisfaction = Satisfaction::kNotEvaluated;
  bool enforced = true;  // false: report-only
  bool grants = false;   // it asks for a control, so that it decides about access
  // In the order of ControlKind.
  absl::InlinedVector<ControlResult, 2> controls;

  bool IsNotKnown(Condition condition) const {
    return (not_known >> static_cast<int>(condition) & 1) != 0;
  }
};

enum class Outcome {
  kAllow,
  kDenyBlocked,
  kDenyControls,
  kDenyNoPolicy,  // none that asks for a control is known to apply
};

absl::string_view OutcomeName(Outcome outcome);  // `DENY_BLOCKED`

struct Decision {
  Outcome outcome = Outcome::kDenyNoPolicy;
  // Of every policy that is not disabled and may be about the VPN server, by id. The others are in
  // PreparedPolicies::unconcerned().
  std::vector<PolicyResult> results;
  // Of an allowance: when the first sign-in frequency asks for an authentication again.
  std::optional<Timestamp> authenticate_again_at;
};

struct PreparedPolicy;
class PreparedLocations;

// A tenant's policies, made ready. Immutable.
class PreparedPolicies {
 public:
  // Errors: FIELD_MISSING for a policy without an id, FIELD_INVALID for two policies or two named
  // locations of the same id; the field is the path, `policies[3].id`. The order of policies and
  // locations decides nothing.
  static absl::StatusOr<std::shared_ptr<const PreparedPolicies>> Make(
      std::vector<ConditionalAccessPolicy> policies, const std::vector<NamedLocation>& locations,
      AccessOptions options);
  ~PreparedPolicies();

  // Of the policies that are disabled or not about the VPN server, whoever asks; by id.
  const std::vector<PolicyResult>& unconcerned() const { return unconcerned_; }
  const AccessOptions& options() const { return options_; }

  // Only for Evaluate.
  const std::vector<PreparedPolicy>& policies() const { return policies_; }
  const PreparedLocations& locations() const { return *locations_; }

 private:
  PreparedPolicies();

  std::vector<ConditionalAccessPolicy> sources_;
  std::vector<PreparedPolicy> policies_;
  std::unique_ptr<const PreparedLocations> locations_;
  std::vector<PolicyResult> unconcerned_;
  AccessOptions options_;
};

// The decision. All conditions of a policy must hold for it to apply, what is excluded beats what
// is included, every policy that applies must be satisfied, and one that blocks decides alone.
// Report-only policies are evaluated and decide nothing. A fact that is not known, or a condition
// that is not understood, never keeps a policy from applying and never satisfies it: removing a
// fact never turns a denial into an allowance. The result refers to `policies`.
Decision Evaluate(const PreparedPolicies& policies, const Facts& facts, Timestamp now);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_EVALUATION_H_
