// The settings of compliance policies that can be evaluated: a row each.
#ifndef HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_SETTINGS_H_
#define HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_SETTINGS_H_

#include <optional>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/access/compliance/compliance_facts.h"
#include "issuance/access/compliance/compliance_policy.h"

namespace hourglass::access {

enum class SettingForm {
  kOn,            // true: the fact must be true
  kOff,           // true: the fact must be false
  kLeastVersion,  // the fact must be this version or a later one
  kGreatestVersion,
  kLeastDate,  // as YYYY-MM-DD
  kLeastNumber,
  kGreatestNumber,  // and not 0, which is never
  kThreat,          // the greatest that is accepted
  kPassword,        // the weakest type that is accepted
  kHealthReport,    // true: every field of the health report must have its "allow" value
  kNothing,         // understood, and no demand of its own
};

using BoolFact = std::optional<bool> (*)(const ComplianceFacts&);
using NumberFact = std::optional<int> (*)(const ComplianceFacts&);
using TextFact = std::optional<std::string> (*)(const ComplianceFacts&);

struct SettingRow {
  absl::string_view name;  // in Graph
  SettingForm form;
  absl::string_view subject;  // for people: `BitLocker`
  std::variant<std::monostate, BoolFact, NumberFact, TextFact> fact;
  bool phones_only = false;  // asked of Windows phones only, and then instead of its namesake
};

absl::Span<const SettingRow> SettingRows();

// The row of a name in whatever case; null for none.
const SettingRow* FindSetting(absl::string_view name);

// Whether a value says that the setting is not configured: false of a switch, 0 of a number,
// `deviceDefault`, `unavailable`, `notSet`, `notConfigured` or nothing of a text.
bool IsNotConfigured(const SettingValue& value);

// Why the device does not meet the setting, in words; empty where it does. A value of a type that
// is not the form's is never met.
std::string WhyUnmet(const SettingRow& row, const SettingValue& value,
                     const ComplianceFacts& facts);

// The fields of the health report that have no "allow" value, or are not known, in words.
std::vector<std::string> FaultsOfHealth(const HealthFacts& health);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_SETTINGS_H_
