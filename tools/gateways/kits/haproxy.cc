#include "tools/gateways/kits/haproxy.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/gateways/kit_values.h"
#include "tools/gateways/kits/haproxy_templates.h"
#include "tools/gateways/kits/tls_server.h"
#include "tools/gateways/template.h"

namespace hourglass::gateways {
namespace {

constexpr KitValue kValues[] = {
    {"folder", "where this folder will stand on the gateway", "/etc/haproxy/hourglass"},
    {"listen_address", "the address to listen on", "0.0.0.0"},
    {"listen_port", "the port to listen on", "443"},
    {"server_certificate", "PEM: this server's own certificate, its chain and its key in one file",
     ""},
    {"backend_host", "the host that it stands before", ""},
    {"backend_port", "its port, which speaks HTTP", ""},
    {"allowed_users", kAllowedUsersInWords, "-"},
};

// The users are lines of a file of their own, in which nothing has to be escaped.
std::string UserRules(const std::string& folder) {
  return absl::StrCat("\tacl allowed_user ssl_c_s_dn(cn) -m str -f ", folder,
                      "/users.lst\n\thttp-request deny deny_status 403 content-type text/plain "
                      "string \"the certificate is another user's\" unless allowed_user\n");
}

absl::StatusOr<std::vector<KitFile>> Write(const KitSubject& subject, const Values& values) {
  RETURN_IF_ERROR(CheckTlsServer(values));
  ASSIGN_OR_RETURN(const std::vector<std::string> users, AllowedUsers(values, kLongestCommonName));
  for (const std::string& user : users) {
    if (user.front() != '#') continue;
    return Error(
        ErrorReason::kFieldInvalid, "allowed_users",
        "has a user principal name that begins with '#', which HAProxy takes for a comment");
  }
  const std::string& folder = ValueOf(values, "folder");
  ASSIGN_OR_RETURN(const std::string configuration,
                   FillTemplate(HaproxyTemplate("haproxy.cfg"),
                                {{"tenant", subject.tenant_id},
                                 {"folder", folder},
                                 {"listen", AddressOf(values, "listen_address", "listen_port")},
                                 {"server_certificate", ValueOf(values, "server_certificate")},
                                 {"backend", AddressOf(values, "backend_host", "backend_port")},
                                 {"user_rules", users.empty() ? "" : UserRules(folder)}}));
  std::vector<KitFile> files = {{"haproxy.cfg", configuration}};
  if (!users.empty())
    files.push_back({"users.lst", absl::StrCat(absl::StrJoin(users, "\n"), "\n")});
  return TlsServerFiles(subject, values,
                        {"haproxy", HaproxyTemplate("README"),
                         "haproxy -c -q -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy"},
                        std::move(files));
}

constexpr Kit kKit = {"haproxy", "HTTPS before an application, with HAProxy", kValues, Write};

}  // namespace

const Kit& HaproxyKit() { return kKit; }

}  // namespace hourglass::gateways
