#include "issuance/access/compliance/compliance_policy.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace hourglass::access {

std::vector<Platform> PlatformsOfPolicy(absl::string_view type) {
  struct Row {
    absl::string_view type;
    Platform platform;
  };
  static constexpr Row kRows[] = {
      {"windows10CompliancePolicy", Platform::kWindows},
      {"windows10CompliancePolicy", Platform::kWindowsPhone},
      {"windows10MobileCompliancePolicy", Platform::kWindowsPhone},
      {"windows81CompliancePolicy", Platform::kWindows},
      {"windowsPhone81CompliancePolicy", Platform::kWindowsPhone},
      {"macOSCompliancePolicy", Platform::kMacOs},
      {"iosCompliancePolicy", Platform::kIos},
      {"androidCompliancePolicy", Platform::kAndroid},
      {"androidForWorkCompliancePolicy", Platform::kAndroid},
      {"androidWorkProfileCompliancePolicy", Platform::kAndroid},
      {"androidDeviceOwnerCompliancePolicy", Platform::kAndroid},
      {"aospDeviceOwnerCompliancePolicy", Platform::kAndroid},
  };
  std::vector<Platform> platforms;
  for (const Row& row : kRows) {
    if (absl::EqualsIgnoreCase(row.type, type)) platforms.push_back(row.platform);
  }
  return platforms;
}

std::optional<int> GraceHours(const CompliancePolicy& policy) {
  std::optional<int> hours;
  if (!policy.actions.has_value()) return hours;
  for (const ScheduledAction& action : *policy.actions) {
    if (!absl::EqualsIgnoreCase(action.type, "block")) continue;
    hours = std::min(hours.value_or(action.grace_hours), action.grace_hours);
  }
  return hours;
}

}  // namespace hourglass::access
