#include <sys/stat.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/files.h"
#include "tools/client/usage.h"
#include "tools/client/wording.h"
#include "tools/doctor/finding.h"
#include "tools/hourglass/profiles.h"
#include "tools/profiles/deployment.h"
#include "tools/profiles/option_rules.h"
#include "tools/profiles/vpn_profile.h"

namespace hourglass::cli {
namespace {

using profiles::KnownCertificate;
using profiles::VpnProfileOptions;

// As they were typed.
struct ProfileOptions {
  TenantRootOptions roots;
  std::string name;
  std::string format = "xml";
  std::string out;
  bool force = false;
  bool minify = false;
  std::vector<std::string> servers;
  std::string protocol = "ikev2";
  std::string method = "eap-tls";
  std::string routing = "split";
  std::vector<std::string> routes;
  std::vector<std::string> radius_names;
  std::vector<std::string> server_roots;
  bool pin_roots = false;
  std::vector<std::string> sso_issuers;
  std::vector<std::string> sso_purposes;
  std::vector<std::string> dns_suffixes;
  std::vector<std::string> trusted_networks;
  std::vector<std::string> name_rules;
  std::vector<std::string> traffic_filters;
  bool device_tunnel = false;
  bool manual = false;
  bool register_dns = false;
};

constexpr char kClientAuthentication[] = "1.3.6.1.5.5.7.3.2";

bool IsFile(const std::string& out) { return !out.empty() && out != client::kStandardStream; }

absl::StatusOr<std::vector<KnownCertificate>> ReadServerRoots(const ProfileOptions& options,
                                                              const TenantRoots& roots) {
  ASSIGN_OR_RETURN(std::vector<KnownCertificate> given,
                   ReadCertificateFiles(options.server_roots, "--server-root"));
  for (const KnownCertificate& one : given) {
    RETURN_IF_ERROR(profiles::CheckServerRoot(one, roots.all, absl::Now()));
  }
  return given;
}

// CAHashList: the client offers certificates of these roots alone.
absl::StatusOr<std::vector<std::string>> PinnedRoots(const ProfileOptions& options,
                                                     const TenantRoots& roots) {
  std::vector<std::string> pinned;
  if (!options.pin_roots) return pinned;
  if (roots.live.empty() || !roots.has_primary) {
    return Error(ErrorReason::kNoPrimaryRoot, "--pin-roots",
                 roots.live.empty() ? "there is no root of the tenant to name"
                                    : "the tenant has no primary root: nothing is issued that a "
                                      "client could offer");
  }
  for (const KnownCertificate& root : roots.live) pinned.push_back(root.sha1_thumbprint);
  return pinned;
}

absl::StatusOr<std::optional<profiles::SingleSignOn>> ReadSso(const ProfileOptions& options,
                                                              const TenantRoots& roots) {
  if (options.sso_issuers.empty() && options.sso_purposes.empty()) {
    return std::optional<profiles::SingleSignOn>();
  }
  profiles::SingleSignOn sso;
  ASSIGN_OR_RETURN(const std::vector<KnownCertificate> issuers,
                   ReadCertificateFiles(options.sso_issuers, "--sso-issuer"));
  for (const KnownCertificate& issuer : issuers) {
    RETURN_IF_ERROR(profiles::CheckSsoIssuer(issuer, roots.all));
    sso.issuers.push_back(issuer.sha1_thumbprint);
  }
  sso.purposes = options.sso_purposes;
  if (sso.purposes.empty()) sso.purposes = {kClientAuthentication};
  return std::optional<profiles::SingleSignOn>(std::move(sso));
}

// What several values of an option are, read one by one.
template <typename Value>
absl::Status ReadAll(const std::vector<std::string>& texts,
                     absl::StatusOr<Value> (*read)(absl::string_view), std::vector<Value>& values) {
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(Value value, read(text));
    values.push_back(std::move(value));
  }
  return absl::OkStatus();
}

absl::StatusOr<VpnProfileOptions> ReadOptions(const ProfileOptions& typed,
                                              const std::vector<KnownCertificate>& server_roots,
                                              const TenantRoots& roots) {
  VpnProfileOptions options;
  RETURN_IF_ERROR(ReadAll(typed.servers, &profiles::ParseServer, options.servers));
  RETURN_IF_ERROR(ReadAll(typed.routes, &profiles::ParseRoute, options.routes));
  RETURN_IF_ERROR(ReadAll(typed.name_rules, &profiles::ParseNameRule, options.name_rules));
  RETURN_IF_ERROR(
      ReadAll(typed.traffic_filters, &profiles::ParseTrafficRule, options.traffic_rules));
  ASSIGN_OR_RETURN(options.issuer_roots, PinnedRoots(typed, roots));
  ASSIGN_OR_RETURN(options.sso, ReadSso(typed, roots));
  for (const KnownCertificate& root : server_roots) {
    options.server_roots.push_back(root.sha1_thumbprint);
  }
  options.protocol = typed.protocol == "ikev2" ? profiles::TunnelProtocol::kIkev2
                                               : profiles::TunnelProtocol::kAutomatic;
  options.method =
      typed.method == "eap-tls" ? profiles::EapMethod::kEapTls : profiles::EapMethod::kPeapEapTls;
  options.is_force_tunnel = typed.routing == "force";
  options.radius_names = typed.radius_names;
  options.dns_suffixes = typed.dns_suffixes;
  options.trusted_networks = typed.trusted_networks;
  options.is_device_tunnel = typed.device_tunnel;
  options.is_always_on = !typed.manual;
  options.registers_dns = typed.register_dns;
  return options;
}

// What is in the file: the profile, or what brings it onto a machine.
absl::StatusOr<std::string> ContentOf(const ProfileOptions& typed,
                                      const VpnProfileOptions& options) {
  const bool one_line = typed.minify || typed.format == "oma-uri";
  ASSIGN_OR_RETURN(std::string xml,
                   profiles::WriteVpnProfile(options, one_line ? profiles::XmlLayout::kOneLine
                                                               : profiles::XmlLayout::kIndented));
  if (typed.format == "oma-uri") return profiles::OmaUriValue(xml);
  if (typed.format == "powershell") {
    return profiles::InstallScript(typed.name, xml, typed.device_tunnel);
  }
  return xml;
}

absl::Status CheckIsNew(const ProfileOptions& typed) {
  struct stat status = {};
  if (typed.force || !IsFile(typed.out) || lstat(typed.out.c_str(), &status) != 0) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kFieldInvalid, "--out",
               absl::StrCat(client::Printable(typed.out),
                            " is there already: give another path, or --force to replace it"));
}

std::string NextSteps(const ProfileOptions& typed) {
  if (typed.format == "powershell") {
    return "Run it on each machine as SYSTEM, in 64-bit Windows PowerShell (Intune, or a scheduled "
           "task).\n";
  }
  if (typed.name.empty()) {
    return "Deploy it as ./User/Vendor/MSFT/VPNv2/NAME/ProfileXML; with --name it is said how.\n";
  }
  return absl::StrCat("Deploy it by an MDM: OMA-URI ",
                      profiles::OmaUri(typed.name, typed.device_tunnel), "\n");
}

std::string InWords(const ProfileOptions& typed, const std::vector<KnownCertificate>& server_roots,
                    const std::vector<doctor::Finding>& findings) {
  std::string text =
      absl::StrCat("Wrote ", client::Printable(typed.out), ": a ",
                   typed.device_tunnel ? "device's" : "user's", " tunnel, ", typed.routing, ".\n");
  for (const KnownCertificate& root : server_roots) {
    absl::StrAppend(&text, "  trusted for the RADIUS server: ", client::Printable(root.subject),
                    ", SHA-1 ", root.sha1_thumbprint, "\n");
  }
  if (typed.device_tunnel) {
    text +=
        "It takes no device compliance: a device tunnel has no user, and no token of one. "
        "Conditional access is for the user's tunnel.\n";
  }
  if (typed.pin_roots) {
    text +=
        "It names the tenant's roots: write and deploy it again for each new root, before it "
        "is promoted.\n";
  }
  text += NextSteps(typed);
  if (!findings.empty()) text += doctor::FindingsInWords(findings);
  return text;
}

absl::StatusOr<Answer> WriteProfile(const ProfileOptions& typed, const TenantRoots& roots) {
  if (typed.format != "xml" || !typed.name.empty()) {
    RETURN_IF_ERROR(profiles::CheckProfileName(typed.name));
  }
  if (!typed.device_tunnel && roots.all.empty() && typed.roots.tenant.empty()) {
    return Error(ErrorReason::kFieldMissing, "--tenant",
                 "give --tenant or --tenant-root: the tenant's roots must be known to tell that "
                 "none of them is taken for the RADIUS server's");
  }
  RETURN_IF_ERROR(CheckIsNew(typed));
  ASSIGN_OR_RETURN(const std::vector<KnownCertificate> server_roots, ReadServerRoots(typed, roots));
  ASSIGN_OR_RETURN(const VpnProfileOptions options, ReadOptions(typed, server_roots, roots));
  ASSIGN_OR_RETURN(const std::string content, ContentOf(typed, options));
  ASSIGN_OR_RETURN(const std::string profile,
                   profiles::WriteVpnProfile(options, profiles::XmlLayout::kIndented));
  ASSIGN_OR_RETURN(const std::vector<doctor::Finding> findings,
                   profiles::CheckProfiles({{"profile", profile, ""}}, SurroundingsOf(roots)));
  Answer answer{content, {{"format", typed.format}, {"content", content}}};
  if (!typed.name.empty()) {
    answer.json["oma_uri"] = profiles::OmaUri(typed.name, typed.device_tunnel);
  }
  answer.json["device_compliance"] = !typed.device_tunnel;
  answer.json["findings"] = doctor::FindingsAsJson(findings);
  if (!IsFile(typed.out)) return answer;
  RETURN_IF_ERROR(client::ReplaceFile(typed.out, content, 0644));
  answer.json["file"] = typed.out;
  answer.text = InWords(typed, server_roots, findings);
  return answer;
}

// An option that may be given again and again, with one value each time.
CLI::Option* AddList(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                     const std::string& type, const std::string& description) {
  return command.add_option(name, values, description)->allow_extra_args(false)->type_name(type);
}

void AddTunnelOptions(CLI::App& command, ProfileOptions& options) {
  AddList(command, "--server", options.servers, "HOST[;LABEL]",
          "A gateway; may be given more than once, as all options with values below");
  client::OneOf(*command.add_option("--protocol", options.protocol, "Default: ikev2"),
                {"ikev2", "automatic"});
  client::OneOf(*command.add_option("--routing", options.routing, "Default: split"),
                {"split", "force"});
  AddList(command, "--route", options.routes, "ADDRESS/BITS", "A network behind a split tunnel");
  AddList(command, "--dns-suffix", options.dns_suffixes, "DOMAIN", "For names without a dot");
  AddList(command, "--trusted-network", options.trusted_networks, "DOMAIN",
          "The tunnel stays down where a connection has this DNS suffix");
  AddList(command, "--name-rule", options.name_rules, "NAME[=DNS,...]",
          "Which servers resolve a host's name, or with a dot in front all below it");
  AddList(command, "--traffic-filter", options.traffic_filters, "PART=VALUE;...",
          "What may pass: app, protocol, local-ports, remote-ports, local-addresses, "
          "remote-addresses, direction");
  command.add_flag("--register-dns", options.register_dns, "Register the tunnel's address in DNS");
  command.add_flag("--manual", options.manual, "Connect when asked, not always");
  command.add_flag("--device-tunnel", options.device_tunnel,
                   "The machine's tunnel, before anybody signs in: without EAP and conditional "
                   "access");
}

void AddAuthenticationOptions(CLI::App& command, ProfileOptions& options) {
  client::OneOf(*command.add_option("--method", options.method, "Default: eap-tls"),
                {"eap-tls", "peap-eap-tls"});
  AddList(command, "--radius-name", options.radius_names, "NAME",
          "The RADIUS server's name, exactly as in its certificate");
  AddList(command, "--server-root", options.server_roots, "FILE",
          "The root of the RADIUS server's certificate, PEM or DER");
  AddTenantRootOptions(command, options.roots);
  command.add_flag("--pin-roots", options.pin_roots,
                   "Offer certificates of the tenant's live roots only (CAHashList)");
  AddList(command, "--sso-issuer", options.sso_issuers, "FILE",
          "The on-premises CA whose certificates are for Kerberos, best its root");
  AddList(command, "--sso-eku", options.sso_purposes, "OID",
          "The purpose of these certificates (default: client authentication)");
}

}  // namespace

void AddProfileWriting(CLI::App& noun, CommandLine& line) {
  const auto options = std::make_shared<ProfileOptions>();
  CLI::App* command =
      noun.add_subcommand("vpnv2", "Write a ProfileXML for Always On VPN with conditional access");
  command->add_option("--name", options->name, "What Windows calls the connection")
      ->type_name("NAME");
  client::OneOf(*command->add_option("--format", options->format,
                                     "The profile, the value of Intune's setting, or a script that "
                                     "installs it (default: xml)"),
                {"xml", "oma-uri", "powershell"});
  command->add_option("--out", options->out, "The new file (default: -, standard output)")
      ->type_name("FILE");
  command->add_flag("--force", options->force, "Replace the file where there is one");
  command->add_flag("--minify", options->minify, "All on one line");
  AddTunnelOptions(*command, *options);
  AddAuthenticationOptions(*command, *options);
  RunWithRoots(*command, line, options->roots,
               [options](const TenantRoots& roots) { return WriteProfile(*options, roots); });
}

}  // namespace hourglass::cli
