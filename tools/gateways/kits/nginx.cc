#include "tools/gateways/kits/nginx.h"

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tools/gateways/kit_values.h"
#include "tools/gateways/kits/nginx_templates.h"
#include "tools/gateways/kits/tls_server.h"
#include "tools/gateways/template.h"

namespace hourglass::gateways {
namespace {

constexpr KitValue kValues[] = {
    {"folder", "where this folder will stand on the gateway", "/etc/nginx/hourglass"},
    {"listen_address", "the address to listen on", "0.0.0.0"},
    {"listen_port", "the port to listen on", "443"},
    {"server_name", "the name that clients use", ""},
    {"server_certificate", "PEM: this server's own certificate, its chain behind it", ""},
    {"server_key", "PEM: its key", ""},
    {"backend_host", "the host that it stands before", ""},
    {"backend_port", "its port, which speaks HTTP", ""},
    {"allowed_users", kAllowedUsersInWords, "-"},
};

// The lines of a map. In double quotes a user principal name has nothing to escape but its first
// octet, which could make it a regular expression.
std::string MapOf(const std::vector<std::string>& users) {
  if (users.empty()) return "\tdefault 1;\n";
  std::string lines = "\tdefault 0;\n";
  for (const std::string& user : users) absl::StrAppend(&lines, "\t\"\\", user, "\" 1;\n");
  return lines;
}

absl::StatusOr<std::vector<KitFile>> Write(const KitSubject& subject, const Values& values) {
  RETURN_IF_ERROR(CheckTlsServer(values));
  ASSIGN_OR_RETURN(const std::vector<std::string> users, AllowedUsers(values, kLongestUpn));
  ASSIGN_OR_RETURN(const std::string configuration,
                   FillTemplate(NginxTemplate("hourglass.conf"),
                                {{"tenant", subject.tenant_id},
                                 {"folder", ValueOf(values, "folder")},
                                 {"listen", AddressOf(values, "listen_address", "listen_port")},
                                 {"server_name", ValueOf(values, "server_name")},
                                 {"server_certificate", ValueOf(values, "server_certificate")},
                                 {"server_key", ValueOf(values, "server_key")},
                                 {"backend", AddressOf(values, "backend_host", "backend_port")},
                                 {"allowed_users", MapOf(users)}}));
  return TlsServerFiles(subject, values,
                        {"nginx", NginxTemplate("README"), "nginx -t -q && systemctl reload nginx"},
                        {{"hourglass.conf", configuration},
                         {"hourglass.pm", std::string(NginxTemplate("hourglass.pm"))}});
}

constexpr Kit kKit = {"nginx", "HTTPS before an application, with nginx's perl module", kValues,
                      Write};

}  // namespace

const Kit& NginxKit() { return kKit; }

}  // namespace hourglass::gateways
