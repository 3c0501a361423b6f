#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "issuance/access/filter_rule.h"
#include "issuance/access/policy.h"
#include "issuance/access/special_ids.h"

namespace hourglass::access {
namespace {

class Collector {
 public:
  void Add(std::string path, std::string why) {
    found_.push_back({std::move(path), std::move(why)});
  }

  void Members(absl::string_view path, const OtherMembers& members) {
    for (const auto& [name, json] : members) {
      Add(absl::StrCat(path, path.empty() ? "" : ".", name), "it is not understood");
    }
  }

  template <typename Enum>
  void Terms(absl::string_view path, const TermList<Enum>& terms) {
    for (const std::string& text : terms.not_understood) {
      Add(std::string(path), absl::StrCat("\"", text, "\" is not understood"));
    }
  }

  void Applications(absl::string_view path, const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
      if (LooksLikeId(id) || IsGroupOfApplications(id)) continue;
      Add(std::string(path), absl::StrCat("\"", id, "\" is not understood"));
    }
  }

  void Guests(absl::string_view path, const std::optional<GuestsOrExternalUsers>& guests) {
    if (!guests.has_value()) return;
    Terms(absl::StrCat(path, ".guestOrExternalUserTypes"), guests->types);
    Members(path, guests->other);
  }

  std::vector<NotUnderstood> Take() { return std::move(found_); }

 private:
  std::vector<NotUnderstood> found_;
};

void CollectWho(const Conditions& conditions, Collector* found) {
  const UserCondition& users = conditions.users;
  found->Guests("conditions.users.includeGuestsOrExternalUsers", users.include_guests);
  found->Guests("conditions.users.excludeGuestsOrExternalUsers", users.exclude_guests);
  found->Members("conditions.users", users.other);
  const ApplicationCondition& applications = conditions.applications;
  found->Applications("conditions.applications.includeApplications", applications.include);
  found->Applications("conditions.applications.excludeApplications", applications.exclude);
  found->Members("conditions.applications", applications.other);
}

void CollectDevices(const DeviceCondition& devices, Collector* found) {
  if (devices.filter.has_value()) {
    const auto rule = FilterRule::Parse(devices.filter->rule);
    if (!rule.ok()) {
      found->Add("conditions.devices.deviceFilter.rule", std::string(rule.status().message()));
    }
  }
  found->Members("conditions.devices", devices.other);
}

void CollectHow(const Conditions& conditions, Collector* found) {
  found->Terms("conditions.clientAppTypes", conditions.client_apps);
  if (conditions.platforms.has_value()) {
    found->Terms("conditions.platforms.includePlatforms", conditions.platforms->include);
    found->Terms("conditions.platforms.excludePlatforms", conditions.platforms->exclude);
    found->Members("conditions.platforms", conditions.platforms->other);
  }
  if (conditions.locations.has_value()) {
    found->Members("conditions.locations", conditions.locations->other);
  }
  if (conditions.devices.has_value()) CollectDevices(*conditions.devices, found);
  found->Terms("conditions.signInRiskLevels", conditions.sign_in_risk);
  found->Terms("conditions.userRiskLevels", conditions.user_risk);
  found->Terms("conditions.insiderRiskLevels", conditions.insider_risk);
  if (conditions.authentication_flows.has_value()) {
    found->Terms("conditions.authenticationFlows.transferMethods",
                 conditions.authentication_flows->methods);
    found->Members("conditions.authenticationFlows", conditions.authentication_flows->other);
  }
  found->Members("conditions", conditions.other);
}

void CollectSession(const SessionControls& session, Collector* found) {
  if (const auto& frequency = session.sign_in_frequency; frequency.has_value()) {
    const bool has_period = frequency->value.has_value() && frequency->unit.has_value();
    if (frequency->enabled && frequency->interval == FrequencyInterval::kTimeBased && !has_period) {
      found->Add("sessionControls.signInFrequency", "it does not say how often");
    }
  }
  found->Members("sessionControls", session.other);
}

}  // namespace

std::vector<NotUnderstood> NotUnderstoodConditions(const ConditionalAccessPolicy& policy) {
  Collector found;
  CollectWho(policy.conditions, &found);
  CollectHow(policy.conditions, &found);
  if (policy.session.has_value()) CollectSession(*policy.session, &found);
  return found.Take();
}

std::vector<NotUnderstood> NotUnderstoodControls(const ConditionalAccessPolicy& policy) {
  Collector found;
  if (!policy.grant.has_value()) return {};
  found.Terms("grantControls.builtInControls", policy.grant->built_in);
  if (policy.grant->strength.has_value()) {
    found.Members("grantControls.authenticationStrength", policy.grant->strength->other);
  }
  found.Members("grantControls", policy.grant->other);
  return found.Take();
}

}  // namespace hourglass::access
