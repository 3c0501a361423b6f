#include "issuance/access/prepared_policy.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "issuance/access/authentication_strengths.h"
#include "issuance/access/special_ids.h"

namespace hourglass::access {
namespace {

std::vector<std::string> Folded(const std::vector<std::string>& ids) {
  std::vector<std::string> folded;
  std::transform(ids.begin(), ids.end(), std::back_inserter(folded),
                 [](const std::string& id) { return absl::AsciiStrToLower(id); });
  return folded;
}

bool Names(const std::vector<std::string>& ids, absl::string_view name) {
  return std::any_of(ids.begin(), ids.end(),
                     [name](const std::string& id) { return absl::EqualsIgnoreCase(id, name); });
}

Selection Select(const std::vector<std::string>& users, const std::vector<std::string>& groups,
                 const std::vector<std::string>& roles,
                 const std::optional<GuestsOrExternalUsers>& guests) {
  Selection selection;
  selection.everybody = Names(users, kAll);
  selection.all_guests = Names(users, kGuests);
  for (std::string& id : Folded(users)) {
    const bool is_word = absl::EqualsIgnoreCase(id, kAll) || absl::EqualsIgnoreCase(id, kNone) ||
                         absl::EqualsIgnoreCase(id, kGuests);
    if (!is_word) selection.users.push_back(std::move(id));
  }
  selection.groups = Folded(groups);
  selection.roles = Folded(roles);
  selection.guests = guests;
  if (guests.has_value()) {
    if (guests->tenants.has_value()) selection.guest_tenants = IdSet(*guests->tenants);
    selection.open = !guests->other.empty() || !guests->types.not_understood.empty();
  }
  return selection;
}

template <typename Enum>
std::uint32_t BitOf(Enum value) {
  return 1U << static_cast<int>(value);
}

template <typename Enum>
ValueSet SetOf(const TermList<Enum>& terms, Enum first, Enum last) {
  ValueSet set;
  set.configured = !terms.empty();
  set.open = !terms.not_understood.empty();
  for (const Enum value : terms.values) set.mask |= BitOf(value);
  for (int i = static_cast<int>(first); i <= static_cast<int>(last); ++i) {
    set.everything |= 1U << i;
  }
  return set;
}

ValueSet ClientAppsOf(const TermList<ClientApp>& terms) {
  ValueSet set = SetOf(terms, ClientApp::kBrowser, ClientApp::kOther);
  if ((set.mask & BitOf(ClientApp::kAll)) != 0) set.mask = set.everything;
  // Exchange ActiveSync on platforms that are supported is Exchange ActiveSync.
  if ((set.mask & BitOf(ClientApp::kExchangeActiveSync)) != 0) {
    set.mask |= BitOf(ClientApp::kEasSupported);
  }
  return set;
}

ValueSet PlatformsOf(const TermList<Platform>& terms) {
  ValueSet set = SetOf(terms, Platform::kAndroid, Platform::kUnlisted);
  if ((set.mask & BitOf(Platform::kAll)) != 0) set.mask = set.everything;
  return set;
}

// Hidden levels are not known ones, so that a list need not have it to have all.
ValueSet RisksOf(const TermList<RiskLevel>& terms) {
  return SetOf(terms, RiskLevel::kNone, RiskLevel::kHigh);
}

// `none` says that no flow was chosen.
ValueSet FlowsOf(const AuthenticationFlowCondition& flows) {
  ValueSet set =
      SetOf(flows.methods, TransferMethod::kNone, TransferMethod::kAuthenticationTransfer);
  set.mask &= ~BitOf(TransferMethod::kNone);
  set.open |= !flows.other.empty();
  set.configured = set.mask != 0;
  return set;
}

Truth IsAbout(const std::vector<std::string>& ids, const AccessOptions& options) {
  Truth truth = Truth::kNo;
  for (const std::string& id : ids) {
    if (absl::EqualsIgnoreCase(id, kAll) || Names(options.vpn_applications, id)) return Truth::kYes;
    if (IsGroupOfApplications(id)) continue;
    if (!LooksLikeId(id) || options.vpn_applications.empty()) truth = Truth::kUnknown;
  }
  return truth;
}

Truth IsAbout(const ApplicationCondition& applications, const AccessOptions& options) {
  Truth include = IsAbout(applications.include, options);
  if (!applications.other.empty()) include = Or(include, Truth::kUnknown);
  return And(include, Not(IsAbout(applications.exclude, options)));
}

void PrepareConditions(const Conditions& conditions, const PreparedLocations& locations,
                       PreparedPolicy* policy) {
  const UserCondition& users = conditions.users;
  policy->include_users =
      Select(users.include_users, users.include_groups, users.include_roles, users.include_guests);
  policy->include_users.open |= !users.other.empty();
  policy->exclude_users =
      Select(users.exclude_users, users.exclude_groups, users.exclude_roles, users.exclude_guests);
  policy->client_apps = ClientAppsOf(conditions.client_apps);
  if (conditions.platforms.has_value()) {
    policy->include_platforms = PlatformsOf(conditions.platforms->include);
    policy->include_platforms.open |= !conditions.platforms->other.empty();
    policy->exclude_platforms = PlatformsOf(conditions.platforms->exclude);
  }
  if (conditions.locations.has_value()) {
    policy->has_locations = true;
    policy->include_locations = locations.Choose(conditions.locations->include);
    policy->include_locations.anywhere |= conditions.locations->include.empty();
    policy->include_locations.open |= !conditions.locations->other.empty();
    policy->exclude_locations = locations.Choose(conditions.locations->exclude);
  }
  policy->sign_in_risk = RisksOf(conditions.sign_in_risk);
  policy->user_risk = RisksOf(conditions.user_risk);
  policy->insider_risk =
      SetOf(conditions.insider_risk, InsiderRiskLevel::kNone, InsiderRiskLevel::kElevated);
  if (conditions.authentication_flows.has_value()) {
    policy->transfer_methods = FlowsOf(*conditions.authentication_flows);
  }
  policy->other_conditions = !conditions.other.empty();
}

void PrepareDevices(const DeviceCondition& devices, PreparedPolicy* policy) {
  policy->has_devices = true;
  policy->devices_open = !devices.other.empty();
  if (!devices.filter.has_value()) return;
  policy->filter_mode = devices.filter->mode;
  auto rule = FilterRule::Parse(devices.filter->rule);
  if (rule.ok()) {
    policy->filter = *std::move(rule);
  } else {
    policy->devices_open = true;
  }
}

ControlKind KindOf(BuiltInControl control) {
  switch (control) {
    case BuiltInControl::kBlock:
      return ControlKind::kBlock;
    case BuiltInControl::kMfa:
      return ControlKind::kMfa;
    case BuiltInControl::kCompliantDevice:
      return ControlKind::kCompliantDevice;
    case BuiltInControl::kDomainJoinedDevice:
      return ControlKind::kDomainJoinedDevice;
    case BuiltInControl::kApprovedApplication:
      return ControlKind::kApprovedApplication;
    case BuiltInControl::kCompliantApplication:
      return ControlKind::kCompliantApplication;
    case BuiltInControl::kPasswordChange:
      return ControlKind::kPasswordChange;
    case BuiltInControl::kRiskRemediation:
      return ControlKind::kRiskRemediation;
  }
  return ControlKind::kNotUnderstood;
}

void PrepareStrength(const AuthenticationStrength& strength, PreparedPolicy* policy) {
  // One with members that are not understood is among what is not understood already, and asks for
  // more than its combinations.
  if (!strength.other.empty()) return;
  PreparedControl control{ControlKind::kAuthenticationStrength, strength.id, {}};
  for (const std::string& combination : CombinationsOf(strength)) {
    control.combinations.push_back(
        absl::StrSplit(absl::AsciiStrToLower(combination), ',', absl::SkipWhitespace()));
    for (std::string& method : control.combinations.back()) absl::StripAsciiWhitespace(&method);
  }
  policy->grant.push_back(std::move(control));
}

void PrepareGrant(const GrantControls& grant, PreparedPolicy* policy) {
  policy->combination = grant.combination.value_or(GrantOperator::kAnd);
  for (const BuiltInControl control : grant.built_in.values) {
    if (control == BuiltInControl::kBlock) {
      policy->blocks = true;
    } else {
      policy->grant.push_back({KindOf(control), "", {}});
    }
  }
  if (grant.strength.has_value()) PrepareStrength(*grant.strength, policy);
  for (const std::string& id : grant.terms_of_use) {
    policy->grant.push_back({ControlKind::kTermsOfUse, absl::AsciiStrToLower(id), {}});
  }
  for (const std::string& id : grant.custom_factors) {
    policy->grant.push_back({ControlKind::kCustomFactor, absl::AsciiStrToLower(id), {}});
  }
  for (NotUnderstood& one : NotUnderstoodControls(*policy->source)) {
    policy->grant.push_back({ControlKind::kNotUnderstood, std::move(one.path), {}});
  }
  std::stable_sort(
      policy->grant.begin(), policy->grant.end(),
      [](const PreparedControl& a, const PreparedControl& b) { return a.kind < b.kind; });
}

void PrepareSession(const SessionControls& session, PreparedPolicy* policy) {
  if (const auto& frequency = session.sign_in_frequency; frequency.has_value()) {
    // One that does not say how often is among what is not understood.
    const bool says_how_often = frequency->interval == FrequencyInterval::kEveryTime ||
                                (frequency->value.has_value() && frequency->unit.has_value());
    if (frequency->enabled && says_how_often) {
      policy->session.push_back({ControlKind::kSignInFrequency, "", {}});
    }
  }
  if (session.secure_sign_in_session.value_or(false)) {
    policy->session.push_back({ControlKind::kSecureSignInSession, "", {}});
  }
}

}  // namespace

PreparedPolicy PreparePolicy(const ConditionalAccessPolicy& source,
                             const PreparedLocations& locations, const AccessOptions& options) {
  PreparedPolicy policy;
  policy.source = &source;
  policy.enforced = source.state == PolicyState::kEnabled;
  policy.applications = IsAbout(source.conditions.applications, options);
  PrepareConditions(source.conditions, locations, &policy);
  if (source.conditions.devices.has_value()) PrepareDevices(*source.conditions.devices, &policy);
  if (source.grant.has_value()) PrepareGrant(*source.grant, &policy);
  if (source.session.has_value()) PrepareSession(*source.session, &policy);
  for (NotUnderstood& one : NotUnderstoodConditions(source)) {
    policy.not_understood.push_back({ControlKind::kNotUnderstood, std::move(one.path), {}});
  }
  return policy;
}

}  // namespace hourglass::access
