#include "tools/doctor/strongswan_check.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/doctor/finding_list.h"
#include "tools/doctor/object_identifier.h"

namespace hourglass::doctor {
namespace {

constexpr long long kHour = 3600;  // seconds: how long a certificate lives

// `1h`, `50m`, `3600s`, `3600`; empty where it is none.
std::optional<long long> SecondsOf(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  long long unit = 1;
  if (absl::ConsumeSuffix(&text, "d")) {
    unit = 24 * kHour;
  } else if (absl::ConsumeSuffix(&text, "h")) {
    unit = kHour;
  } else if (absl::ConsumeSuffix(&text, "m")) {
    unit = 60;
  } else {
    absl::ConsumeSuffix(&text, "s");
  }
  long long number = 0;
  constexpr long long kMost = 1'000'000'000;
  if (!absl::SimpleAtoi(text, &number) || number < 0 || number > kMost) return std::nullopt;
  return number * unit;
}

bool IsPassword(absl::string_view auth) {
  return auth == "psk" || absl::StartsWith(auth, "xauth") || auth == "eap-md5" ||
         auth == "eap-mschapv2" || auth == "eap-gtc" || auth == "eap-dynamic" || auth == "eap" ||
         auth == "eap-peap" || auth == "eap-ttls";
}

class Check {
 public:
  explicit Check(const std::string& file) : findings_(file) {}

  void CheckConnection(const StrongswanSection& connection);
  void CheckCharon(const StrongswanSection& charon);
  void CheckIncludes(const StrongswanSettings& settings);
  std::vector<Finding> Take() { return findings_.Take(); }

 private:
  void CheckRemote(const StrongswanSection& connection, const StrongswanSection& remote);
  void CheckRevocation(const StrongswanSection& remote);
  void CheckCertificateAuth(const StrongswanSection& remote, absl::string_view auth);
  void CheckEapRadius(const StrongswanSection& connection, const StrongswanSection& remote);
  void CheckLifetime(const StrongswanSection& connection);
  void CheckLoad(const StrongswanValue& load);
  void CheckRadiusPlugin(const StrongswanSection& plugin);
  void GoTo(int line, absl::string_view item) { findings_.GoTo(line, std::string(item)); }
  static int LineOf(const StrongswanSection& section, absl::string_view value) {
    const StrongswanValue* found = section.Value(value);
    return found == nullptr ? section.line : found->line;
  }

  FindingList findings_;
};

void Check::CheckRevocation(const StrongswanSection& remote) {
  if (remote.Text("revocation", "relaxed") == "strict") {
    findings_.AddError(
        "strongswan-revocation-strict", "revocation is strict",
        "a certificate of Hourglass names no revocation list and no responder: every "
        "one is refused",
        "leave the line out, or write `revocation = ifuri`", LineOf(remote, "revocation"));
  }
  if (const StrongswanValue* policy = remote.Value("cert_policy"); policy != nullptr) {
    const bool is_ours = absl::StrContains(policy->value, kConditionalAccessOid);
    if (is_ours) {
      findings_.AddError("strongswan-cert-policy",
                         "cert_policy is about certificatePolicies, and the OID of conditional "
                         "access is an extended key usage",
                         "every certificate is refused",
                         "leave the line out; have the OID checked by FreeRADIUS (auth = "
                         "eap-radius)",
                         policy->line);
    }
  }
}

void Check::CheckCertificateAuth(const StrongswanSection& remote, absl::string_view auth) {
  const bool pinned = remote.Value("cacerts") != nullptr || remote.Value("ca_id") != nullptr;
  if (!pinned && remote.includes) {
    findings_.AddNote("strongswan-roots-included",
                      "which roots count for clients stands in a file that is included here", "",
                      "see that it names the tenant's roots in cacerts, and nothing else does",
                      LineOf(remote, "auth"));
    return;
  }
  if (!pinned) {
    findings_.AddError(
        "strongswan-oid-not-checked",
        absl::StrCat("clients are authenticated by the gateway itself (", auth,
                     "), and any authority that it trusts will do"),
        "strongSwan looks at no extended key usage: a certificate without the OID, and even "
        "without clientAuth, brings the tunnel up",
        "use auth = eap-radius with a RADIUS server that asks for the OID; or at least name the "
        "tenant's roots in cacerts, which sign nothing else",
        LineOf(remote, "auth"));
    return;
  }
  findings_.AddNote("strongswan-oid-not-checked-pinned",
                    absl::StrCat("clients are authenticated by the gateway itself (", auth,
                                 "), which does not look at the OID"),
                    "safe only while the roots in cacerts sign nothing but certificates of "
                    "Hourglass",
                    "auth = eap-radius has the OID checked by the RADIUS server",
                    LineOf(remote, "auth"));
}

void Check::CheckEapRadius(const StrongswanSection& connection, const StrongswanSection& remote) {
  const std::string eap_id = remote.Text("eap_id", "");
  if (eap_id != "%any") {
    findings_.AddWarning("strongswan-no-eap-identity",
                         "the client's EAP identity is not asked for (eap_id is not %any)",
                         "the RADIUS server gets the IKE identity as User-Name, which Windows "
                         "fills with an address: it is not the user of the certificate",
                         "write `eap_id = %any`", LineOf(remote, "eap_id"));
  }
  if (connection.Text("version", "0") == "1") {
    findings_.AddError("strongswan-eap-needs-ikev2", "version is 1",
                       "IKEv1 has no EAP: no tunnel comes up", "write `version = 2`",
                       LineOf(connection, "version"));
  }
}

void Check::CheckRemote(const StrongswanSection& connection, const StrongswanSection& remote) {
  GoTo(remote.line, absl::StrCat("connections.", connection.name, ".", remote.name));
  const std::string auth = remote.Text("auth", "pubkey");
  CheckRevocation(remote);
  if (IsPassword(auth)) {
    findings_.AddError("strongswan-password", absl::StrCat("clients are authenticated by ", auth),
                       "whoever knows a password gets in, without certificate and without "
                       "conditional access",
                       "use auth = eap-radius, with a server that takes EAP-TLS only",
                       LineOf(remote, "auth"));
  } else if (auth == "eap-radius") {
    CheckEapRadius(connection, remote);
  } else {
    CheckCertificateAuth(remote, auth);
  }
}

// A certificate is asked for again when the IKE_SA is authenticated anew, and not when it is
// rekeyed.
void Check::CheckLifetime(const StrongswanSection& connection) {
  GoTo(connection.line, absl::StrCat("connections.", connection.name));
  const std::string text = connection.Text("reauth_time", "0");
  const std::optional<long long> seconds = SecondsOf(text);
  if (seconds.has_value() && *seconds > 0 && *seconds <= kHour) return;
  findings_.AddWarning("strongswan-no-reauthentication",
                       seconds.value_or(0) == 0
                           ? "the client never shows a certificate again (reauth_time is not set)"
                           : absl::StrCat("the client shows a certificate again after ", text,
                                          " only (reauth_time)"),
                       "a tunnel outlives its certificate: who falls out of order stays connected",
                       "write `reauth_time = 50m`; rekey_time does not ask for a certificate",
                       LineOf(connection, "reauth_time"));
}

void Check::CheckConnection(const StrongswanSection& connection) {
  bool has_remote = false;
  bool by_radius = false;
  for (const StrongswanSection& section : connection.sections) {
    if (!absl::StartsWith(section.name, "remote")) continue;
    has_remote = true;
    by_radius = by_radius || section.Text("auth", "pubkey") == "eap-radius";
    CheckRemote(connection, section);
  }
  if (!has_remote) {
    StrongswanSection implied;
    implied.name = "remote";
    implied.line = connection.line;
    CheckRemote(connection, implied);
  }
  // Of eap-radius, Session-Timeout is the bound: doctor radius looks at it.
  if (!by_radius) CheckLifetime(connection);
}

void Check::CheckLoad(const StrongswanValue& load) {
  const std::vector<std::string> plugins =
      absl::StrSplit(load.value, absl::ByAnyChar(" \t\n"), absl::SkipEmpty());
  const auto place = [&plugins](absl::string_view name) {
    return std::find_if(plugins.begin(), plugins.end(), [name](absl::string_view plugin) {
      absl::ConsumeSuffix(&plugin, "!");
      return plugin == name;
    });
  };
  const auto openssl = place("openssl");
  const auto x509 = place("x509");
  if (openssl == plugins.end() || (x509 != plugins.end() && x509 < openssl)) return;
  GoTo(load.line, "charon.load");
  findings_.AddWarning("strongswan-x509-behind-openssl",
                       x509 == plugins.end() ? "the plugin x509 is not loaded"
                                             : "the plugin openssl is loaded before x509",
                       "only x509 reads the user principal name of a certificate: an id such as "
                       "alice@contoso.example matches none",
                       "name x509 before openssl");
}

void Check::CheckRadiusPlugin(const StrongswanSection& plugin) {
  const StrongswanSection* servers = plugin.Section("servers");
  std::vector<StrongswanSection> all;
  if (servers != nullptr) all = servers->sections;
  if (plugin.Value("server") != nullptr || plugin.Value("secret") != nullptr) all.push_back(plugin);
  for (const StrongswanSection& server : all) {
    GoTo(server.line, absl::StrCat("charon.plugins.eap-radius ", server.name));
    if (!server.Text("secret", plugin.Text("secret", "")).empty()) continue;
    findings_.AddError("strongswan-radius-no-secret", "the RADIUS server has no secret",
                       "it answers nothing, or anybody can answer in its place",
                       "set the secret that the RADIUS server has for this gateway",
                       LineOf(server, "secret"));
  }
  const StrongswanSection* dae = plugin.Section("dae");
  if (dae == nullptr || dae->Text("enable", "no") != "yes") return;
  GoTo(dae->line, "charon.plugins.eap-radius.dae");
  if (dae->Text("secret", "").empty()) {
    findings_.AddError("strongswan-dae-no-secret", "requests to disconnect need no secret",
                       "anybody can end every tunnel", "set a long random secret",
                       LineOf(*dae, "secret"));
  }
  const std::string listen = dae->Text("listen", "0.0.0.0");
  if (listen == "0.0.0.0") {
    findings_.AddWarning("strongswan-dae-open", "requests to disconnect are taken on every address",
                         "there is one secret and no list of senders, and `*` as User-Name ends "
                         "every tunnel",
                         "set listen to the address that hourglass-gatewayd uses, and let a "
                         "firewall pass no other sender",
                         LineOf(*dae, "listen"));
  }
}

void Check::CheckCharon(const StrongswanSection& charon) {
  if (const StrongswanValue* load = charon.Value("load"); load != nullptr) CheckLoad(*load);
  const StrongswanSection* plugins = charon.Section("plugins");
  if (plugins == nullptr) return;
  if (const StrongswanSection* radius = plugins->Section("eap-radius"); radius != nullptr) {
    CheckRadiusPlugin(*radius);
  }
}

void Check::CheckIncludes(const StrongswanSettings& settings) {
  for (const StrongswanValue& include : settings.includes) {
    GoTo(include.line, "");
    findings_.AddNote("config-include", absl::StrCat("it includes ", include.value),
                      "what stands there was not looked at", "give those files to the doctor, too");
  }
}

}  // namespace

std::vector<Finding> CheckStrongswan(const StrongswanSettings& settings, const std::string& file) {
  Check check(file);
  if (const StrongswanSection* all = settings.root.Section("connections"); all != nullptr) {
    for (const StrongswanSection& connection : all->sections) check.CheckConnection(connection);
  }
  if (const StrongswanSection* charon = settings.root.Section("charon"); charon != nullptr) {
    check.CheckCharon(*charon);
  }
  check.CheckIncludes(settings);
  return check.Take();
}

}  // namespace hourglass::doctor
