#include "tools/profiles/rules.h"

namespace hourglass::profiles {

absl::Span<const Rule* const> AllRules() {
  static constexpr const Rule* kAll[] = {
      &kByteOrderMark, &kInvisibleCharacter, &kPastedTree, &kTextAround, &kLostBlank,
      &kNotWellFormed, &kUnboundPrefix, &kEscapedTwice, &kEscaped, &kNotAProfile, &kOmaUri,
      &kSpreadValue, &kWrongNamespace, &kUnknownElement, &kMisplacedElement, &kElementOrder,
      &kRepeatedElement, &kMissingElement, &kStrayText, &kUnknownAttribute, &kNotABoolean,
      &kUnknownValue, &kNotANumber,
      //
      &kComplianceMissing, &kComplianceInDeviceTunnel, &kSsoMissing, &kSsoIncomplete,
      &kSsoIssuerForm, &kSsoIssuerIsTenantRoot, &kRasCredentials, &kRememberedCredentials,
      //
      &kEapTypesDiffer, &kPasswordMethod, &kPeap, &kFilterMissing, &kFilterMisplaced, &kFilterOff,
      &kFilterNames, &kFilterOid, &kAllPurpose, &kSimpleSelectionOff, &kIssuersOff,
      &kIssuersOfTenant, &kServerNotChecked, &kServerPrompt, &kServerNamesMissing,
      &kServerNamesForm, &kServerNamesCase, &kServerNamesOfServer, &kTrustedRootMissing,
      &kTrustedRootForm, &kTrustedRootIsTenantRoot, &kTrustedRootOfServer,
      //
      &kServersAlone, &kServersList, &kGatewayName, &kGatewayPurpose, &kGatewayChoice,
      &kProtocolNewer, &kSuiteIgnored, &kSuiteMismatch, &kMethodOfProtocol, &kMethodsMixed,
      &kDeviceTunnelMethod, &kSplitWithoutRoutes, &kForceWithRoutes, &kRouteForm, &kRouteHostBits,
      &kProxyIgnored, &kTrustedNetworkForm, &kNameRuleOfHost, &kNameRuleInDeviceTunnel,
      &kTrafficPorts, &kTrafficRouting, &kTrafficBlocks, &kLockDownIgnored, &kLockDown,
      &kTunnelsBothRegister, &kTunnelsDisagree};
  return kAll;
}

}  // namespace hourglass::profiles
