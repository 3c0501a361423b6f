// Device compliance policies as Microsoft Intune has them (deviceCompliancePolicy and what is
// derived from it), typed.
#ifndef HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_COMPLIANCE_POLICY_H_
#define HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_COMPLIANCE_POLICY_H_

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "issuance/access/policy.h"
#include "issuance/access/terms.h"

namespace hourglass::access {

using SettingValue = std::variant<bool, int, std::string>;

// Versions of the operating system that are accepted, both ends among them.
struct BuildRange {
  std::string description;
  std::string lowest;
  std::string highest;

  bool operator==(const BuildRange&) const = default;
};

// What happens to a device that is not compliant, so many hours after it became so.
struct ScheduledAction {
  std::string type;  // `block`, `notification`, `retire`
  int grace_hours = 0;

  bool operator==(const ScheduledAction&) const = default;
};

struct CompliancePolicy {
  std::string id;
  std::string display_name;
  std::string description;
  std::string created;   // RFC 3339, or empty
  std::string modified;  // the same
  std::string type;      // `windows10CompliancePolicy`
  // By Graph's names of them: those that ask for something and are understood (settings.h).
  std::map<std::string, SettingValue> settings;
  std::vector<BuildRange> build_ranges;  // empty: all
  // Nullopt where the export does not have them, which is not the same as none.
  std::optional<std::vector<ScheduledAction>> actions;
  OtherMembers other;  // settings that are not understood: no device meets them

  bool operator==(const CompliancePolicy&) const = default;
};

// The platforms of a policy's type, without its `#microsoft.graph.`; empty for a type that is not
// known here.
std::vector<Platform> PlatformsOfPolicy(absl::string_view type);

// For how many hours a device that became not compliant stays in its grace period: the least of the
// `block` actions. Nullopt where it is not known, which means none.
std::optional<int> GraceHours(const CompliancePolicy& policy);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_COMPLIANCE_POLICY_H_
