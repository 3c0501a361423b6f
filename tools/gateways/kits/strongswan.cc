#include "tools/gateways/kits/strongswan.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/gateways/follower.h"
#include "tools/gateways/kit_values.h"
#include "tools/gateways/kits/strongswan_templates.h"
#include "tools/gateways/template.h"

namespace hourglass::gateways {
namespace {

constexpr absl::string_view kRadius = "eap-radius";

constexpr KitValue kValues[] = {
    {"variant",
     "pubkey (the gateway sees certificates), eap-tls (it sees them in EAP) or eap-radius (a "
     "RADIUS "
     "server does, and checks the purpose, which strongSwan cannot)",
     ""},
    {"gateway_name", "the name that clients know the gateway by, as in its certificate", ""},
    {"pool", "the network that clients get addresses from, such as 10.20.0.0/24", ""},
    {"networks", "what clients reach through the tunnel: networks, or 0.0.0.0/0 for all", ""},
    {"dns", "name servers for clients: addresses", "-"},
    {"folder", "swanctl's folder on the gateway", "/etc/swanctl"},
    {"longest_session", "pubkey and eap-tls: seconds after which a client must authenticate anew",
     "3600"},
    {"radius_server", "eap-radius: the host that decides, which must be given there", "-"},
    {"radius_port", "eap-radius: its port", "1812"},
    {"radius_secret", "eap-radius: the secret shared with it, which must be given there", "-",
     true},
    {"disconnect_secret",
     "eap-radius: the secret of whoever may end tunnels; without it nobody may by RADIUS", "-",
     true},
    {"disconnect_address", "eap-radius: the address that it listens on for these", "127.0.0.1"},
    {"disconnect_port", "eap-radius: the port for these", "3799"},
};

constexpr int kShortestSession = 300;
constexpr int kLongestSession = 86400;

bool IsRadius(const Values& values) { return ValueOf(values, "variant") == kRadius; }

absl::Status CheckVariant(const Values& values) {
  const std::string& variant = ValueOf(values, "variant");
  if (variant != "pubkey" && variant != "eap-tls" && variant != kRadius) {
    return Error(ErrorReason::kFieldInvalid, "variant", "must be pubkey, eap-tls or eap-radius");
  }
  for (const absl::string_view name : {"radius_server", "radius_secret", "disconnect_secret"}) {
    const bool given = !ValueOf(values, name).empty();
    if (given && !IsRadius(values)) {
      return Error(ErrorReason::kFieldInvalid, name,
                   absl::StrCat("goes with variant=eap-radius only, not with ", variant));
    }
    if (!given && IsRadius(values) && name != "disconnect_secret") {
      return Error(ErrorReason::kFieldMissing, name,
                   absl::StrCat("must be given with variant=eap-radius, by ",
                                name == "radius_secret" ? "--set-file" : "--set"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRadius(const Values& values) {
  if (!IsRadius(values)) return absl::OkStatus();
  RETURN_IF_ERROR(CheckHost(values, "radius_server"));
  RETURN_IF_ERROR(CheckPort(values, "radius_port"));
  RETURN_IF_ERROR(CheckRadiusSecret(values, "radius_secret"));
  RETURN_IF_ERROR(CheckAddress(values, "disconnect_address"));
  RETURN_IF_ERROR(CheckPort(values, "disconnect_port"));
  return ValueOf(values, "disconnect_secret").empty()
             ? absl::OkStatus()
             : CheckRadiusSecret(values, "disconnect_secret");
}

absl::Status CheckValues(const Values& values) {
  RETURN_IF_ERROR(CheckVariant(values));
  RETURN_IF_ERROR(CheckHost(values, "gateway_name"));
  RETURN_IF_ERROR(CheckNetwork(values, "pool"));
  RETURN_IF_ERROR(CheckNetworks(values, "networks"));
  if (!ValueOf(values, "dns").empty()) RETURN_IF_ERROR(CheckAddresses(values, "dns"));
  RETURN_IF_ERROR(CheckPath(values, "folder"));
  RETURN_IF_ERROR(CheckPath(values, "follower_folder"));
  RETURN_IF_ERROR(CheckNumber(values, "longest_session", kShortestSession, kLongestSession));
  return CheckRadius(values);
}

// In double quotes strongSwan takes any octet, and `\` for an escape (strongswan.conf(5)).
std::string Quoted(const Values& values, absl::string_view name) {
  const std::string& text = ValueOf(values, name);
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

// Without the newline at its end.
absl::StatusOr<std::string> Remote(const KitSubject& subject, const Values& values) {
  const std::string file = absl::StrCat("remote_", ValueOf(values, "variant"), ".conf");
  const absl::string_view text = StrongswanTemplate(file);
  ASSIGN_OR_RETURN(std::string remote, IsRadius(values)
                                           ? FillTemplate(text, {})
                                           : FillTemplate(text, {{"tenant", subject.tenant_id}}));
  if (!remote.empty()) remote.pop_back();
  return remote;
}

// A tenth of the time is left to a client that authenticates anew.
absl::StatusOr<std::string> Lifetime(const Values& values) {
  if (IsRadius(values)) return std::string(StrongswanTemplate("lifetime_radius.conf"));
  const std::string& longest = ValueOf(values, "longest_session");
  int seconds = 0;
  if (!absl::SimpleAtoi(longest, &seconds)) {
    return Error(ErrorReason::kInternalError, "", "longest_session is no number");
  }
  const int over = seconds / 10;
  return FillTemplate(StrongswanTemplate("lifetime.conf"),
                      {{"longest_session", longest},
                       {"reauth_time", absl::StrCat(seconds - over)},
                       {"over_time", absl::StrCat(over)}});
}

absl::StatusOr<std::string> Connection(const KitSubject& subject, const Values& values) {
  ASSIGN_OR_RETURN(const std::string remote, Remote(subject, values));
  ASSIGN_OR_RETURN(const std::string lifetime, Lifetime(values));
  const std::string& dns = ValueOf(values, "dns");
  return FillTemplate(StrongswanTemplate("connection.conf"),
                      {{"tenant", subject.tenant_id},
                       {"variant", ValueOf(values, "variant")},
                       {"folder", ValueOf(values, "folder")},
                       {"gateway_name", ValueOf(values, "gateway_name")},
                       {"lifetime", lifetime},
                       {"remote", remote},
                       {"networks", ValueOf(values, "networks")},
                       {"pool", ValueOf(values, "pool")},
                       {"dns", dns.empty() ? "" : absl::StrCat("\t\tdns = ", dns, "\n")}});
}

absl::StatusOr<std::string> Dae(const Values& values) {
  if (ValueOf(values, "disconnect_secret").empty()) return "";
  return FillTemplate(StrongswanTemplate("dae.conf"),
                      {{"disconnect_address", ValueOf(values, "disconnect_address")},
                       {"disconnect_port", ValueOf(values, "disconnect_port")},
                       {"disconnect_secret", Quoted(values, "disconnect_secret")}});
}

absl::StatusOr<std::string> Charon(const Values& values) {
  ASSIGN_OR_RETURN(const std::string dae, Dae(values));
  return FillTemplate(StrongswanTemplate("charon.conf"),
                      {{"radius_server", ValueOf(values, "radius_server")},
                       {"radius_port", ValueOf(values, "radius_port")},
                       {"radius_secret", Quoted(values, "radius_secret")},
                       {"dae", dae}});
}

absl::StatusOr<std::string> Readme(const KitSubject& subject, const Values& values) {
  const bool is_radius = IsRadius(values);
  const std::string charon = absl::StrCat("hourglass-", subject.tenant_id, ".conf");
  const std::string& follower = ValueOf(values, "follower_folder");
  const std::string copy =
      absl::StrCat(" && install -m 600 strongswan.d/", charon, " /etc/strongswan.d/");
  const std::string remove = absl::StrCat(" /etc/strongswan.d/", charon);
  const std::string unit = "hourglass-bundle-strongswan.service";
  const std::string roots =
      is_radius
          ? "Roots that change: nothing to do here; the RADIUS server follows them. With NPS, "
            "see hourglass gateways kit windows."
          : absl::StrCat("Roots that change: put follower/ into ", follower,
                         " with the credentials of a caller of the role relying_party "
                         "(docs/gateways.md of Hourglass), then systemctl enable --now ",
                         follower, "/", unit, ".");
  return FillTemplate(
      StrongswanTemplate("README"),
      {{"tenant", subject.tenant_id},
       {"folder", ValueOf(values, "folder")},
       {"gateway_name", ValueOf(values, "gateway_name")},
       {"copy_charon", is_radius ? copy : ""},
       {"remove_charon", is_radius ? remove : ""},
       {"roots", roots},
       {"undo_follower",
        is_radius ? "" : absl::StrCat("Before it: systemctl disable --now ", unit, ".")}});
}

// What strongSwan trusts, as the script `reload` writes it.
std::vector<KitFile> Roots(const KitSubject& subject) {
  std::vector<KitFile> files;
  const std::string prefix = absl::StrCat("hourglass-", subject.tenant_id);
  std::vector<std::string> names;
  for (const KitRoot& root : subject.roots) {
    names.push_back(absl::StrCat(prefix, "-", root.root_id, ".pem"));
    files.push_back({absl::StrCat("swanctl/x509ca/", names.back()), root.pem});
  }
  std::sort(names.begin(), names.end());
  files.push_back(
      {absl::StrCat("swanctl/conf.d/", prefix, ".cacerts"),
       absl::StrCat("# Kept by hourglass-bundle.\ncacerts = ", absl::StrJoin(names, ","), "\n")});
  return files;
}

absl::StatusOr<std::vector<KitFile>> Following(const KitSubject& subject, const Values& values) {
  const std::string& folder = ValueOf(values, "follower_folder");
  const std::string script = absl::StrCat("hourglass-", subject.tenant_id, "-strongswan-reload");
  ASSIGN_OR_RETURN(std::vector<KitFile> files,
                   FollowerFiles(subject, values,
                                 {.kind = "strongswan",
                                  .out = absl::StrCat(folder, "/roots.pem"),
                                  .on_change = absl::StrCat(folder, "/", script)}));
  ASSIGN_OR_RETURN(const std::string reload, FillTemplate(StrongswanTemplate("reload"),
                                                          {{"folder", ValueOf(values, "folder")},
                                                           {"tenant", subject.tenant_id},
                                                           {"follower_folder", folder}}));
  files.push_back(
      {absl::StrCat("follower/", script), reload, /*is_secret=*/false, /*is_executable=*/true});
  return files;
}

absl::StatusOr<std::vector<KitFile>> Write(const KitSubject& subject, const Values& values) {
  RETURN_IF_ERROR(CheckValues(values));
  const std::string name = absl::StrCat("hourglass-", subject.tenant_id, ".conf");
  ASSIGN_OR_RETURN(const std::string readme, Readme(subject, values));
  ASSIGN_OR_RETURN(const std::string connection, Connection(subject, values));
  std::vector<KitFile> files = {{"README", readme},
                                {absl::StrCat("swanctl/conf.d/", name), connection}};
  if (IsRadius(values)) {
    ASSIGN_OR_RETURN(const std::string charon, Charon(values));
    files.push_back({absl::StrCat("strongswan.d/", name), charon, /*is_secret=*/true});
    return files;
  }
  ASSIGN_OR_RETURN(const std::vector<KitFile> following, Following(subject, values));
  for (const std::vector<KitFile>& more : {Roots(subject), following}) {
    files.insert(files.end(), more.begin(), more.end());
  }
  return files;
}

constexpr Kit kKit = {"strongswan", "strongSwan 5.9 as an IKEv2 gateway, three variants", kValues,
                      &Write};

}  // namespace

const Kit& StrongswanKit() { return kKit; }

}  // namespace hourglass::gateways
