#include "tools/gateways/kits/tls_server.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/gateways/follower.h"
#include "tools/gateways/kit_values.h"
#include "tools/gateways/template.h"

namespace hourglass::gateways {
namespace {

constexpr absl::string_view kAllowedUsers = "allowed_users";

absl::Status CheckWhereThere(const Values& values, absl::string_view name,
                             absl::Status (*check)(const Values&, absl::string_view)) {
  return values.find(name) == values.end() ? absl::OkStatus() : check(values, name);
}

absl::string_view WithoutSpaces(absl::string_view text) {
  while (absl::ConsumePrefix(&text, " ")) {
  }
  while (absl::ConsumeSuffix(&text, " ")) {
  }
  return text;
}

}  // namespace

absl::Status CheckTlsServer(const Values& values) {
  RETURN_IF_ERROR(CheckPath(values, "folder"));
  RETURN_IF_ERROR(CheckAddress(values, "listen_address"));
  RETURN_IF_ERROR(CheckPort(values, "listen_port"));
  RETURN_IF_ERROR(CheckPath(values, "server_certificate"));
  RETURN_IF_ERROR(CheckWhereThere(values, "server_key", CheckPath));
  RETURN_IF_ERROR(CheckWhereThere(values, "server_name", CheckHost));
  RETURN_IF_ERROR(CheckWhereThere(values, "backend_host", CheckHost));
  return CheckWhereThere(values, "backend_port", CheckPort);
}

std::string AddressOf(const Values& values, absl::string_view host, absl::string_view port) {
  const std::string& name = ValueOf(values, host);
  const bool is_ipv6 = name.find(':') != std::string::npos;
  return absl::StrCat(is_ipv6 ? "[" : "", name, is_ipv6 ? "]:" : ":", ValueOf(values, port));
}

absl::StatusOr<std::vector<std::string>> AllowedUsers(const Values& values, std::size_t longest,
                                                      absl::string_view forbidden) {
  std::vector<std::string> users;
  const std::string& text = ValueOf(values, kAllowedUsers);
  if (text.empty()) return users;
  for (const absl::string_view part : absl::StrSplit(absl::string_view(text), ',')) {
    const absl::string_view user = WithoutSpaces(part);
    const std::optional<std::string> fault = ca::FaultInUpn(user);
    if (fault.has_value()) {
      return Error(ErrorReason::kFieldInvalid, kAllowedUsers,
                   absl::StrCat("has a user principal name that none is: ", *fault));
    }
    if (user.size() > longest) {
      return Error(ErrorReason::kFieldInvalid, kAllowedUsers,
                   absl::StrCat("has a user principal name of more than ", longest,
                                " octets: this program sees the common name, which is the user's "
                                "id then"));
    }
    if (user.find_first_of(forbidden) != absl::string_view::npos) {
      return Error(ErrorReason::kFieldInvalid, kAllowedUsers,
                   absl::StrCat("has a user principal name with one of ", forbidden,
                                " , which this program cannot be told"));
    }
    users.emplace_back(user);
  }
  return users;
}

absl::StatusOr<std::vector<KitFile>> TlsServerFiles(const KitSubject& subject, const Values& values,
                                                    const TlsServerEnd& end,
                                                    std::vector<KitFile> configuration) {
  const std::string& folder = ValueOf(values, "folder");
  ASSIGN_OR_RETURN(std::vector<KitFile> follower,
                   FollowerFiles(subject, values,
                                 {end.kind, absl::StrCat(folder, "/roots.pem"), end.on_change}));
  ASSIGN_OR_RETURN(
      std::string readme,
      FillTemplate(end.readme, {{"tenant", subject.tenant_id},
                                {"folder", folder},
                                {"follower_folder", ValueOf(values, "follower_folder")}}));
  std::vector<KitFile> files = std::move(configuration);
  files.push_back({"roots.pem", RootsPem(subject)});
  files.push_back({"README", std::move(readme)});
  for (KitFile& file : follower) files.push_back(std::move(file));
  return files;
}

}  // namespace hourglass::gateways
