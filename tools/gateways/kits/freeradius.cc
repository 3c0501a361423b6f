#include "tools/gateways/kits/freeradius.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/gateways/follower.h"
#include "tools/gateways/kit_values.h"
#include "tools/gateways/kits/freeradius_templates.h"
#include "tools/gateways/template.h"

namespace hourglass::gateways {
namespace {

constexpr absl::string_view kRefused = "refused_folder";

constexpr KitValue kValues[] = {
    {"folder", "where the files will be on the RADIUS server", "/etc/freeradius/hourglass"},
    {"gateway_address", "the address or network that the VPN gateway asks from", ""},
    {"gateway_secret", "the secret shared with the VPN gateway: openssl rand -hex 24", "", true},
    {"server_certificate",
     "path there of the RADIUS server's own certificate, PEM, its chain behind it; its issuer is "
     "one that clients trust, and none of the tenant's roots",
     ""},
    {"server_key", "path there of its private key, PEM", ""},
    {"listen_address", "the address that it listens on", "0.0.0.0"},
    {"listen_port", "the port that it listens on", "1812"},
    {"longest_session", "seconds that a session lasts at most, however long the certificate does",
     "3600"},
    {"refused_folder",
     "the folder where hourglass-gatewayd names certificates that should count no more "
     "(docs/gatewayd.md); without it nobody does",
     "-"},
    {"log_folder", "where it logs", "/var/log/freeradius"},
    {"run_folder", "where it keeps its pid", "/run/freeradius"},
};

constexpr int kShortestSession = 60;
constexpr int kLongestSession = 86400;

absl::Status CheckValues(const Values& values) {
  for (const absl::string_view path :
       {"folder", "server_certificate", "server_key", "log_folder", "run_folder"}) {
    RETURN_IF_ERROR(CheckPath(values, path));
  }
  if (!ValueOf(values, kRefused).empty()) RETURN_IF_ERROR(CheckPath(values, kRefused));
  RETURN_IF_ERROR(CheckAddressOrNetwork(values, "gateway_address"));
  RETURN_IF_ERROR(CheckAddress(values, "listen_address"));
  RETURN_IF_ERROR(CheckPort(values, "listen_port"));
  RETURN_IF_ERROR(CheckNumber(values, "longest_session", kShortestSession, kLongestSession));
  return CheckRadiusSecret(values, "gateway_secret");
}

// Within single quotes FreeRADIUS expands nothing, takes `\'` for a quote, and leaves every other
// backslash as it is, so that one before a quote or at the end has no way to be written (3.2.1,
// seen in use). So none may be there.
absl::StatusOr<std::string> Quoted(const Values& values, absl::string_view name) {
  const std::string& text = ValueOf(values, name);
  if (absl::StrContains(text, '\\')) {
    return Error(ErrorReason::kFieldInvalid, name,
                 "must have no backslash: FreeRADIUS has no way to write every one");
  }
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "\\'"}}), "'");
}

absl::StatusOr<std::string> Radiusd(const KitSubject& subject, const Values& values) {
  const std::string& refused = ValueOf(values, kRefused);
  std::string module;
  if (!refused.empty()) {
    ASSIGN_OR_RETURN(
        module, FillTemplate(FreeradiusTemplate("refused_module.conf"), {{kRefused, refused}}));
  }
  const absl::string_view check = refused.empty() ? "" : FreeradiusTemplate("refused_check.conf");
  return FillTemplate(FreeradiusTemplate("radiusd.conf"),
                      {{"tenant", subject.tenant_id},
                       {"refused_module", module},
                       {"refused_check", check},
                       {"folder", ValueOf(values, "folder")},
                       {"log_folder", ValueOf(values, "log_folder")},
                       {"run_folder", ValueOf(values, "run_folder")},
                       {"server_certificate", ValueOf(values, "server_certificate")},
                       {"server_key", ValueOf(values, "server_key")},
                       {"listen_address", ValueOf(values, "listen_address")},
                       {"listen_port", ValueOf(values, "listen_port")},
                       {"longest_session", ValueOf(values, "longest_session")}});
}

absl::StatusOr<std::string> Clients(const Values& values) {
  ASSIGN_OR_RETURN(const std::string secret, Quoted(values, "gateway_secret"));
  return FillTemplate(
      FreeradiusTemplate("clients.conf"),
      {{"gateway_address", ValueOf(values, "gateway_address")}, {"gateway_secret", secret}});
}

absl::StatusOr<std::string> Readme(const Values& values) {
  return FillTemplate(FreeradiusTemplate("README"),
                      {{"folder", ValueOf(values, "folder")},
                       {"server_certificate", ValueOf(values, "server_certificate")},
                       {"server_key", ValueOf(values, "server_key")},
                       {"follower_folder", ValueOf(values, "follower_folder")}});
}

absl::StatusOr<std::vector<KitFile>> Write(const KitSubject& subject, const Values& values) {
  RETURN_IF_ERROR(CheckValues(values));
  const std::string& folder = ValueOf(values, "folder");
  ASSIGN_OR_RETURN(std::vector<KitFile> files,
                   FollowerFiles(subject, values,
                                 {.kind = "freeradius",
                                  .out = absl::StrCat(folder, "/roots.pem"),
                                  .on_change = absl::StrCat("freeradius -d ", folder,
                                                            " -CX > /dev/null && systemctl restart "
                                                            "freeradius")}));
  ASSIGN_OR_RETURN(const std::string readme, Readme(values));
  ASSIGN_OR_RETURN(const std::string radiusd, Radiusd(subject, values));
  ASSIGN_OR_RETURN(const std::string clients, Clients(values));
  files.push_back({"README", readme});
  files.push_back({"radiusd.conf", radiusd});
  files.push_back({"clients.conf", clients, /*is_secret=*/true});
  files.push_back({"dictionary", std::string(FreeradiusTemplate("dictionary"))});
  files.push_back({"roots.pem", RootsPem(subject)});
  return files;
}

constexpr Kit kKit = {"freeradius", "FreeRADIUS 3.2, EAP-TLS for VPN gateways that ask it", kValues,
                      &Write};

}  // namespace

const Kit& FreeradiusKit() { return kKit; }

}  // namespace hourglass::gateways
