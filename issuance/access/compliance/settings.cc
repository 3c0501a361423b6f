#include "issuance/access/compliance/settings.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "issuance/base/os_version.h"

namespace hourglass::access {
namespace {

template <typename Value, typename Fact>
std::optional<Value> FactOf(const SettingRow& row, const ComplianceFacts& facts) {
  return std::get<Fact>(row.fact)(facts);
}

std::string NotKnown(absl::string_view demand) {
  return absl::StrCat(demand, "; it is not known whether this is so");
}

std::string WhySwitch(const SettingRow& row, const ComplianceFacts& facts, bool wanted) {
  const auto fact = FactOf<bool, BoolFact>(row, facts);
  if (fact == wanted) return "";
  const std::string demand =
      absl::StrCat(row.subject, wanted ? " must be there and on" : " must not be there or on");
  if (!fact.has_value()) return NotKnown(demand);
  return absl::StrCat(demand, wanted ? "; it is not" : "; it is");
}

std::string WhyVersion(const SettingRow& row, const std::string& wanted,
                       const ComplianceFacts& facts) {
  const bool least = row.form == SettingForm::kLeastVersion;
  const std::string demand = absl::StrCat(row.subject, " must be at version ", wanted,
                                          least ? " or a later one" : " or an earlier one");
  const auto fact = FactOf<std::string, TextFact>(row, facts);
  const auto limit = issuance::ParseOsVersion(wanted);
  const auto version = issuance::ParseOsVersion(fact.value_or(""));
  if (!version.has_value()) return NotKnown(demand);
  if (!limit.has_value()) return absl::StrCat(demand, ", which is no version");
  if (least ? *version >= *limit : *version <= *limit) return "";
  return absl::StrCat(demand, "; it is at ", *fact);
}

bool IsDate(absl::string_view text) {
  if (text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_hyphen = i == 4 || i == 7;
    if (is_hyphen ? text[i] != '-' : !absl::ascii_isdigit(text[i])) return false;
  }
  return true;
}

std::string WhyDate(const SettingRow& row, const std::string& wanted,
                    const ComplianceFacts& facts) {
  const std::string demand = absl::StrCat(row.subject, " must be of ", wanted, " or later");
  const auto fact = FactOf<std::string, TextFact>(row, facts);
  if (!IsDate(fact.value_or(""))) return NotKnown(demand);
  if (!IsDate(wanted)) return absl::StrCat(demand, ", which is no date");
  // Of one form and so in order as texts.
  return *fact >= wanted ? "" : absl::StrCat(demand, "; it is of ", *fact);
}

std::string WhyNumber(const SettingRow& row, int wanted, const ComplianceFacts& facts) {
  const bool least = row.form == SettingForm::kLeastNumber;
  const std::string demand =
      absl::StrCat(row.subject, " must be ", wanted, least ? " or more" : " or less");
  const auto fact = FactOf<int, NumberFact>(row, facts);
  if (!fact.has_value() || *fact < 0) return NotKnown(demand);
  if (!least && *fact == 0) return absl::StrCat(demand, "; it never happens");
  if (least ? *fact >= wanted : *fact <= wanted) return "";
  return absl::StrCat(demand, "; it is ", *fact);
}

std::string WhyThreat(const std::string& wanted, const ComplianceFacts& facts) {
  const std::string demand = absl::StrCat("the threat level must be ", wanted, " or lower");
  const auto limit = FromGraphName<ThreatLevel>(wanted);
  if (!limit.has_value() || *limit < ThreatLevel::kSecured) {
    return absl::StrCat(demand, ", which is no threat level");
  }
  if (!facts.threat.has_value() || *facts.threat < ThreatLevel::kSecured) return NotKnown(demand);
  return *facts.threat <= *limit
             ? ""
             : absl::StrCat(demand, "; it is ", GraphName<ThreatLevel>(*facts.threat));
}

// An alphanumeric password is a numeric one and more.
std::string WhyPassword(const std::string& wanted, const ComplianceFacts& facts) {
  const std::string demand = absl::StrCat("the password must be ", wanted);
  const auto type = FromGraphName<PasswordType>(wanted);
  if (!type.has_value()) return absl::StrCat(demand, ", which is no type");
  const auto& fact = facts.password.type;
  if (!fact.has_value() || *fact == PasswordType::kDeviceDefault) return NotKnown(demand);
  return *fact >= *type ? "" : absl::StrCat(demand, "; it is ", GraphName<PasswordType>(*fact));
}

}  // namespace

bool IsNotConfigured(const SettingValue& value) {
  if (const bool* const on = std::get_if<bool>(&value)) return !*on;
  if (const int* const number = std::get_if<int>(&value)) return *number == 0;
  static constexpr absl::string_view kNothing[] = {"", "deviceDefault", "unavailable", "notSet",
                                                   "notConfigured"};
  const std::string& text = std::get<std::string>(value);
  return std::any_of(std::begin(kNothing), std::end(kNothing), [&text](absl::string_view nothing) {
    return absl::EqualsIgnoreCase(nothing, text);
  });
}

std::string WhyUnmet(const SettingRow& row, const SettingValue& value,
                     const ComplianceFacts& facts) {
  const auto* const text = std::get_if<std::string>(&value);
  const auto* const number = std::get_if<int>(&value);
  const std::string of_another_type =
      absl::StrCat("the policy's value of ", row.name, " is of another type");
  switch (row.form) {
    case SettingForm::kOn:
    case SettingForm::kOff:
      return WhySwitch(row, facts, row.form == SettingForm::kOn);
    case SettingForm::kLeastVersion:
    case SettingForm::kGreatestVersion:
      return text == nullptr ? of_another_type : WhyVersion(row, *text, facts);
    case SettingForm::kLeastDate:
      return text == nullptr ? of_another_type : WhyDate(row, *text, facts);
    case SettingForm::kLeastNumber:
    case SettingForm::kGreatestNumber:
      return number == nullptr ? of_another_type : WhyNumber(row, *number, facts);
    case SettingForm::kThreat:
      return text == nullptr ? of_another_type : WhyThreat(*text, facts);
    case SettingForm::kPassword:
      return text == nullptr ? of_another_type : WhyPassword(*text, facts);
    case SettingForm::kHealthReport:
    case SettingForm::kNothing:
      break;
  }
  return "";
}

std::vector<std::string> FaultsOfHealth(const HealthFacts& health) {
  struct Field {
    absl::string_view name;
    const std::optional<bool>& fact;
    bool allowed;
  };
  const Field fields[] = {
      {"AIKPresent", health.attestation_key, true},
      {"DEPPolicy", health.dep, true},
      {"BitlockerStatus", health.bitlocker, true},
      {"SecureBootEnabled", health.secure_boot, true},
      {"CodeIntegrityEnabled", health.code_integrity, true},
      {"BootDebuggingEnabled", health.boot_debugging, false},
      {"OSKernelDebuggingEnabled", health.kernel_debugging, false},
      {"TestSigningEnabled", health.test_signing, false},
      {"SafeMode", health.safe_mode, false},
      {"WinPE", health.win_pe, false},
      {"ELAMDriverLoaded", health.elam_driver, true},
      {"VSMEnabled", health.vsm, true},
  };
  std::vector<std::string> faults;
  for (const Field& field : fields) {
    if (field.fact == field.allowed) continue;
    const std::string demand =
        absl::StrCat("the health report must say ", field.name, "=", field.allowed ? 1 : 0);
    faults.push_back(field.fact.has_value() ? absl::StrCat(demand, "; it does not")
                                            : NotKnown(demand));
  }
  return faults;
}

}  // namespace hourglass::access
