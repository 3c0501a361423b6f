#include "issuance/access/terms.h"

namespace hourglass::access {

#define HOURGLASS_GRAPH_NAMES_(Enum, ...)                     \
  template <>                                                 \
  absl::Span<const NamedValue<Enum>> GraphNames() {           \
    static constexpr NamedValue<Enum> kNames[] = __VA_ARGS__; \
    return kNames;                                            \
  }

HOURGLASS_GRAPH_NAMES_(PolicyState,
                       {{PolicyState::kEnabled, "enabled"},
                        {PolicyState::kDisabled, "disabled"},
                        {PolicyState::kReportOnly, "enabledForReportingButNotEnforced"}})

HOURGLASS_GRAPH_NAMES_(ClientApp,
                       {{ClientApp::kAll, "all"},
                        {ClientApp::kBrowser, "browser"},
                        {ClientApp::kMobileAppsAndDesktopClients, "mobileAppsAndDesktopClients"},
                        {ClientApp::kExchangeActiveSync, "exchangeActiveSync"},
                        {ClientApp::kEasSupported, "easSupported"},
                        {ClientApp::kOther, "other"}})

HOURGLASS_GRAPH_NAMES_(Platform, {{Platform::kAll, "all"},
                                  {Platform::kAndroid, "android"},
                                  {Platform::kIos, "iOS"},
                                  {Platform::kWindows, "windows"},
                                  {Platform::kWindowsPhone, "windowsPhone"},
                                  {Platform::kMacOs, "macOS"},
                                  {Platform::kLinux, "linux"}})

HOURGLASS_GRAPH_NAMES_(RiskLevel, {{RiskLevel::kNone, "none"},
                                   {RiskLevel::kLow, "low"},
                                   {RiskLevel::kMedium, "medium"},
                                   {RiskLevel::kHigh, "high"},
                                   {RiskLevel::kHidden, "hidden"}})

HOURGLASS_GRAPH_NAMES_(InsiderRiskLevel, {{InsiderRiskLevel::kMinor, "minor"},
                                          {InsiderRiskLevel::kModerate, "moderate"},
                                          {InsiderRiskLevel::kElevated, "elevated"}})

HOURGLASS_GRAPH_NAMES_(TransferMethod,
                       {{TransferMethod::kNone, "none"},
                        {TransferMethod::kDeviceCodeFlow, "deviceCodeFlow"},
                        {TransferMethod::kAuthenticationTransfer, "authenticationTransfer"}})

HOURGLASS_GRAPH_NAMES_(UserType, {{UserType::kInternalGuest, "internalGuest"},
                                  {UserType::kB2bCollaborationGuest, "b2bCollaborationGuest"},
                                  {UserType::kB2bCollaborationMember, "b2bCollaborationMember"},
                                  {UserType::kB2bDirectConnectUser, "b2bDirectConnectUser"},
                                  {UserType::kOtherExternalUser, "otherExternalUser"},
                                  {UserType::kServiceProvider, "serviceProvider"}})

HOURGLASS_GRAPH_NAMES_(FilterMode,
                       {{FilterMode::kInclude, "include"}, {FilterMode::kExclude, "exclude"}})

HOURGLASS_GRAPH_NAMES_(GrantOperator, {{GrantOperator::kAnd, "AND"}, {GrantOperator::kOr, "OR"}})

HOURGLASS_GRAPH_NAMES_(BuiltInControl,
                       {{BuiltInControl::kBlock, "block"},
                        {BuiltInControl::kMfa, "mfa"},
                        {BuiltInControl::kCompliantDevice, "compliantDevice"},
                        {BuiltInControl::kDomainJoinedDevice, "domainJoinedDevice"},
                        {BuiltInControl::kApprovedApplication, "approvedApplication"},
                        {BuiltInControl::kCompliantApplication, "compliantApplication"},
                        {BuiltInControl::kPasswordChange, "passwordChange"},
                        {BuiltInControl::kRiskRemediation, "riskRemediation"}})

HOURGLASS_GRAPH_NAMES_(FrequencyUnit,
                       {{FrequencyUnit::kHours, "hours"}, {FrequencyUnit::kDays, "days"}})

HOURGLASS_GRAPH_NAMES_(FrequencyInterval, {{FrequencyInterval::kTimeBased, "timeBased"},
                                           {FrequencyInterval::kEveryTime, "everyTime"}})

HOURGLASS_GRAPH_NAMES_(FrequencyAuthentication,
                       {{FrequencyAuthentication::kPrimaryAndSecondary,
                         "primaryAndSecondaryAuthentication"},
                        {FrequencyAuthentication::kSecondary, "secondaryAuthentication"}})

HOURGLASS_GRAPH_NAMES_(TrustType, {{TrustType::kAzureAd, "AzureAD"},
                                   {TrustType::kServerAd, "ServerAD"},
                                   {TrustType::kWorkplace, "Workplace"}})

HOURGLASS_GRAPH_NAMES_(DeviceOwnership, {{DeviceOwnership::kCompany, "Company"},
                                         {DeviceOwnership::kPersonal, "Personal"}})

HOURGLASS_GRAPH_NAMES_(ComplianceState, {{ComplianceState::kUnknown, "unknown"},
                                         {ComplianceState::kCompliant, "compliant"},
                                         {ComplianceState::kNoncompliant, "noncompliant"},
                                         {ComplianceState::kConflict, "conflict"},
                                         {ComplianceState::kError, "error"},
                                         {ComplianceState::kInGracePeriod, "inGracePeriod"},
                                         {ComplianceState::kConfigManager, "configManager"}})

HOURGLASS_GRAPH_NAMES_(CountryLookup,
                       {{CountryLookup::kClientIpAddress, "clientIpAddress"},
                        {CountryLookup::kAuthenticatorAppGps, "authenticatorAppGps"}})

HOURGLASS_GRAPH_NAMES_(ThreatLevel, {{ThreatLevel::kUnavailable, "unavailable"},
                                     {ThreatLevel::kNotSet, "notSet"},
                                     {ThreatLevel::kSecured, "secured"},
                                     {ThreatLevel::kLow, "low"},
                                     {ThreatLevel::kMedium, "medium"},
                                     {ThreatLevel::kHigh, "high"}})

HOURGLASS_GRAPH_NAMES_(PasswordType, {{PasswordType::kDeviceDefault, "deviceDefault"},
                                      {PasswordType::kNumeric, "numeric"},
                                      {PasswordType::kAlphanumeric, "alphanumeric"}})

#undef HOURGLASS_GRAPH_NAMES_

}  // namespace hourglass::access
