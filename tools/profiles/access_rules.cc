// Rules about conditional access and EAP.
#include "tools/profiles/rules.h"

namespace hourglass::profiles {

using doctor::Severity;

const Rule kComplianceMissing = {
    "compliance-missing", Severity::kError,
    "the client never asks for a certificate of the hour: there is none that the filter lets pass",
    "<DeviceCompliance><Enabled>true</Enabled></DeviceCompliance>"};
const Rule kComplianceInDeviceTunnel = {
    "compliance-in-device-tunnel", Severity::kError,
    "conditional access is never asked: a device tunnel has no user, and no token of one",
    "device compliance is for the user's tunnel"};
const Rule kSsoMissing = {
    "sso-missing", Severity::kWarning,
    "the certificate of the hour is offered to domain controllers, too: prompts at file shares",
    "DeviceCompliance/Sso with Enabled, Eku and IssuerHash of the on-premises CA; nothing where no "
    "resource behind the tunnel takes Kerberos"};
const Rule kSsoIncomplete = {
    "sso-incomplete", Severity::kError,
    "where the user has several certificates Windows cannot tell which one is for Kerberos",
    "Sso/Eku with the OID of the purpose, and Sso/IssuerHash with the SHA-1 of the on-premises CA"};
const Rule kSsoIssuerForm = {"sso-issuer-form", Severity::kError,
                             "no certificate is found for Kerberos",
                             "the SHA-1 thumbprint of the on-premises CA, 40 hexadecimal digits"};
const Rule kSsoIssuerIsTenantRoot = {
    "sso-issuer-is-tenant-root", Severity::kError,
    "domain controllers do not take certificates of conditional access",
    "the SHA-1 of the on-premises CA that issues the users' certificates for Kerberos"};
const Rule kRasCredentials = {
    "ras-credentials", Severity::kWarning,
    "the certificate of the tunnel is used for single sign-on: it fails on Entra-only devices",
    "<UseRasCredentials>false</UseRasCredentials>"};
const Rule kRememberedCredentials = {
    "remembered-credentials", Severity::kError,
    "Windows goes on with the certificate that it has remembered, an hour later \"there are no "
    "more files\"",
    "<RememberCredentials>false</RememberCredentials>"};

const Rule kEapTypesDiffer = {"eap-types-differ", Severity::kError,
                              "Windows refuses the profile or takes the wrong method",
                              "EapMethod/Type, Config/Eap/Type and the namespace of EapType name "
                              "the same method: 13 for EAP-TLS, 25 for PEAP"};
const Rule kPasswordMethod = {
    "password-method", Severity::kError,
    "users are asked for a password (error 691), and conditional access has no effect",
    "EAP-TLS, type 13, also inside PEAP; the editor of Windows puts EAP-MSCHAPv2 (26) there"};
const Rule kPeap = {"peap", Severity::kNote,
                    "the newest Windows 11 is reported to fail with PEAP (691, 619)",
                    "plain EAP-TLS where the RADIUS server takes it"};
const Rule kFilterMissing = {
    "filter-missing", Severity::kError,
    "the client takes any certificate for client authentication, and asks which: it may connect "
    "without conditional access, or not at all",
    "TLSExtensions/FilteringInfo with 1.3.6.1.4.1.311.87 in EKUMapping and ClientAuthEKUList "
    "Enabled=\"true\""};
const Rule kFilterMisplaced = {"filter-misplaced", Severity::kError,
                               "Windows does not read the filter there",
                               "in TLSExtensions of the EapType of EAP-TLS, the inner one of PEAP"};
const Rule kFilterOff = {"filter-off", Severity::kError,
                         "the filter is not applied: the default of Enabled is false",
                         "<ClientAuthEKUList Enabled=\"true\">"};
const Rule kFilterNames = {"filter-names", Severity::kError,
                           "the filter names a purpose that is not mapped, and matches nothing",
                           "EKUName in EKUMapInList as in EKUMap, letter by letter"};
const Rule kFilterOid = {"filter-oid", Severity::kError,
                         "no certificate of conditional access passes the filter (error 798)",
                         "<EKUOID>1.3.6.1.4.1.311.87</EKUOID>, and in ClientAuthEKUList its name"};
const Rule kAllPurpose = {"all-purpose", Severity::kWarning,
                          "certificates without a purpose pass the filter as well",
                          "<AllPurposeEnabled>false</AllPurposeEnabled>"};
const Rule kSimpleSelectionOff = {"simple-selection-off", Severity::kWarning,
                                  "users are asked to choose a certificate",
                                  "<SimpleCertSelection>true</SimpleCertSelection>"};
const Rule kIssuersOff = {"issuers-off", Severity::kWarning,
                          "the list of issuers is not applied: the default of Enabled is false",
                          "<CAHashList Enabled=\"true\">"};
const Rule kIssuersOfTenant = {
    "issuers-of-tenant", Severity::kError,
    "certificates of a root that is not in the list are not offered: no connection after a "
    "promotion",
    "the SHA-1 of every live root of the tenant, refreshed with each new root"};
const Rule kServerNotChecked = {"server-not-checked", Severity::kError,
                                "any server may play the RADIUS server",
                                "<PerformServerValidation>true</PerformServerValidation>"};
const Rule kServerPrompt = {
    "server-prompt", Severity::kWarning,
    "users are asked whether they trust the server (\"action needed\")",
    "<DisableUserPromptForServerValidation>true</DisableUserPromptForServerValidation>"};
const Rule kServerNamesMissing = {"server-names-missing", Severity::kNote,
                                  "any server with a certificate of these roots is accepted",
                                  "ServerNames with the names in the RADIUS servers' certificates"};
const Rule kServerNamesForm = {
    "server-names-form", Severity::kError,
    "the name does not match, and users are asked whether to continue (\"action needed\")",
    "names separated by `;` alone: no comma, no blank"};
const Rule kServerNamesCase = {
    "server-names-case", Severity::kWarning,
    "Windows 11 compares the case of letters: error 853 where it differs",
    "exactly as in the server's certificate, best lower case in both"};
const Rule kServerNamesOfServer = {
    "server-names-of-server", Severity::kError,
    "the client ends the connection (error 853, 864) or users are asked",
    "ServerNames exactly as in the RADIUS server's certificate, in the same case"};
const Rule kTrustedRootMissing = {"trusted-root-missing", Severity::kWarning,
                                  "users are asked, or every trusted root of the machine will do",
                                  "TrustedRootCA with the SHA-1 of the root of the RADIUS server"};
const Rule kTrustedRootForm = {
    "trusted-root-form", Severity::kError,
    "the server's certificate is never trusted (error 853, 864)",
    "the SHA-1 thumbprint of the root: 20 pairs of hexadecimal digits with blanks between them"};
const Rule kTrustedRootIsTenantRoot = {
    "trusted-root-is-tenant-root", Severity::kError,
    "the server's certificate is not of that root, so that the client ends the connection",
    "the root of the RADIUS server's own certificate; the tenant's roots are for the server"};
const Rule kTrustedRootOfServer = {
    "trusted-root-of-server", Severity::kError,
    "the client does not accept the server's certificate (error 864, 853)",
    "the SHA-1 of the root at the top of the chain, no intermediate and not the server's own"};

}  // namespace hourglass::profiles
