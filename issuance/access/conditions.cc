#include "issuance/access/conditions.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace hourglass::access {
namespace {

Truth Opened(Truth truth, bool open) { return open ? Or(truth, Truth::kUnknown) : truth; }

template <typename Enum>
std::optional<Enum> Fact(const std::optional<Enum>& known, const std::optional<Enum>& assumed) {
  return known.has_value() ? known : assumed;
}

// Whether the fact is in the set. A set of all values has it even where it is not known.
template <typename Enum>
Truth IsOneOf(const ValueSet& set, const std::optional<Enum>& fact) {
  if (set.mask == 0 && !set.open) return Truth::kNo;
  if ((set.mask & set.everything) == set.everything) return Truth::kYes;
  if (!fact.has_value()) return Truth::kUnknown;
  return Opened(Known((set.mask >> static_cast<int>(*fact) & 1) != 0), set.open);
}

// The same of a condition that holds for everything while nothing is configured.
template <typename Enum>
Truth Holds(const ValueSet& set, const std::optional<Enum>& fact) {
  return set.configured || set.open ? IsOneOf(set, fact) : Truth::kYes;
}

// A hidden level is one that the tenant may not see.
Truth RiskHolds(const ValueSet& set, const std::optional<RiskLevel>& fact) {
  if (fact != RiskLevel::kHidden) return Holds(set, fact);
  return Or(Holds(set, std::optional<RiskLevel>()),
            Known((set.mask >> static_cast<int>(RiskLevel::kHidden) & 1) != 0));
}

Truth IsOneOf(const std::vector<std::string>& folded_ids, const std::optional<IdSet>& fact) {
  if (folded_ids.empty()) return Truth::kNo;
  if (!fact.has_value()) return Truth::kUnknown;
  for (const std::string& id : folded_ids) {
    if (fact->HasFolded(id)) return Truth::kYes;
  }
  return Truth::kNo;
}

Truth IsOneOf(const std::vector<std::string>& ids, const std::optional<std::string>& fact) {
  if (ids.empty()) return Truth::kNo;
  if (!fact.has_value()) return Truth::kUnknown;
  for (const std::string& id : ids) {
    if (absl::EqualsIgnoreCase(id, *fact)) return Truth::kYes;
  }
  return Truth::kNo;
}

Truth IsGuest(const Selection& selection, const UserFacts& user) {
  const Truth is_guest =
      user.type.has_value() ? Known(*user.type != UserType::kMember) : Truth::kUnknown;
  if (selection.all_guests || !selection.guests.has_value()) {
    return And(Known(selection.all_guests), is_guest);
  }
  const std::vector<UserType>& types = selection.guests->types.values;
  const auto is_among = [&types](UserType type) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  const Truth of_type = user.type.has_value() ? Known(is_among(*user.type)) : Truth::kUnknown;
  // A guest of the tenant's own has no other home.
  if (!selection.guests->tenants.has_value() || user.type == UserType::kInternalGuest) {
    return of_type;
  }
  const Truth from_there = user.home_tenant.has_value()
                               ? Known(selection.guest_tenants.Has(*user.home_tenant))
                               : Truth::kUnknown;
  const bool may_need_no_home = !user.type.has_value() && is_among(UserType::kInternalGuest);
  return And(of_type, Opened(from_there, may_need_no_home));
}

Truth IsIn(const Selection& selection, const UserFacts& user) {
  if (selection.everybody) return Truth::kYes;
  Truth truth = IsOneOf(selection.users, user.id);
  truth = Or(truth, IsOneOf(selection.groups, user.groups));
  truth = Or(truth, IsOneOf(selection.roles, user.roles));
  return Opened(Or(truth, IsGuest(selection, user)), selection.open);
}

Truth UsersHold(const PreparedPolicy& policy, const UserFacts& user) {
  const Truth included = IsIn(policy.include_users, user);
  if (included == Truth::kNo) return included;
  return And(included, Not(IsIn(policy.exclude_users, user)));
}

Truth DevicesHold(const PreparedPolicy& policy, const DeviceView& device) {
  Truth truth = Truth::kYes;
  if (policy.filter.has_value()) {
    const Truth matches = policy.filter->Matches(device);
    truth = policy.filter_mode == FilterMode::kInclude ? matches : Not(matches);
  }
  return policy.devices_open ? And(truth, Truth::kUnknown) : truth;
}

Truth LocationsHold(const PreparedPolicy& policy, Whereabouts* whereabouts) {
  return And(whereabouts->IsIn(policy.include_locations),
             Not(whereabouts->IsIn(policy.exclude_locations)));
}

Truth PlatformsHold(const PreparedPolicy& policy, const std::optional<Platform>& platform) {
  return And(Holds(policy.include_platforms, platform),
             Not(IsOneOf(policy.exclude_platforms, platform)));
}

Truth ConditionHolds(Condition condition, const PreparedPolicy& policy, Circumstances* at) {
  const SignInFacts& sign_in = at->facts.sign_in;
  const AssumedFacts& assumed = at->assumed;
  switch (condition) {
    case Condition::kApplications:
      return policy.applications;
    case Condition::kUsers:
      return UsersHold(policy, at->facts.user);
    case Condition::kClientApps:
      return Holds(policy.client_apps, Fact(sign_in.client_app, assumed.client_app));
    case Condition::kPlatforms:
      return PlatformsHold(policy, at->facts.device.platform);
    case Condition::kLocations:
      return policy.has_locations ? LocationsHold(policy, &at->whereabouts) : Truth::kYes;
    case Condition::kDevices:
      return policy.has_devices ? DevicesHold(policy, at->device) : Truth::kYes;
    case Condition::kSignInRisk:
      return RiskHolds(policy.sign_in_risk, Fact(sign_in.sign_in_risk, assumed.sign_in_risk));
    case Condition::kUserRisk:
      return RiskHolds(policy.user_risk, Fact(sign_in.user_risk, assumed.user_risk));
    case Condition::kInsiderRisk:
      return Holds(policy.insider_risk, Fact(sign_in.insider_risk, assumed.insider_risk));
    case Condition::kAuthenticationFlows:
      return Holds(policy.transfer_methods, Fact(sign_in.transfer_method, assumed.transfer_method));
    case Condition::kOther:
      return policy.other_conditions ? Truth::kUnknown : Truth::kYes;
    case Condition::kNone:
    case Condition::kState:
      break;
  }
  return Truth::kYes;
}

}  // namespace

void ApplyConditions(const PreparedPolicy& policy, Circumstances* circumstances,
                     PolicyResult* result) {
  Truth all = Truth::kYes;
  for (int i = static_cast<int>(Condition::kApplications); i <= static_cast<int>(Condition::kOther);
       ++i) {
    const auto condition = static_cast<Condition>(i);
    const Truth holds = ConditionHolds(condition, policy, circumstances);
    if (holds == Truth::kNo) {
      result->application = Application::kNotApplied;
      result->excluded_by = condition;
      result->not_known = 0;
      return;
    }
    if (holds == Truth::kUnknown) result->not_known |= 1U << i;
    all = And(all, holds);
  }
  result->application = all == Truth::kYes ? Application::kApplies : Application::kPossiblyApplies;
}

}  // namespace hourglass::access
