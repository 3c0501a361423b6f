// Conditional access policies as Microsoft Graph has them (conditionalAccessPolicy), typed. What is
// in them and not understood here stays in them, so that it can be told, exported, and denied for.
#ifndef HOURGLASS_ISSUANCE_ACCESS_POLICY_H_
#define HOURGLASS_ISSUANCE_ACCESS_POLICY_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "issuance/access/terms.h"

namespace hourglass::access {

// Members that say something and are not understood: name to compact JSON text.
using OtherMembers = std::map<std::string, std::string>;

// Guests of these types, from these tenants.
struct GuestsOrExternalUsers {
  TermList<UserType> types;
  std::optional<std::vector<std::string>> tenants;  // ids; nullopt: all
  OtherMembers other;

  bool operator==(const GuestsOrExternalUsers&) const = default;
};

// Users: ids, or `All`, `None`, `GuestsOrExternalUsers`. Groups and roles: ids; of roles those of
// their templates.
struct UserCondition {
  std::vector<std::string> include_users;
  std::vector<std::string> exclude_users;
  std::vector<std::string> include_groups;
  std::vector<std::string> exclude_groups;
  std::vector<std::string> include_roles;
  std::vector<std::string> exclude_roles;
  std::optional<GuestsOrExternalUsers> include_guests;
  std::optional<GuestsOrExternalUsers> exclude_guests;
  OtherMembers other;

  bool operator==(const UserCondition&) const = default;
};

// Ids, or `All`, `None` and names of groups of applications such as `Office365`.
struct ApplicationCondition {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::vector<std::string> user_actions;
  std::vector<std::string> authentication_contexts;
  OtherMembers other;

  bool operator==(const ApplicationCondition&) const = default;
};

struct PlatformCondition {
  TermList<Platform> include;
  TermList<Platform> exclude;
  OtherMembers other;

  bool operator==(const PlatformCondition&) const = default;
};

// Ids of named locations, or `All`, `AllTrusted`, or zeros for the trusted IPs of multifactor
// authentication.
struct LocationCondition {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  OtherMembers other;

  bool operator==(const LocationCondition&) const = default;
};

struct DeviceFilter {
  FilterMode mode = FilterMode::kInclude;
  std::string rule;  // filter_rule.h

  bool operator==(const DeviceFilter&) const = default;
};

struct DeviceCondition {
  std::optional<DeviceFilter> filter;
  OtherMembers other;

  bool operator==(const DeviceCondition&) const = default;
};

struct AuthenticationFlowCondition {
  TermList<TransferMethod> methods;
  OtherMembers other;

  bool operator==(const AuthenticationFlowCondition&) const = default;
};

// All of them must hold. A condition that is absent or an empty list holds for everybody, but for
// users and applications.
struct Conditions {
  UserCondition users;
  ApplicationCondition applications;
  TermList<ClientApp> client_apps;
  std::optional<PlatformCondition> platforms;
  std::optional<LocationCondition> locations;
  std::optional<DeviceCondition> devices;
  TermList<RiskLevel> sign_in_risk;
  TermList<RiskLevel> user_risk;
  TermList<InsiderRiskLevel> insider_risk;
  std::optional<AuthenticationFlowCondition> authentication_flows;
  OtherMembers other;

  bool operator==(const Conditions&) const = default;
};

struct AuthenticationStrength {
  std::string id;
  std::string display_name;
  // Each one method, or several that belong together: `password,sms`. Empty: those of the built-in
  // strength of this id.
  std::vector<std::string> allowed_combinations;
  OtherMembers other;

  bool operator==(const AuthenticationStrength&) const = default;
};

struct GrantControls {
  std::optional<GrantOperator> combination;  // nullopt: all are required
  TermList<BuiltInControl> built_in;
  std::vector<std::string> custom_factors;
  std::vector<std::string> terms_of_use;
  std::optional<AuthenticationStrength> strength;
  OtherMembers other;  // also an operator that is neither AND nor OR

  bool operator==(const GrantControls&) const = default;
};

struct SignInFrequency {
  std::optional<int> value;  // of `unit`; must be there where the interval is time based
  std::optional<FrequencyUnit> unit;
  FrequencyInterval interval = FrequencyInterval::kTimeBased;
  FrequencyAuthentication authentication = FrequencyAuthentication::kPrimaryAndSecondary;
  bool enabled = true;

  bool operator==(const SignInFrequency&) const = default;
};

struct SessionControls {
  std::optional<SignInFrequency> sign_in_frequency;
  std::optional<bool> secure_sign_in_session;  // the token must be bound to who presents it
  OtherMembers without_effect;  // understood, and nothing that a certificate could have
  OtherMembers other;

  bool operator==(const SessionControls&) const = default;
};

struct ConditionalAccessPolicy {
  std::string id;  // empty in templates
  std::string display_name;
  std::string template_id;
  std::string created;   // RFC 3339, or empty
  std::string modified;  // the same
  PolicyState state = PolicyState::kDisabled;
  Conditions conditions;
  std::optional<GrantControls> grant;
  std::optional<SessionControls> session;

  bool operator==(const ConditionalAccessPolicy&) const = default;
};

// Something in a policy that cannot be enforced.
struct NotUnderstood {
  std::string path;  // `conditions.times`
  std::string why;   // for people

  bool operator==(const NotUnderstood&) const = default;
};

// All that is in conditions and session controls and is not understood: while the policy may apply,
// it is not satisfied. In the order of the policy's members. The device filter's rule is among it
// where it cannot be parsed. A pure function.
std::vector<NotUnderstood> NotUnderstoodConditions(const ConditionalAccessPolicy& policy);

// All that is in grant controls and is not understood: each is a control that nobody satisfies.
std::vector<NotUnderstood> NotUnderstoodControls(const ConditionalAccessPolicy& policy);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_POLICY_H_
