#include "tools/profiles/vpn_profile.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/profiles/schema_validation.h"
#include "tools/profiles/thumbprint.h"

namespace hourglass::profiles {
namespace {

constexpr absl::string_view kHostConfig = "http://www.microsoft.com/provisioning/EapHostConfig";
constexpr absl::string_view kCommon = "http://www.microsoft.com/provisioning/EapCommon";
constexpr absl::string_view kBase =
    "http://www.microsoft.com/provisioning/BaseEapConnectionPropertiesV1";
constexpr absl::string_view kPeapV1 =
    "http://www.microsoft.com/provisioning/MsPeapConnectionPropertiesV1";
constexpr absl::string_view kPeapV2 =
    "http://www.microsoft.com/provisioning/MsPeapConnectionPropertiesV2";
constexpr absl::string_view kTlsV1 =
    "http://www.microsoft.com/provisioning/EapTlsConnectionPropertiesV1";
constexpr absl::string_view kTlsV2 =
    "http://www.microsoft.com/provisioning/EapTlsConnectionPropertiesV2";
constexpr absl::string_view kTlsV3 =
    "http://www.microsoft.com/provisioning/EapTlsConnectionPropertiesV3";

constexpr absl::string_view kPurposeName = "AAD Conditional Access";
constexpr absl::string_view kPurpose = "1.3.6.1.4.1.311.87";

absl::string_view Flag(bool value) { return value ? "true" : "false"; }

void WriteServerValidation(const VpnProfileOptions& options, XmlWriter& xml) {
  xml.OpenInner("ServerValidation");
  xml.Inner("DisableUserPromptForServerValidation", "true");
  xml.Inner("ServerNames", absl::StrJoin(options.radius_names, ";"));
  for (const std::string& root : options.server_roots)
    xml.Inner("TrustedRootCA", SpacedThumbprint(root));
  xml.Close();
}

// Which certificates the client may offer: those of conditional access, and of these roots where
// they are named.
void WriteFilter(const VpnProfileOptions& options, XmlWriter& xml) {
  xml.Open("TLSExtensions", kTlsV2);
  xml.Open("FilteringInfo", kTlsV3);
  if (!options.issuer_roots.empty()) {
    xml.OpenInner("CAHashList", "Enabled=\"true\"");
    for (const std::string& root : options.issuer_roots)
      xml.Inner("IssuerHash", SpacedThumbprint(root));
    xml.Close();
  }
  xml.OpenInner("EKUMapping");
  xml.OpenInner("EKUMap");
  xml.Inner("EKUName", kPurposeName);
  xml.Inner("EKUOID", kPurpose);
  xml.Close();
  xml.Close();
  xml.OpenInner("ClientAuthEKUList", "Enabled=\"true\"");
  xml.OpenInner("EKUMapInList");
  xml.Inner("EKUName", kPurposeName);
  xml.Close();
  xml.Close();
  xml.Close();
  xml.Close();
}

void WriteEapTls(const VpnProfileOptions& options, XmlWriter& xml) {
  xml.Open("Eap", kBase);
  xml.Inner("Type", "13");
  xml.Open("EapType", kTlsV1);
  xml.OpenInner("CredentialsSource");
  xml.OpenInner("CertificateStore");
  xml.Inner("SimpleCertSelection", "true");
  xml.Close();
  xml.Close();
  WriteServerValidation(options, xml);
  xml.Inner("DifferentUsername", "false");
  xml.Leaf("PerformServerValidation", "true", kTlsV2);
  xml.Leaf("AcceptServerName", "true", kTlsV2);
  WriteFilter(options, xml);
  xml.Close();
  xml.Close();
}

void WritePeap(const VpnProfileOptions& options, XmlWriter& xml) {
  xml.Open("Eap", kBase);
  xml.Inner("Type", "25");
  xml.Open("EapType", kPeapV1);
  WriteServerValidation(options, xml);
  xml.Inner("FastReconnect", "false");
  xml.Inner("InnerEapOptional", "false");
  WriteEapTls(options, xml);
  xml.Inner("EnableQuarantineChecks", "false");
  xml.Inner("RequireCryptoBinding", "true");
  xml.OpenInner("PeapExtensions");
  xml.Leaf("PerformServerValidation", "true", kPeapV2);
  xml.Leaf("AcceptServerName", "true", kPeapV2);
  xml.Close();
  xml.Close();
  xml.Close();
}

void WriteEap(const VpnProfileOptions& options, XmlWriter& xml) {
  const bool is_peap = options.method == EapMethod::kPeapEapTls;
  xml.Open("Eap");
  xml.Open("Configuration");
  xml.Open("EapHostConfig", kHostConfig);
  xml.OpenInner("EapMethod");
  xml.Leaf("Type", is_peap ? "25" : "13", kCommon);
  xml.Leaf("VendorId", "0", kCommon);
  xml.Leaf("VendorType", "0", kCommon);
  xml.Leaf("AuthorId", "0", kCommon);
  xml.Close();
  xml.OpenInner("Config");
  if (is_peap) {
    WritePeap(options, xml);
  } else {
    WriteEapTls(options, xml);
  }
  xml.Close();
  xml.Close();
  xml.Close();
  xml.Close();
}

void WriteCompliance(const VpnProfileOptions& options, XmlWriter& xml) {
  xml.Open("DeviceCompliance");
  xml.Leaf("Enabled", "true");
  if (options.sso.has_value()) {
    xml.Open("Sso");
    xml.Leaf("Enabled", "true");
    xml.Leaf("Eku", absl::StrJoin(options.sso->purposes, ","));
    xml.Leaf("IssuerHash", absl::AsciiStrToLower(absl::StrJoin(options.sso->issuers, ",")));
    xml.Close();
  }
  xml.Close();
}

void WriteNameRules(const VpnProfileOptions& options, XmlWriter& xml) {
  for (const NameRule& rule : options.name_rules) {
    xml.Open("DomainNameInformation");
    xml.Leaf("DomainName", rule.name);
    if (!rule.dns_servers.empty()) xml.Leaf("DnsServers", absl::StrJoin(rule.dns_servers, ","));
    xml.Close();
  }
}

void WriteTrafficRules(const VpnProfileOptions& options, XmlWriter& xml) {
  const auto leaf = [&xml](absl::string_view name, absl::string_view value) {
    if (!value.empty()) xml.Leaf(name, value);
  };
  for (const TrafficRule& rule : options.traffic_rules) {
    xml.Open("TrafficFilter");
    if (!rule.app.empty()) {
      xml.Open("App");
      xml.Leaf("Id", rule.app);
      xml.Close();
    }
    if (rule.protocol.has_value()) xml.Leaf("Protocol", absl::StrCat(*rule.protocol));
    leaf("LocalPortRanges", rule.local_ports);
    leaf("RemotePortRanges", rule.remote_ports);
    leaf("LocalAddressRanges", rule.local_addresses);
    leaf("RemoteAddressRanges", rule.remote_addresses);
    if (rule.is_inbound) xml.Leaf("Direction", "Inbound");
    xml.Close();
  }
}

// `a;A,b;B`.
std::string ServersOf(const VpnProfileOptions& options) {
  return absl::StrJoin(options.servers, ",", [](std::string* text, const VpnServer& server) {
    absl::StrAppend(text, server.host, ";", server.label.empty() ? server.host : server.label);
  });
}

void WriteNativeProfile(const VpnProfileOptions& options, XmlWriter& xml) {
  xml.Open("NativeProfile");
  xml.Leaf("Servers", ServersOf(options));
  xml.Leaf("RoutingPolicyType", options.is_force_tunnel ? "ForceTunnel" : "SplitTunnel");
  xml.Leaf("NativeProtocolType",
           options.protocol == TunnelProtocol::kIkev2 ? "IKEv2" : "Automatic");
  if (!options.is_force_tunnel) xml.Leaf("DisableClassBasedDefaultRoute", "true");
  xml.Open("Authentication");
  if (options.is_device_tunnel) {
    xml.Leaf("MachineMethod", "Certificate");
  } else {
    xml.Leaf("UserMethod", "Eap");
    xml.Leaf("MachineMethod", "Eap");
    WriteEap(options, xml);
  }
  xml.Close();
  xml.Close();
}

void WriteProfile(const VpnProfileOptions& options, XmlWriter& xml) {
  xml.Open("VPNProfile");
  // Else Windows remembers the certificate of the first hour.
  xml.Leaf("RememberCredentials", "false");
  xml.Leaf("AlwaysOn", Flag(options.is_always_on));
  if (!options.dns_suffixes.empty()) {
    xml.Leaf("DnsSuffix", absl::StrJoin(options.dns_suffixes, ","));
  }
  if (!options.trusted_networks.empty()) {
    xml.Leaf("TrustedNetworkDetection", absl::StrJoin(options.trusted_networks, ","));
  }
  if (options.is_device_tunnel) xml.Leaf("DeviceTunnel", "true");
  if (options.registers_dns) xml.Leaf("RegisterDNS", "true");
  if (!options.is_device_tunnel) WriteCompliance(options, xml);
  WriteNameRules(options, xml);
  WriteTrafficRules(options, xml);
  WriteNativeProfile(options, xml);
  for (const IpPrefix& route : options.routes) {
    xml.Open("Route");
    xml.Leaf("Address", route.address);
    xml.Leaf("PrefixSize", absl::StrCat(route.size));
    xml.Close();
  }
  xml.Close();
}

}  // namespace

absl::StatusOr<std::string> WriteVpnProfile(const VpnProfileOptions& options, XmlLayout layout) {
  RETURN_IF_ERROR(CheckOptions(options));
  XmlWriter xml(layout);
  WriteProfile(options, xml);
  const std::vector<std::string> faults = SchemaFaults(xml.text());
  if (!faults.empty()) {
    return Error(ErrorReason::kInternalError, "",
                 absl::StrCat("the profile is not valid: ", faults.front()));
  }
  return xml.text();
}

}  // namespace hourglass::profiles
