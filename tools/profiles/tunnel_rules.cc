// Rules about the tunnel, what goes through it, and two tunnels beside each other.
#include "tools/profiles/rules.h"

namespace hourglass::profiles {

using doctor::Severity;

const Rule kServersAlone = {
    "servers-alone", Severity::kNote,
    "Windows 11 by Intune is reported to want a name behind each server, "
    "and MachineMethod beside UserMethod",
    "<Servers>vpn.example;vpn.example</Servers>, <MachineMethod>Eap</MachineMethod>"};
const Rule kServersList = {"servers-list", Severity::kWarning,
                           "the second server is never tried: `;` is followed by a name to show",
                           "`,` between servers, `;` before what is shown: a;A,b;B"};
const Rule kGatewayName = {"gateway-name", Severity::kError, "IKEv2 fails with error 13801",
                           "a gateway's certificate that has the name in Servers"};
const Rule kGatewayPurpose = {
    "gateway-purpose", Severity::kError, "IKEv2 fails with error 13801",
    "a gateway's certificate for server authentication, 1.3.6.1.5.5.7.3.1"};
const Rule kGatewayChoice = {
    "gateway-choice", Severity::kWarning,
    "a gateway with several certificates takes another one now and then (error 13801)",
    "the purpose IKE intermediate, 1.3.6.1.5.5.8.2.2, in the gateway's certificate, too"};
const Rule kProtocolNewer = {"protocol-newer", Severity::kWarning,
                             "older versions of Windows refuse the profile",
                             "IKEv2 or Automatic, where not all clients are new"};
const Rule kSuiteIgnored = {
    "suite-ignored", Severity::kWarning,
    "the suite is ignored: IKEv2 falls back to weak defaults (errors 13868, "
    "800)",
    "<NativeProtocolType>IKEv2</NativeProtocolType>"};
const Rule kSuiteMismatch = {"suite-mismatch", Severity::kError,
                             "no proposal fits together: error 13868, policy match",
                             "with GCM both constants are the same: GCMAES128 or GCMAES256"};
const Rule kMethodOfProtocol = {"method-of-protocol", Severity::kError,
                                "Windows does not support the combination",
                                "UserMethod Eap; a MachineMethod with IKEv2 only"};
const Rule kMethodsMixed = {"methods-mixed", Severity::kError,
                            "client and gateway expect different methods (error 13806)",
                            "Eap for a user's tunnel, MachineMethod Certificate for a device's"};
const Rule kDeviceTunnelMethod = {
    "device-tunnel-method", Severity::kError, "Windows refuses the profile",
    "a device tunnel is IKEv2 with MachineMethod Certificate and no UserMethod, in ./Device"};
const Rule kSplitWithoutRoutes = {
    "split-without-routes", Severity::kError,
    "the tunnel is up and nothing can be reached through it",
    "a Route for each network, or DisableClassBasedDefaultRoute false"};
const Rule kForceWithRoutes = {"force-with-routes", Severity::kWarning,
                               "routes get odd: everything goes through the tunnel already",
                               "no Route and no DisableClassBasedDefaultRoute with ForceTunnel"};
const Rule kRouteForm = {"route-form", Severity::kError, "the route is missing, without an error",
                         "Address is an IP address, PrefixSize at most 32, or 128 for IPv6"};
const Rule kRouteHostBits = {"route-host-bits", Severity::kError,
                             "the route is missing, without an error", ""};
const Rule kProxyIgnored = {"proxy-ignored", Severity::kWarning, "the proxy is ignored",
                            "Proxy with ForceTunnel only"};
const Rule kTrustedNetworkForm = {
    "trusted-network-form", Severity::kError,
    "it never matches: the tunnel comes up inside the company, too",
    "the DNS suffix of the inner network's connections: `corp.example`, several with `,`"};
const Rule kNameRuleOfHost = {"name-rule-of-host", Severity::kWarning,
                              "the rule is for that one name: those below it are not resolved",
                              "a dot in front is for all names below: `.corp.example`"};
const Rule kNameRuleInDeviceTunnel = {"name-rule-in-device-tunnel", Severity::kError,
                                      "device tunnels take no name resolution rules",
                                      "DomainNameInformation in the user's tunnel only"};
const Rule kTrafficPorts = {"traffic-ports", Severity::kError,
                            "the filter does not work as it looks: ports need a protocol that has "
                            "some",
                            "<Protocol>6</Protocol> (TCP) or 17 (UDP) before the ports"};
const Rule kTrafficRouting = {"traffic-routing", Severity::kError,
                              "the setting is for filters of an app, and refused or ignored here",
                              "RoutingPolicyType in a TrafficFilter with App"};
const Rule kTrafficBlocks = {"traffic-blocks", Severity::kNote,
                             "as soon as there is one filter, all that none lets through is "
                             "blocked, what comes in as well",
                             "a filter for everything that is needed"};
const Rule kLockDownIgnored = {"lock-down-ignored", Severity::kWarning, "LockDown is ignored",
                               "IKEv2, ForceTunnel, and deployed to ./Device"};
const Rule kLockDown = {"lock-down", Severity::kNote,
                        "nothing works outside the tunnel, and it is hard to undo on a device that "
                        "cannot connect",
                        "try it on a device at hand first"};
const Rule kTunnelsBothRegister = {"tunnels-both-register", Severity::kWarning,
                                   "two addresses are registered for the device: stale DNS",
                                   "RegisterDNS true in one of the two tunnels"};
const Rule kTunnelsDisagree = {"tunnels-disagree", Severity::kWarning,
                               "one tunnel comes up where the other sees the inner network",
                               "the same TrustedNetworkDetection in both"};

}  // namespace hourglass::profiles
