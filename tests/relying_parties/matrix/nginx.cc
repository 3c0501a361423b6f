#include "tools/gateways/kits/nginx.h"

#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/relying_parties/matrix/https_client.h"
#include "tests/relying_parties/matrix/relying_party.h"
#include "tests/relying_parties/matrix/server_program.h"

namespace hourglass::matrix {
namespace {

class Nginx : public RelyingParty {
 public:
  explicit Nginx(const PartySetup& setup) : program_(setup) {}

  absl::Status Start(const PartySetup& setup) {
    RETURN_IF_ERROR(program_.WriteKit(gateways::NginxKit(),
                                      {{"server_name", "gateway.contoso.example"},
                                       {"backend_host", "127.0.0.1"},
                                       {"backend_port", absl::StrCat(application_.port())},
                                       {"allowed_users", kAllowedUsers}}));
    if (!setup.with_kit) {
      program_.Replace("hourglass.conf", "if ($hourglass_user = \"\")", "if ($uri = \"\")");
      program_.Replace("hourglass.conf", "if ($hourglass_user_is_allowed = 0)", "if ($uri = \"\")");
    }
    if (!setup.revocation_list.empty()) {
      program_.Replace("hourglass.conf", "ssl_verify_depth 1;",
                       absl::StrCat("ssl_verify_depth 1;\nssl_crl ",
                                    program_.directory().File("revoked.pem"), ";"));
    }
    const std::string& folder = program_.directory().path();
    // What Debian's nginx.conf does, in this folder.
    program_.directory().Write(
        "nginx.conf",
        absl::StrCat("load_module /usr/lib/nginx/modules/ngx_http_perl_module.so;\ndaemon off;\n",
                     "user root;\nworker_processes 1;\npid ", folder, "/pid;\nerror_log ", folder,
                     "/error.log info;\nevents {}\nhttp {\naccess_log off;\n",
                     "client_body_temp_path ", folder, "/body;\nproxy_temp_path ", folder,
                     "/proxy;\nfastcgi_temp_path ", folder, "/fastcgi;\nuwsgi_temp_path ", folder,
                     "/uwsgi;\nscgi_temp_path ", folder, "/scgi;\ninclude ", folder,
                     "/hourglass.conf;\n}\n"));
    program_.LogIsIn("error.log");
    return program_.Run({"/usr/sbin/nginx", "-c", program_.directory().File("nginx.conf")},
                        "start worker process ");
  }

  Verdict Visit(const CertificateAndKey& credential) override {
    program_.NewLog();
    const std::string page = GetPage(program_.port(), credential);
    if (absl::StrContains(page, "welcome ")) {
      return {!absl::StrContains(page, "mallory"), "the header was the client's"};
    }
    if (absl::StartsWith(page, "HTTP/1.1 403 ")) {
      return {false, absl::StrCat("403: ", LastMatch(page, std::regex("\r\n\r\n(.*)\n")))};
    }
    static const std::regex kReason("client SSL certificate verify error: \\(([^)]*)\\)");
    return {false, program_.WaitForReason(kReason)};
  }

 private:
  Application application_;
  ServerProgram program_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RelyingParty>> StartNginx(const PartySetup& setup) {
  auto nginx = std::make_unique<Nginx>(setup);
  RETURN_IF_ERROR(nginx->Start(setup));
  return nginx;
}

}  // namespace hourglass::matrix
