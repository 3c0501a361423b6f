#include "tools/gateways/kits/apache.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "hsm/base/status_macros.h"
#include "tools/gateways/kit_values.h"
#include "tools/gateways/kits/apache_templates.h"
#include "tools/gateways/kits/tls_server.h"
#include "tools/gateways/template.h"

namespace hourglass::gateways {
namespace {

constexpr KitValue kValues[] = {
    {"folder", "where this folder will stand on the gateway", "/etc/apache2/hourglass"},
    {"listen_address", "the address to listen on", "0.0.0.0"},
    {"listen_port", "the port to listen on", "443"},
    {"server_name", "the name that clients use", ""},
    {"server_certificate", "PEM: this server's own certificate, its chain behind it", ""},
    {"server_key", "PEM: its key", ""},
    {"backend_host", "the host that it stands before", ""},
    {"backend_port", "its port, which speaks HTTP", ""},
    {"allowed_users", kAllowedUsersInWords, "-"},
};

// A string of an expression: `'` ends it and `$1` stands for something else (ap_expr); the line
// itself is not looked at.
std::string InExpression(absl::string_view user) {
  return absl::StrCat("'", absl::StrReplaceAll(user, {{"'", "\\'"}, {"$", "\\$"}}), "'");
}

std::string UserRules(const std::vector<std::string>& users) {
  if (users.empty()) return "";
  std::vector<std::string> words;
  for (const std::string& user : users) words.push_back(InExpression(user));
  return absl::StrCat("\t\t\tRequire expr \"%{SSL:SSL_CLIENT_SAN_OTHER_msUPN_0} in { ",
                      absl::StrJoin(words, ", "), " }\"\n");
}

// Debian's ports.conf listens on 443 already, once ssl is enabled.
std::string ListenLine(const Values& values) {
  if (ValueOf(values, "listen_port") == "443") return "";
  return absl::StrCat("Listen ", AddressOf(values, "listen_address", "listen_port"), "\n\n");
}

absl::StatusOr<std::vector<KitFile>> Write(const KitSubject& subject, const Values& values) {
  RETURN_IF_ERROR(CheckTlsServer(values));
  ASSIGN_OR_RETURN(const std::vector<std::string> users, AllowedUsers(values, kLongestUpn));
  ASSIGN_OR_RETURN(const std::string configuration,
                   FillTemplate(ApacheTemplate("hourglass.conf"),
                                {{"tenant", subject.tenant_id},
                                 {"folder", ValueOf(values, "folder")},
                                 {"listen_line", ListenLine(values)},
                                 {"listen", AddressOf(values, "listen_address", "listen_port")},
                                 {"server_name", ValueOf(values, "server_name")},
                                 {"server_certificate", ValueOf(values, "server_certificate")},
                                 {"server_key", ValueOf(values, "server_key")},
                                 {"backend", AddressOf(values, "backend_host", "backend_port")},
                                 {"user_rules", UserRules(users)}}));
  return TlsServerFiles(
      subject, values,
      {"apache", ApacheTemplate("README"), "apache2ctl -t && systemctl reload apache2"},
      {{"hourglass.conf", configuration}});
}

constexpr Kit kKit = {"apache", "HTTPS before an application, with Apache", kValues, Write};

}  // namespace

const Kit& ApacheKit() { return kKit; }

}  // namespace hourglass::gateways
