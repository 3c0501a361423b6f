// The words of conditional access: enumerations of Microsoft Graph, under its names.
#ifndef HOURGLASS_ISSUANCE_ACCESS_TERMS_H_
#define HOURGLASS_ISSUANCE_ACCESS_TERMS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hourglass::access {

enum class PolicyState { kEnabled, kDisabled, kReportOnly };

enum class ClientApp {
  kAll,  // in policies only
  kBrowser,
  kMobileAppsAndDesktopClients,
  kExchangeActiveSync,
  kEasSupported,
  kOther,
};

enum class Platform {
  kAll,  // in policies only
  kAndroid,
  kIos,
  kWindows,
  kWindowsPhone,
  kMacOs,
  kLinux,
  kUnlisted,  // in facts only: known, and none of the others
};

enum class RiskLevel { kNone, kLow, kMedium, kHigh, kHidden };

enum class InsiderRiskLevel {
  kNone,  // in facts only
  kMinor,
  kModerate,
  kElevated,
};

enum class TransferMethod { kNone, kDeviceCodeFlow, kAuthenticationTransfer };

enum class UserType {
  kMember,  // in facts only
  kInternalGuest,
  kB2bCollaborationGuest,
  kB2bCollaborationMember,
  kB2bDirectConnectUser,
  kOtherExternalUser,
  kServiceProvider,
};

enum class FilterMode { kInclude, kExclude };
enum class GrantOperator { kAnd, kOr };

// In the order in which Entra ID asks for them; block first.
enum class BuiltInControl {
  kBlock,
  kMfa,
  kCompliantDevice,
  kDomainJoinedDevice,
  kApprovedApplication,
  kCompliantApplication,
  kPasswordChange,
  kRiskRemediation,
};

enum class FrequencyUnit { kHours, kDays };
enum class FrequencyInterval { kTimeBased, kEveryTime };
enum class FrequencyAuthentication { kPrimaryAndSecondary, kSecondary };

// How a device is known: Entra joined, hybrid joined, registered by its user.
enum class TrustType { kAzureAd, kServerAd, kWorkplace };
enum class DeviceOwnership { kCompany, kPersonal };

enum class ComplianceState {
  kUnknown,
  kCompliant,
  kNoncompliant,
  kConflict,
  kError,
  kInGracePeriod,
  kConfigManager,
};

enum class CountryLookup { kClientIpAddress, kAuthenticatorAppGps };

// kUnavailable and kNotSet say nothing; the others from the least threat.
enum class ThreatLevel { kUnavailable, kNotSet, kSecured, kLow, kMedium, kHigh };

enum class PasswordType { kDeviceDefault, kNumeric, kAlphanumeric };

template <typename Enum>
struct NamedValue {
  Enum value;
  absl::string_view name;
};

// The names that Graph has for an enumeration above; a value without one stands in facts only.
template <typename Enum>
absl::Span<const NamedValue<Enum>> GraphNames();

// `inGracePeriod`; empty for a value that Graph has no name for.
template <typename Enum>
absl::string_view GraphName(Enum value) {
  for (const NamedValue<Enum>& named : GraphNames<Enum>()) {
    if (named.value == value) return named.name;
  }
  return "";
}

// The value of a name in whatever case: exports differ there. Nullopt for other text.
template <typename Enum>
std::optional<Enum> FromGraphName(absl::string_view name) {
  for (const NamedValue<Enum>& named : GraphNames<Enum>()) {
    if (absl::EqualsIgnoreCase(named.name, name)) return named.value;
  }
  return std::nullopt;
}

// A list of an enumeration's values, and the texts of it that are no value that is known here.
template <typename Enum>
struct TermList {
  std::vector<Enum> values;
  std::vector<std::string> not_understood;

  bool empty() const { return values.empty() && not_understood.empty(); }
  bool operator==(const TermList&) const = default;
};

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_TERMS_H_
