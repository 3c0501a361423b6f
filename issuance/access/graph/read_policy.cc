#include <algorithm>
#include <utility>
#include <vector>

#include "issuance/access/graph/readers.h"

namespace hourglass::access {
namespace {

std::optional<GuestsOrExternalUsers> ReadGuests(std::optional<Members> members) {
  if (!members.has_value()) return std::nullopt;
  GuestsOrExternalUsers guests;
  guests.types = members->Terms<UserType>("guestOrExternalUserTypes");
  // A flag of its own, which says that there are none.
  std::erase(guests.types.not_understood, "none");
  if (std::optional<Members> tenants = members->Object("externalTenants"); tenants.has_value()) {
    const std::string kind = absl::AsciiStrToLower(tenants->Text("membershipKind"));
    std::vector<std::string> listed = tenants->Texts("members");
    if (kind == "enumerated") {
      guests.tenants = std::move(listed);
    } else if (kind != "all" || !listed.empty() || !tenants->Rest().empty()) {
      guests.other["externalTenants"] = CompactJson(*members->Take("externalTenants"));
    }
  }
  guests.other.merge(members->Rest());
  return guests;
}

UserCondition ReadUsers(Members members) {
  UserCondition users;
  users.include_users = members.Texts("includeUsers");
  users.exclude_users = members.Texts("excludeUsers");
  users.include_groups = members.Texts("includeGroups");
  users.exclude_groups = members.Texts("excludeGroups");
  users.include_roles = members.Texts("includeRoles");
  users.exclude_roles = members.Texts("excludeRoles");
  users.include_guests = ReadGuests(members.Object("includeGuestsOrExternalUsers"));
  users.exclude_guests = ReadGuests(members.Object("excludeGuestsOrExternalUsers"));
  users.other = members.Rest();
  return users;
}

ApplicationCondition ReadApplications(Members members) {
  ApplicationCondition applications;
  applications.include = members.Texts("includeApplications");
  applications.exclude = members.Texts("excludeApplications");
  applications.user_actions = members.Texts("includeUserActions");
  applications.authentication_contexts =
      members.Texts("includeAuthenticationContextClassReferences");
  applications.other = members.Rest();
  return applications;
}

std::optional<DeviceCondition> ReadDevices(std::optional<Members> members) {
  if (!members.has_value()) return std::nullopt;
  DeviceCondition devices;
  if (std::optional<Members> filter = members->Object("deviceFilter"); filter.has_value()) {
    const auto mode = filter->Term<FilterMode>("mode");
    std::string rule = filter->Text("rule");
    if (mode.has_value() && filter->Rest().empty()) {
      devices.filter = DeviceFilter{*mode, std::move(rule)};
    } else {
      devices.other["deviceFilter"] = CompactJson(*members->Take("deviceFilter"));
    }
  }
  devices.other.merge(members->Rest());
  return devices;
}

std::optional<PlatformCondition> ReadPlatforms(std::optional<Members> members) {
  if (!members.has_value()) return std::nullopt;
  PlatformCondition platforms;
  platforms.include = members->Terms<Platform>("includePlatforms");
  platforms.exclude = members->Terms<Platform>("excludePlatforms");
  platforms.other = members->Rest();
  return platforms;
}

std::optional<LocationCondition> ReadLocations(std::optional<Members> members) {
  if (!members.has_value()) return std::nullopt;
  LocationCondition locations;
  locations.include = members->Texts("includeLocations");
  locations.exclude = members->Texts("excludeLocations");
  locations.other = members->Rest();
  return locations;
}

std::optional<AuthenticationFlowCondition> ReadFlows(std::optional<Members> members) {
  if (!members.has_value()) return std::nullopt;
  AuthenticationFlowCondition flows;
  flows.methods = members->Terms<TransferMethod>("transferMethods");
  flows.other = members->Rest();
  return flows;
}

Conditions ReadConditions(Members members) {
  Conditions conditions;
  conditions.users = ReadUsers(members.RequiredObject("users"));
  conditions.applications = ReadApplications(members.RequiredObject("applications"));
  conditions.client_apps = members.Terms<ClientApp>("clientAppTypes");
  conditions.platforms = ReadPlatforms(members.Object("platforms"));
  conditions.locations = ReadLocations(members.Object("locations"));
  conditions.devices = ReadDevices(members.Object("devices"));
  conditions.sign_in_risk = members.Terms<RiskLevel>("signInRiskLevels");
  conditions.user_risk = members.Terms<RiskLevel>("userRiskLevels");
  conditions.insider_risk = members.Terms<InsiderRiskLevel>("insiderRiskLevels");
  conditions.authentication_flows = ReadFlows(members.Object("authenticationFlows"));
  conditions.other = members.Rest();
  return conditions;
}

std::optional<AuthenticationStrength> ReadStrength(std::optional<Members> members) {
  if (!members.has_value()) return std::nullopt;
  AuthenticationStrength strength;
  strength.id = members->RequiredText("id");
  strength.display_name = members->Text("displayName");
  strength.allowed_combinations = members->Texts("allowedCombinations");
  members->Pass({"createdDateTime", "modifiedDateTime", "description", "policyType",
                 "requirementsSatisfied"});
  strength.other = members->Rest();
  return strength;
}

std::optional<GrantControls> ReadGrant(std::optional<Members> members) {
  if (!members.has_value()) return std::nullopt;
  GrantControls grant;
  const std::string combination = members->Text("operator");
  grant.combination = FromGraphName<GrantOperator>(combination);
  grant.built_in = members->Terms<BuiltInControl>("builtInControls");
  grant.custom_factors = members->Texts("customAuthenticationFactors");
  grant.terms_of_use = members->Texts("termsOfUse");
  grant.strength = ReadStrength(members->Object("authenticationStrength"));
  grant.other = members->Rest();
  if (!combination.empty() && !grant.combination.has_value()) {
    grant.other["operator"] = CompactJson(combination);
  }
  return grant;
}

// What cannot be understood of a frequency makes all of it so.
void ReadFrequency(Members members, const Json& json, SessionControls* session) {
  SignInFrequency frequency;
  frequency.enabled = members.Flag("isEnabled").value_or(true);
  frequency.value = members.Number("value");
  const std::string unit = members.Text("type");
  const std::string interval = members.Text("frequencyInterval");
  const std::string authentication = members.Text("authenticationType");
  frequency.unit = FromGraphName<FrequencyUnit>(unit);
  const auto known_interval = FromGraphName<FrequencyInterval>(interval);
  const auto known_authentication = FromGraphName<FrequencyAuthentication>(authentication);
  frequency.interval = known_interval.value_or(FrequencyInterval::kTimeBased);
  frequency.authentication =
      known_authentication.value_or(FrequencyAuthentication::kPrimaryAndSecondary);
  const bool understood = (unit.empty() || frequency.unit.has_value()) &&
                          (interval.empty() || known_interval.has_value()) &&
                          (authentication.empty() || known_authentication.has_value()) &&
                          members.Rest().empty();
  if (understood || !frequency.enabled) {
    session->sign_in_frequency = frequency;
  } else {
    session->other["signInFrequency"] = CompactJson(json);
  }
}

// A session control that is switched off, whatever it is.
bool IsOff(const Json& json) {
  return json.is_object() && json.contains("isEnabled") && json["isEnabled"] == false;
}

std::optional<SessionControls> ReadSession(std::optional<Members> members) {
  if (!members.has_value()) return std::nullopt;
  SessionControls session;
  if (std::optional<Members> frequency = members->Object("signInFrequency");
      frequency.has_value()) {
    ReadFrequency(*std::move(frequency), *members->Take("signInFrequency"), &session);
  }
  if (std::optional<Members> secure = members->Object("secureSignInSession"); secure.has_value()) {
    session.secure_sign_in_session = secure->Flag("isEnabled").value_or(true);
  }
  // A certificate has no browser's cookies, and nothing here is lenient in an outage.
  for (const char* const name : {"persistentBrowser", "disableResilienceDefaults"}) {
    const Json* const json = members->Take(name);
    if (json != nullptr) session.without_effect[name] = CompactJson(*json);
  }
  for (auto& [name, json] : members->Rest()) {
    const bool is_off = IsOff(*members->Take(name));
    (is_off ? session.without_effect : session.other)[name] = std::move(json);
  }
  return session;
}

void Tell(const std::string& path, const std::vector<NotUnderstood>& list,
          std::vector<Notice>* notices) {
  for (const NotUnderstood& one : list) {
    notices->push_back(
        {Notice::Kind::kNotEnforced, absl::StrCat(path, path.empty() ? "" : ".", one.path),
         absl::StrCat(one.why, ", so the policy is not satisfied where it applies")});
  }
}

void TellIgnored(const Members& members, const ConditionalAccessPolicy& policy,
                 std::vector<Notice>* notices) {
  if (policy.session.has_value()) {
    for (const auto& [name, json] : policy.session->without_effect) {
      notices->push_back({Notice::Kind::kIgnored,
                          members.PathOf(absl::StrCat("sessionControls.", name)),
                          "has no effect on certificates"});
    }
  }
  for (const auto& [name, json] : members.Rest()) {
    notices->push_back({Notice::Kind::kIgnored, members.PathOf(name), "is no part of a policy"});
  }
}

// Graph lets passwordChange stand beside mfa only, for risky users and all applications.
void TellPasswordChange(const std::string& path, const ConditionalAccessPolicy& policy,
                        std::vector<Notice>* notices) {
  if (!policy.grant.has_value()) return;
  const std::vector<BuiltInControl>& controls = policy.grant->built_in.values;
  const auto has = [&controls](BuiltInControl control) {
    return std::find(controls.begin(), controls.end(), control) != controls.end();
  };
  if (!has(BuiltInControl::kPasswordChange)) return;
  const bool is_sound = has(BuiltInControl::kMfa) &&
                        policy.grant->combination != GrantOperator::kOr &&
                        !policy.conditions.user_risk.empty();
  if (is_sound) return;
  notices->push_back({Notice::Kind::kIgnored,
                      absl::StrCat(path, path.empty() ? "" : ".", "grantControls.builtInControls"),
                      "passwordChange belongs beside mfa, by AND, with userRiskLevels; Entra ID "
                      "refuses such a policy"});
}

}  // namespace

ConditionalAccessPolicy ReadPolicy(Members members, std::vector<Notice>* notices) {
  ConditionalAccessPolicy policy;
  policy.id = members.Text("id");
  policy.display_name = members.RequiredText("displayName");
  policy.template_id = members.Text("templateId");
  policy.created = members.Time("createdDateTime");
  policy.modified = members.Time("modifiedDateTime");
  const std::string state = members.RequiredText("state");
  if (const auto known = FromGraphName<PolicyState>(state); known.has_value()) {
    policy.state = *known;
  } else if (!state.empty()) {
    members.Mistake("state", "must be enabled, disabled or enabledForReportingButNotEnforced");
  }
  policy.conditions = ReadConditions(members.RequiredObject("conditions"));
  policy.grant = ReadGrant(members.Object("grantControls"));
  policy.session = ReadSession(members.Object("sessionControls"));
  Tell(members.path(), NotUnderstoodConditions(policy), notices);
  Tell(members.path(), NotUnderstoodControls(policy), notices);
  TellPasswordChange(members.path(), policy, notices);
  TellIgnored(members, policy, notices);
  return policy;
}

}  // namespace hourglass::access
