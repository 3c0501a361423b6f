// What is looked for in a profile: each mistake with what comes of it and what is right.
#ifndef HOURGLASS_TOOLS_PROFILES_RULES_H_
#define HOURGLASS_TOOLS_PROFILES_RULES_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/doctor/finding.h"

namespace hourglass::profiles {

struct Rule {
  absl::string_view id;  // stable: `unknown-element`
  doctor::Severity severity;
  absl::string_view effect;
  absl::string_view remedy;
};

// Every rule, in the order of docs/profiles.md. For as long as the process lives.
absl::Span<const Rule* const> AllRules();

// The text and its structure.
extern const Rule kByteOrderMark, kInvisibleCharacter, kPastedTree, kTextAround, kLostBlank,
    kNotWellFormed, kUnboundPrefix, kEscapedTwice, kEscaped, kNotAProfile, kOmaUri, kSpreadValue,
    kWrongNamespace, kUnknownElement, kMisplacedElement, kElementOrder, kRepeatedElement,
    kMissingElement, kStrayText, kUnknownAttribute, kNotABoolean, kUnknownValue, kNotANumber;

// Conditional access.
extern const Rule kComplianceMissing, kComplianceInDeviceTunnel, kSsoMissing, kSsoIncomplete,
    kSsoIssuerForm, kSsoIssuerIsTenantRoot, kRasCredentials, kRememberedCredentials;

// EAP.
extern const Rule kEapTypesDiffer, kPasswordMethod, kPeap, kFilterMissing, kFilterMisplaced,
    kFilterOff, kFilterNames, kFilterOid, kAllPurpose, kSimpleSelectionOff, kIssuersOff,
    kIssuersOfTenant, kServerNotChecked, kServerPrompt, kServerNamesMissing, kServerNamesForm,
    kServerNamesCase, kServerNamesOfServer, kTrustedRootMissing, kTrustedRootForm,
    kTrustedRootIsTenantRoot, kTrustedRootOfServer;

// The tunnel.
extern const Rule kServersAlone, kServersList, kGatewayName, kGatewayPurpose, kGatewayChoice,
    kProtocolNewer, kSuiteIgnored, kSuiteMismatch, kMethodOfProtocol, kMethodsMixed,
    kDeviceTunnelMethod, kSplitWithoutRoutes, kForceWithRoutes, kRouteForm, kRouteHostBits,
    kProxyIgnored, kTrustedNetworkForm, kNameRuleOfHost, kNameRuleInDeviceTunnel, kTrafficPorts,
    kTrafficRouting, kTrafficBlocks, kLockDownIgnored, kLockDown, kTunnelsBothRegister,
    kTunnelsDisagree;

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_RULES_H_
