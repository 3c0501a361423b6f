#include <utility>

#include "issuance/access/compliance/settings.h"
#include "issuance/access/graph/readers.h"
#include "issuance/base/os_version.h"

namespace hourglass::access {
namespace {

// The value of a setting in the type that its form has; a mistake otherwise.
std::optional<SettingValue> ReadSetting(const SettingRow& row, Members* members) {
  switch (row.form) {
    case SettingForm::kOn:
    case SettingForm::kOff:
    case SettingForm::kHealthReport:
    case SettingForm::kNothing:
      if (const auto flag = members->Flag(row.name); flag.has_value()) return *flag;
      return std::nullopt;
    case SettingForm::kLeastNumber:
    case SettingForm::kGreatestNumber:
      if (const auto number = members->Number(row.name); number.has_value()) return *number;
      return std::nullopt;
    default:
      return members->Text(row.name);
  }
}

// Whether a value of the right type is one that can be evaluated.
bool IsUnderstood(const SettingRow& row, const SettingValue& value) {
  switch (row.form) {
    case SettingForm::kLeastVersion:
    case SettingForm::kGreatestVersion:
      return issuance::ParseOsVersion(std::get<std::string>(value)).has_value();
    case SettingForm::kThreat:
      return FromGraphName<ThreatLevel>(std::get<std::string>(value)).has_value();
    case SettingForm::kPassword:
      return FromGraphName<PasswordType>(std::get<std::string>(value)).has_value();
    default:
      return true;
  }
}

void ReadSettings(Members* members, CompliancePolicy* policy) {
  for (const SettingRow& row : SettingRows()) {
    std::optional<SettingValue> value = ReadSetting(row, members);
    if (!value.has_value() || IsNotConfigured(*value)) continue;
    if (IsUnderstood(row, *value)) {
      policy->settings[std::string(row.name)] = *std::move(value);
    } else {
      policy->other[std::string(row.name)] = CompactJson(std::get<std::string>(*value));
    }
  }
}

void ReadBuildRanges(Members* members, CompliancePolicy* policy) {
  for (Members& range : members->Objects("validOperatingSystemBuildRanges")) {
    BuildRange read;
    read.description = range.Text("description");
    read.lowest = range.RequiredText("lowOSVersion");
    read.highest = range.RequiredText("highOSVersion");
    for (const auto& [name, text] :
         {std::pair("lowOSVersion", read.lowest), std::pair("highOSVersion", read.highest)}) {
      if (!text.empty() && !issuance::ParseOsVersion(text).has_value()) {
        range.Mistake(name, "must be one to four numbers with dots between them");
      }
    }
    policy->build_ranges.push_back(std::move(read));
  }
}

void ReadActions(Members* members, CompliancePolicy* policy) {
  if (members->Take("scheduledActionsForRule") == nullptr) return;
  policy->actions.emplace();
  for (Members& rule : members->Objects("scheduledActionsForRule")) {
    for (Members& action : rule.Objects("scheduledActionConfigurations")) {
      ScheduledAction read;
      read.type = action.RequiredText("actionType");
      read.grace_hours = action.Number("gracePeriodHours").value_or(0);
      policy->actions->push_back(std::move(read));
    }
  }
}

// What says that a setting is not configured, of a setting that is not known.
bool SaysNotConfigured(const Json& json) {
  if (json.is_boolean()) return !json.get<bool>();
  return json.is_string() && IsNotConfigured(SettingValue(json.get<std::string>()));
}

void TellOthers(Members* members, CompliancePolicy* policy, std::vector<Notice>* notices) {
  for (auto& [name, json] : members->Rest()) {
    if (!SaysNotConfigured(*members->Take(name))) policy->other[name] = std::move(json);
  }
  for (const auto& [name, json] : policy->other) {
    notices->push_back({Notice::Kind::kNotEnforced, members->PathOf(name),
                        "is not understood, so no device meets the policy"});
  }
  if (!GraceHours(*policy).has_value()) {
    notices->push_back({Notice::Kind::kIgnored, members->PathOf("scheduledActionsForRule"),
                        "has no action block, so there is no grace period; export it by "
                        "$expand=scheduledActionsForRule($expand=scheduledActionConfigurations)"});
  }
}

}  // namespace

CompliancePolicy ReadCompliancePolicy(Members members, std::vector<Notice>* notices) {
  CompliancePolicy policy;
  policy.id = members.Text("id");
  policy.display_name = members.RequiredText("displayName");
  policy.description = members.Text("description");
  policy.created = members.Time("createdDateTime");
  policy.modified = members.Time("lastModifiedDateTime");
  const std::string type = members.Text("@odata.type");
  policy.type = type.substr(type.rfind('.') + 1);  // without `#microsoft.graph.`
  ReadSettings(&members, &policy);
  ReadBuildRanges(&members, &policy);
  ReadActions(&members, &policy);
  members.Pass({"version", "roleScopeTagIds", "deviceStatusOverview", "userStatusOverview",
                "deviceStatuses", "userStatuses", "deviceSettingStateSummaries"});
  if (members.Take("assignments") != nullptr) {
    notices->push_back({Notice::Kind::kIgnored, members.PathOf("assignments"),
                        "is not looked at: the policy is for every device of its platform"});
  }
  TellOthers(&members, &policy, notices);
  if (PlatformsOfPolicy(policy.type).empty()) {
    notices->push_back({Notice::Kind::kNotEnforced, members.PathOf("@odata.type"),
                        "is of no platform that is known, so every device must meet the policy"});
  }
  return policy;
}

}  // namespace hourglass::access
