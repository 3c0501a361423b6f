#include "tools/gateways/follower.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ca/encoding/digest.h"
#include "hsm/base/status_macros.h"
#include "tools/gateways/kit_values.h"

namespace hourglass::gateways {
namespace {

constexpr absl::string_view kFolder = "follower_folder";

// As a word of ExecStart= (systemd.service(5), "Command lines").
std::string ForSystemd(absl::string_view text) {
  return absl::StrCat(
      "\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}, {"%", "%%"}, {"$", "$$"}}),
      "\"");
}

// In a double-quoted scalar of YAML 1.2 (section 7.3.1). A server has no other octets than ASCII.
std::string ForYaml(absl::string_view text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

std::string ConfigOf(const KitSubject& subject, const std::string& folder) {
  return absl::StrCat(
      "# How hourglass-bundle reaches the service: a caller of the role relying_party of its own.\n"
      "server: ",
      ForYaml(subject.server), "\ntls:\n  certificate: ", folder,
      "/client.pem\n  private_key: ", folder, "/client.key\n  trusted_roots: ", folder,
      "/service-ca.pem\n");
}

std::string UnitOf(const KitSubject& subject, const std::string& folder, const Follower& follower) {
  const std::string name = absl::StrCat("hourglass-bundle-", follower.kind);
  return absl::StrCat(
      "# Keeps the roots of tenant ", subject.tenant_id, " up to date for ", follower.kind,
      " (docs/bundle.md of Hourglass). It runs as root, since it reloads a service.\n"
      "[Unit]\nDescription=Hourglass trust bundle of ",
      subject.tenant_id, " for ", follower.kind,
      "\nAfter=network-online.target\nWants=network-online.target\n\n[Service]\n"
      "ExecStart=/usr/local/bin/hourglass-bundle sync --config ",
      folder, "/", name, ".yaml --tenant ", subject.tenant_id, " --trust ", folder,
      "/first-roots.pem --out ", follower.out, " --format ", follower.format,
      " --state /var/lib/hourglass-bundle/", subject.tenant_id, "-", follower.kind,
      ".state --on-change ", ForSystemd(follower.on_change),
      "\nStateDirectory=hourglass-bundle\nRestart=on-failure\nRestartSec=5\n\n[Install]\n"
      "WantedBy=multi-user.target\n");
}

}  // namespace

std::string RootsPem(const KitSubject& subject) {
  std::string pem;
  for (const KitRoot& root : subject.roots) {
    absl::StrAppend(&pem, "# root ", root.root_id, " of ", subject.tenant_id, ", SHA-256 ",
                    absl::BytesToHexString(ca::Sha256(root.der)), "\n", root.pem);
  }
  return pem;
}

absl::StatusOr<std::vector<KitFile>> FollowerFiles(const KitSubject& subject, const Values& values,
                                                   const Follower& follower) {
  RETURN_IF_ERROR(CheckPath(values, kFolder));
  const std::string& folder = ValueOf(values, kFolder);
  const std::string name = absl::StrCat("hourglass-bundle-", follower.kind);
  std::vector<KitFile> files;
  files.push_back({absl::StrCat("follower/", name, ".yaml"), ConfigOf(subject, folder)});
  files.push_back({absl::StrCat("follower/", name, ".service"), UnitOf(subject, folder, follower)});
  files.push_back({"follower/first-roots.pem", RootsPem(subject)});
  return files;
}

}  // namespace hourglass::gateways
