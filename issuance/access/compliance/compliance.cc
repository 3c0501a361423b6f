#include "issuance/access/compliance/compliance.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "issuance/access/compliance/settings.h"
#include "issuance/base/os_version.h"

namespace hourglass::access {
namespace {

constexpr std::chrono::minutes kTolerance(5);

// The unmet settings of one policy.
class PolicyJudge {
 public:
  PolicyJudge(const CompliancePolicy& policy, const ComplianceFacts& facts)
      : policy_(policy), facts_(facts) {}

  std::vector<UnmetSetting> Judge() {
    for (const SettingRow& row : SettingRows()) {
      const auto setting = policy_.settings.find(std::string(row.name));
      if (setting == policy_.settings.end() || !IsAsked(row)) continue;
      if (row.form == SettingForm::kHealthReport) {
        for (std::string& fault : FaultsOfHealth(facts_.health)) Add(row.name, std::move(fault));
      } else if (std::string why = WhyUnmet(row, setting->second, facts_); !why.empty()) {
        Add(row.name, std::move(why));
      }
    }
    JudgeBuild();
    for (const auto& [name, json] : policy_.other) {
      Add(name, "the policy asks for this, and it is not understood here, so no device meets it");
    }
    return std::move(unmet_);
  }

 private:
  void Add(absl::string_view setting, std::string message) {
    unmet_.push_back({policy_.id, policy_.display_name, std::string(setting), std::move(message)});
  }

  // Windows 10 policies have versions for phones beside those for all others.
  bool IsAsked(const SettingRow& row) const {
    if (!facts_.platform.has_value()) return true;
    const bool is_phone = *facts_.platform == Platform::kWindowsPhone;
    if (row.phones_only) return is_phone;
    const bool has_namesake = policy_.type == "windows10CompliancePolicy" &&
                              (row.name == "osMinimumVersion" || row.name == "osMaximumVersion");
    return !has_namesake || !is_phone;
  }

  void JudgeBuild() {
    if (policy_.build_ranges.empty()) return;
    constexpr absl::string_view kSetting = "validOperatingSystemBuildRanges";
    const auto version = issuance::ParseOsVersion(facts_.os_version.value_or(""));
    if (!version.has_value()) {
      return Add(kSetting,
                 "the build of the operating system must be one of those that are valid;"
                 " it is not known");
    }
    const bool is_valid = std::any_of(
        policy_.build_ranges.begin(), policy_.build_ranges.end(), [&](const BuildRange& range) {
          const auto lowest = issuance::ParseOsVersion(range.lowest);
          const auto highest = issuance::ParseOsVersion(range.highest);
          return lowest.has_value() && highest.has_value() && *lowest <= *version &&
                 *version <= *highest;
        });
    if (is_valid) return;
    Add(kSetting, absl::StrCat("the build of the operating system must be one of those that are "
                               "valid; ",
                               *facts_.os_version, " is not"));
  }

  const CompliancePolicy& policy_;
  const ComplianceFacts& facts_;
  std::vector<UnmetSetting> unmet_;
};

void Move(std::vector<UnmetSetting> from, std::vector<UnmetSetting>* to) {
  std::move(from.begin(), from.end(), std::back_inserter(*to));
}

void NoReport(std::string message, ComplianceResult* result) {
  result->unmet.push_back({"", "", "reportValidity", std::move(message)});
}

// Whether there is a report to judge by.
bool HasReport(const ComplianceFacts& facts, const ComplianceOptions& options, Timestamp now,
               ComplianceResult* result) {
  if (!facts.reported_at.has_value()) {
    NoReport("the device has not reported its state", result);
  } else if (*facts.reported_at > now + kTolerance) {
    NoReport("the device's last report lies in the future", result);
  } else if (now - *facts.reported_at > options.report_validity) {
    NoReport(absl::StrCat("the device's last report is older than ",
                          options.report_validity.count(), " hours"),
             result);
  } else {
    result->report_expires_at = *facts.reported_at + options.report_validity;
  }
  return result->unmet.empty();
}

// The end of the grace period of a policy that is not met; nullopt for none.
std::optional<Timestamp> GraceEnd(const CompliancePolicy& policy, const ComplianceFacts& facts,
                                  Timestamp now, ComplianceResult* result) {
  const std::optional<int> hours = GraceHours(policy);
  if (!hours.has_value()) {
    result->notes.push_back(
        absl::StrCat("\"", policy.display_name,
                     "\" was imported without its scheduled actions, so it gives no grace period"));
    return std::nullopt;
  }
  if (*hours <= 0) return std::nullopt;
  if (!facts.noncompliant_since.has_value()) {
    result->notes.push_back(absl::StrCat("it is not known since when the device does not meet \"",
                                         policy.display_name, "\", so it has no grace period"));
    return std::nullopt;
  }
  return std::min(*facts.noncompliant_since, now) + std::chrono::hours(*hours);
}

enum class Concern { kNo, kPossibly, kYes };

Concern Concerns(const CompliancePolicy& policy, const ComplianceFacts& facts) {
  const std::vector<Platform> platforms = PlatformsOfPolicy(policy.type);
  // A type that is not known here may be for every device.
  if (!facts.platform.has_value() || platforms.empty()) return Concern::kPossibly;
  return std::find(platforms.begin(), platforms.end(), *facts.platform) != platforms.end()
             ? Concern::kYes
             : Concern::kNo;
}

std::vector<const CompliancePolicy*> ById(const std::vector<CompliancePolicy>& policies) {
  std::vector<const CompliancePolicy*> sorted;
  for (const CompliancePolicy& policy : policies) sorted.push_back(&policy);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->id < b->id; });
  return sorted;
}

}  // namespace

ComplianceResult EvaluateCompliance(const std::vector<CompliancePolicy>& policies,
                                    const ComplianceFacts& facts, const ComplianceOptions& options,
                                    Timestamp now) {
  ComplianceResult result;
  if (!HasReport(facts, options, now, &result)) return result;
  bool has_policy = false;
  bool in_grace = true;
  for (const CompliancePolicy* const policy : ById(policies)) {
    const Concern concern = Concerns(*policy, facts);
    if (concern == Concern::kNo) continue;
    has_policy |= concern == Concern::kYes;
    std::vector<UnmetSetting> unmet = PolicyJudge(*policy, facts).Judge();
    if (unmet.empty()) continue;
    Move(std::move(unmet), &result.unmet);
    const std::optional<Timestamp> end = GraceEnd(*policy, facts, now, &result);
    if (!end.has_value() || now >= *end) {
      in_grace = false;
    } else if (!result.grace_ends_at.has_value() || *end < *result.grace_ends_at) {
      result.grace_ends_at = end;
    }
  }
  if (!has_policy && !options.compliant_without_policy) {
    in_grace = false;
    result.unmet.push_back(
        {"", "", "policy", "no compliance policy is known to be for the device"});
  }
  if (result.unmet.empty()) {
    result.state = ComplianceState::kCompliant;
  } else {
    result.state = in_grace ? ComplianceState::kInGracePeriod : ComplianceState::kNoncompliant;
  }
  if (result.state != ComplianceState::kInGracePeriod) result.grace_ends_at.reset();
  return result;
}

}  // namespace hourglass::access
