#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "issuance/access/graph/readers.h"

namespace hourglass::access {
namespace {

void PutText(const char* name, const std::string& text, Json* object) {
  (*object)[name] = text.empty() ? Json() : Json(text);
}

template <typename Enum>
std::vector<std::string> NamesOf(const TermList<Enum>& terms) {
  std::vector<std::string> names;
  for (const Enum value : terms.values) names.emplace_back(GraphName<Enum>(value));
  names.insert(names.end(), terms.not_understood.begin(), terms.not_understood.end());
  return names;
}

Json GuestsJson(const std::optional<GuestsOrExternalUsers>& guests) {
  if (!guests.has_value()) return nullptr;
  Json json = Json::object();
  json["guestOrExternalUserTypes"] = absl::StrJoin(NamesOf(guests->types), ",");
  if (guests->tenants.has_value()) {
    json["externalTenants"] = {
        {"@odata.type", "#microsoft.graph.conditionalAccessEnumeratedExternalTenants"},
        {"membershipKind", "enumerated"},
        {"members", *guests->tenants}};
  } else {
    json["externalTenants"] = {
        {"@odata.type", "#microsoft.graph.conditionalAccessAllExternalTenants"},
        {"membershipKind", "all"}};
  }
  PutBack(guests->other, &json);
  return json;
}

Json UsersJson(const UserCondition& users) {
  Json json = {{"includeUsers", users.include_users},   {"excludeUsers", users.exclude_users},
               {"includeGroups", users.include_groups}, {"excludeGroups", users.exclude_groups},
               {"includeRoles", users.include_roles},   {"excludeRoles", users.exclude_roles}};
  json["includeGuestsOrExternalUsers"] = GuestsJson(users.include_guests);
  json["excludeGuestsOrExternalUsers"] = GuestsJson(users.exclude_guests);
  PutBack(users.other, &json);
  return json;
}

Json ApplicationsJson(const ApplicationCondition& applications) {
  Json json = {
      {"includeApplications", applications.include},
      {"excludeApplications", applications.exclude},
      {"includeUserActions", applications.user_actions},
      {"includeAuthenticationContextClassReferences", applications.authentication_contexts}};
  PutBack(applications.other, &json);
  return json;
}

Json DevicesJson(const std::optional<DeviceCondition>& devices) {
  if (!devices.has_value()) return nullptr;
  Json json = Json::object();
  json["deviceFilter"] = nullptr;
  if (devices->filter.has_value()) {
    json["deviceFilter"] = {{"mode", std::string(GraphName(devices->filter->mode))},
                            {"rule", devices->filter->rule}};
  }
  PutBack(devices->other, &json);
  return json;
}

void PutConditions(const Conditions& conditions, Json* json) {
  (*json)["platforms"] = nullptr;
  if (conditions.platforms.has_value()) {
    Json platforms = {{"includePlatforms", NamesOf(conditions.platforms->include)},
                      {"excludePlatforms", NamesOf(conditions.platforms->exclude)}};
    PutBack(conditions.platforms->other, &platforms);
    (*json)["platforms"] = std::move(platforms);
  }
  (*json)["locations"] = nullptr;
  if (conditions.locations.has_value()) {
    Json locations = {{"includeLocations", conditions.locations->include},
                      {"excludeLocations", conditions.locations->exclude}};
    PutBack(conditions.locations->other, &locations);
    (*json)["locations"] = std::move(locations);
  }
  if (conditions.authentication_flows.has_value()) {
    Json flows = {
        {"transferMethods", absl::StrJoin(NamesOf(conditions.authentication_flows->methods), ",")}};
    PutBack(conditions.authentication_flows->other, &flows);
    (*json)["authenticationFlows"] = std::move(flows);
  }
}

Json ConditionsJson(const Conditions& conditions) {
  Json json = {{"users", UsersJson(conditions.users)},
               {"applications", ApplicationsJson(conditions.applications)},
               {"clientAppTypes", NamesOf(conditions.client_apps)},
               {"devices", DevicesJson(conditions.devices)},
               {"signInRiskLevels", NamesOf(conditions.sign_in_risk)},
               {"userRiskLevels", NamesOf(conditions.user_risk)}};
  if (!conditions.insider_risk.empty()) {
    json["insiderRiskLevels"] = absl::StrJoin(NamesOf(conditions.insider_risk), ",");
  }
  PutConditions(conditions, &json);
  PutBack(conditions.other, &json);
  return json;
}

Json GrantJson(const std::optional<GrantControls>& grant) {
  if (!grant.has_value()) return nullptr;
  Json json = {{"builtInControls", NamesOf(grant->built_in)},
               {"customAuthenticationFactors", grant->custom_factors},
               {"termsOfUse", grant->terms_of_use}};
  json["operator"] =
      grant->combination.has_value() ? Json(std::string(GraphName(*grant->combination))) : Json();
  json["authenticationStrength"] = nullptr;
  if (grant->strength.has_value()) {
    Json strength = {{"id", grant->strength->id},
                     {"displayName", grant->strength->display_name},
                     {"allowedCombinations", grant->strength->allowed_combinations}};
    PutBack(grant->strength->other, &strength);
    json["authenticationStrength"] = std::move(strength);
  }
  PutBack(grant->other, &json);
  return json;
}

Json SessionJson(const std::optional<SessionControls>& session) {
  if (!session.has_value()) return nullptr;
  Json json = Json::object();
  if (session->sign_in_frequency.has_value()) {
    const SignInFrequency& frequency = *session->sign_in_frequency;
    Json written = {{"isEnabled", frequency.enabled},
                    {"frequencyInterval", std::string(GraphName(frequency.interval))},
                    {"authenticationType", std::string(GraphName(frequency.authentication))}};
    written["value"] = frequency.value.has_value() ? Json(*frequency.value) : Json();
    written["type"] =
        frequency.unit.has_value() ? Json(std::string(GraphName(*frequency.unit))) : Json();
    json["signInFrequency"] = std::move(written);
  }
  if (session->secure_sign_in_session.has_value()) {
    json["secureSignInSession"] = {{"isEnabled", *session->secure_sign_in_session}};
  }
  PutBack(session->without_effect, &json);
  PutBack(session->other, &json);
  return json;
}

}  // namespace

void PutBack(const OtherMembers& members, Json* object) {
  for (const auto& [name, text] : members) {
    Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!value.is_discarded()) (*object)[name] = std::move(value);
  }
}

Json PolicyJson(const ConditionalAccessPolicy& policy) {
  Json json = {{"@odata.type", "#microsoft.graph.conditionalAccessPolicy"},
               {"displayName", policy.display_name},
               {"state", std::string(GraphName(policy.state))},
               {"conditions", ConditionsJson(policy.conditions)},
               {"grantControls", GrantJson(policy.grant)},
               {"sessionControls", SessionJson(policy.session)}};
  PutText("id", policy.id, &json);
  PutText("templateId", policy.template_id, &json);
  PutText("createdDateTime", policy.created, &json);
  PutText("modifiedDateTime", policy.modified, &json);
  return json;
}

Json LocationJson(const NamedLocation& location) {
  Json json = {{"displayName", location.display_name}};
  PutText("id", location.id, &json);
  PutText("createdDateTime", location.created, &json);
  PutText("modifiedDateTime", location.modified, &json);
  if (const auto* const network = std::get_if<IpLocation>(&location.place)) {
    json["@odata.type"] = "#microsoft.graph.ipNamedLocation";
    json["isTrusted"] = network->trusted;
    json["ipRanges"] = Json::array();
    for (const IpRange& range : network->ranges) {
      json["ipRanges"].push_back(
          {{"@odata.type", range.address.is_v4() ? "#microsoft.graph.iPv4CidrRange"
                                                 : "#microsoft.graph.iPv6CidrRange"},
           {"cidrAddress", IpRangeText(range)}});
    }
  } else if (const auto* const area = std::get_if<CountryLocation>(&location.place)) {
    json["@odata.type"] = "#microsoft.graph.countryNamedLocation";
    json["countriesAndRegions"] = area->countries;
    json["includeUnknownCountriesAndRegions"] = area->include_unknown;
    json["countryLookupMethod"] = std::string(GraphName(area->lookup));
  } else {
    json["@odata.type"] = std::get<OtherLocation>(location.place).type;
  }
  return json;
}

Json CompliancePolicyJson(const CompliancePolicy& policy) {
  Json json = {{"@odata.type", absl::StrCat("#microsoft.graph.", policy.type)},
               {"displayName", policy.display_name}};
  PutText("id", policy.id, &json);
  PutText("description", policy.description, &json);
  PutText("createdDateTime", policy.created, &json);
  PutText("lastModifiedDateTime", policy.modified, &json);
  for (const auto& [name, value] : policy.settings) {
    std::visit([&json, &name = name](const auto& known) { json[name] = known; }, value);
  }
  json["validOperatingSystemBuildRanges"] = Json::array();
  for (const BuildRange& range : policy.build_ranges) {
    Json written = {{"lowOSVersion", range.lowest}, {"highOSVersion", range.highest}};
    PutText("description", range.description, &written);
    json["validOperatingSystemBuildRanges"].push_back(std::move(written));
  }
  if (policy.actions.has_value()) {
    Json actions = Json::array();
    for (const ScheduledAction& action : *policy.actions) {
      actions.push_back({{"actionType", action.type}, {"gracePeriodHours", action.grace_hours}});
    }
    json["scheduledActionsForRule"] =
        Json::array({{{"ruleName", "PasswordRequired"},
                      {"scheduledActionConfigurations", std::move(actions)}}});
  }
  PutBack(policy.other, &json);
  return json;
}

}  // namespace hourglass::access
