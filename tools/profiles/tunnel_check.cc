#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/profiles/profile_check.h"

namespace hourglass::profiles {
namespace {

// A name of a machine rather than words to show: a dot in it and no blank.
bool LooksLikeHost(absl::string_view text) {
  return absl::StrContains(text, '.') && !absl::StrContains(text, ' ');
}

void CheckServers(const ProfileView& view, Report& report) {
  const xml::Element* servers = view.native->Child("Servers");
  if (servers == nullptr) return;
  const absl::string_view text = servers->Trimmed();
  if (!absl::StrContains(text, ';')) {
    report.Add(kServersAlone, *servers, "Servers has no name behind `;`");
  }
  for (const absl::string_view server : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(server, ';');
    const bool is_list = parts.size() > 2 || (parts.size() == 2 && LooksLikeHost(parts[1]) &&
                                              !absl::EqualsIgnoreCase(parts[0], parts[1]));
    if (is_list) {
      report.Add(kServersList, *servers,
                 absl::StrCat("\"", server.substr(0, 100), "\" looks like a list of servers"));
    }
  }
}

// Whether `name` of a certificate is `host`; `*.` stands for one label.
bool IsNameOf(absl::string_view name, absl::string_view host) {
  if (absl::EqualsIgnoreCase(name, host)) return true;
  if (!absl::ConsumePrefix(&name, "*.")) return false;
  const std::size_t dot = host.find('.');
  return dot != absl::string_view::npos && absl::EqualsIgnoreCase(host.substr(dot + 1), name);
}

bool HasName(const Surroundings::Gateway& gateway, absl::string_view host) {
  return std::any_of(gateway.names.begin(), gateway.names.end(),
                     [host](const std::string& name) { return IsNameOf(name, host); });
}

bool IsFor(const Surroundings::Gateway& gateway, absl::string_view purpose) {
  return gateway.purposes.empty() || std::find(gateway.purposes.begin(), gateway.purposes.end(),
                                               purpose) != gateway.purposes.end();
}

void CheckGateways(const xml::Element& servers, const Surroundings& surroundings, Report& report) {
  const auto& gateways = surroundings.gateways;
  if (gateways.empty()) return;
  for (const absl::string_view server : absl::StrSplit(servers.Trimmed(), ',')) {
    const absl::string_view host = server.substr(0, server.find(';'));
    const bool is_known = std::any_of(gateways.begin(), gateways.end(),
                                      [host](const auto& one) { return HasName(one, host); });
    if (!is_known) {
      report.Add(kGatewayName, servers,
                 absl::StrCat("no gateway's certificate has the name ", host.substr(0, 100)));
    }
  }
  for (const Surroundings::Gateway& gateway : gateways) {
    const std::string whose =
        gateway.names.empty() ? "a certificate" : absl::StrCat("that of ", gateway.names.front());
    if (!IsFor(gateway, "1.3.6.1.5.5.7.3.1")) {
      report.Add(kGatewayPurpose, servers, absl::StrCat(whose, " is not for servers"));
    } else if (!IsFor(gateway, "1.3.6.1.5.5.8.2.2")) {
      report.Add(kGatewayChoice, servers, absl::StrCat(whose, " has not IKE intermediate"));
    }
  }
}

void CheckSuite(const ProfileView& view, Report& report) {
  const xml::Element* suite = view.native->Child("CryptographySuite");
  if (suite == nullptr) return;
  const absl::string_view protocol = view.OfNative("NativeProtocolType");
  if (protocol != "IKEv2") {
    report.Add(kSuiteIgnored, *suite,
               absl::StrCat("CryptographySuite with NativeProtocolType ",
                            protocol.empty() ? "left out" : protocol.substr(0, 40)));
  }
  const absl::string_view authentication = ChildText(suite, "AuthenticationTransformConstants");
  const absl::string_view cipher = ChildText(suite, "CipherTransformConstants");
  const bool is_gcm = absl::StartsWith(authentication, "GCM") || absl::StartsWith(cipher, "GCM");
  if (is_gcm && !authentication.empty() && !cipher.empty() && authentication != cipher) {
    report.Add(kSuiteMismatch, *suite,
               absl::StrCat(authentication.substr(0, 40), " with ", cipher.substr(0, 40)));
  }
}

void CheckDeviceTunnel(const ProfileView& view, Report& report) {
  const xml::Element& at = *view.profile->Child("DeviceTunnel");
  if (view.OfNative("NativeProtocolType") != "IKEv2") {
    report.Add(kDeviceTunnelMethod, at, "a device tunnel with another protocol than IKEv2");
  }
  if (view.authentication != nullptr && view.authentication->Child("UserMethod") != nullptr) {
    report.Add(kDeviceTunnelMethod, *view.authentication->Child("UserMethod"),
               "a device tunnel with UserMethod");
  }
  if (ChildText(view.authentication, "MachineMethod") != "Certificate") {
    report.Add(kDeviceTunnelMethod, at, "a device tunnel without MachineMethod Certificate");
  }
}

void CheckMethods(const ProfileView& view, Report& report) {
  const xml::Element* user = view.authentication->Child("UserMethod");
  const xml::Element* machine = view.authentication->Child("MachineMethod");
  const absl::string_view protocol = view.OfNative("NativeProtocolType");
  if (user != nullptr && machine != nullptr && machine->Trimmed() == "Certificate") {
    report.Add(kMethodsMixed, *machine, "MachineMethod Certificate beside UserMethod");
  }
  if (user != nullptr && user->Trimmed() == "MSChapv2") {
    report.Add(protocol == "IKEv2" ? kMethodOfProtocol : kPasswordMethod, *user,
               "UserMethod is MSChapv2");
  }
  const bool has_machine = protocol != "PPTP" && protocol != "L2TP" && protocol != "SSTP";
  if (machine != nullptr && !has_machine) {
    report.Add(kMethodOfProtocol, *machine, absl::StrCat("MachineMethod with ", protocol));
  }
  if (user != nullptr && user->Trimmed() == "Eap" && machine == nullptr && has_machine) {
    report.Add(kServersAlone, *user, "UserMethod Eap without MachineMethod Eap");
  }
}

void CheckLockDown(const ProfileView& view, Report& report) {
  if (view.Of("LockDown") != "true") return;
  const bool counts = view.OfNative("NativeProtocolType") == "IKEv2" &&
                      view.OfNative("RoutingPolicyType") == "ForceTunnel";
  report.Add(counts ? kLockDown : kLockDownIgnored, *view.profile->Child("LockDown"),
             counts ? "LockDown is true" : "LockDown without IKEv2 and ForceTunnel");
}

}  // namespace

void CheckTunnel(const ProfileView& view, const Surroundings& surroundings, Report& report) {
  if (view.profile == nullptr || view.native == nullptr) return;
  CheckServers(view, report);
  if (const xml::Element* servers = view.native->Child("Servers")) {
    CheckGateways(*servers, surroundings, report);
  }
  CheckSuite(view, report);
  if (view.IsDeviceTunnel()) {
    CheckDeviceTunnel(view, report);
  } else if (view.authentication != nullptr) {
    CheckMethods(view, report);
  }
  CheckLockDown(view, report);
  const absl::string_view protocol = view.OfNative("NativeProtocolType");
  if (protocol == "SSTP" || protocol == "ProtocolList") {
    report.Add(kProtocolNewer, *view.native->Child("NativeProtocolType"),
               absl::StrCat("NativeProtocolType is ", protocol));
  }
}

}  // namespace hourglass::profiles
