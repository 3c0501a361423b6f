#include "tools/gateways/kits/apache.h"

#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/relying_parties/matrix/https_client.h"
#include "tests/relying_parties/matrix/relying_party.h"
#include "tests/relying_parties/matrix/server_program.h"

namespace hourglass::matrix {
namespace {

class Apache : public RelyingParty {
 public:
  explicit Apache(const PartySetup& setup) : program_(setup) {}

  absl::Status Start(const PartySetup& setup) {
    RETURN_IF_ERROR(program_.WriteKit(gateways::ApacheKit(),
                                      {{"server_name", "gateway.contoso.example"},
                                       {"backend_host", "127.0.0.1"},
                                       {"backend_port", absl::StrCat(application_.port())},
                                       {"allowed_users", kAllowedUsers}}));
    if (!setup.with_kit) {
      program_.DropLines("hourglass.conf", "Require expr");
      program_.Replace("hourglass.conf", "<RequireAll>", "<RequireAll>\nRequire all granted");
    }
    if (!setup.revocation_list.empty()) {
      program_.Replace("hourglass.conf", "SSLCARevocationCheck none",
                       absl::StrCat("SSLCARevocationCheck leaf\nSSLCARevocationFile ",
                                    program_.directory().File("revoked.pem")));
    }
    const std::string& folder = program_.directory().path();
    // What Debian's apache2.conf and its modules do, in this folder.
    std::string configuration = absl::StrCat(
        "ServerRoot ", folder, "\nDefaultRuntimeDir ", folder,
        "\nServerName localhost\nUser www-data\nGroup www-data\nPidFile ", folder,
        "/pid\nErrorLog ", folder, "/error.log\nLogLevel notice ssl:info authz_core:debug\n");
    for (const char* module :
         {"mpm_event", "authz_core", "ssl", "headers", "proxy", "proxy_http"}) {
      absl::StrAppend(&configuration, "LoadModule ", module,
                      "_module /usr/lib/apache2/modules/mod_", module, ".so\n");
    }
    absl::StrAppend(&configuration, "StartServers 1\nSSLSessionCache none\nInclude ", folder,
                    "/hourglass.conf\n");
    program_.directory().Write("apache2.conf", configuration);
    program_.LogIsIn("error.log");
    return program_.Run(
        {"/usr/sbin/apache2", "-DFOREGROUND", "-f", program_.directory().File("apache2.conf")},
        "resuming normal operations");
  }

  Verdict Visit(const CertificateAndKey& credential) override {
    program_.NewLog();
    const std::string page = GetPage(program_.port(), credential);
    if (absl::StrContains(page, "welcome ")) {
      return {!absl::StrContains(page, "mallory"), "the header was the client's"};
    }
    if (absl::StartsWith(page, "HTTP/1.1 403 ")) {
      static const std::regex kRequirement(
          "authorization result of Require expr .*(PeerExtList|SAN_OTHER_msUPN).*: denied");
      return {false, absl::StrCat("403: Require expr, ", program_.WaitForReason(kRequirement))};
    }
    static const std::regex kReason(
        "Certificate Verification: Error (\\([0-9]+\\): [^\\[]*[^\\[ ])");
    return {false, program_.WaitForReason(kReason)};
  }

 private:
  Application application_;
  ServerProgram program_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RelyingParty>> StartApache(const PartySetup& setup) {
  auto apache = std::make_unique<Apache>(setup);
  RETURN_IF_ERROR(apache->Start(setup));
  return apache;
}

}  // namespace hourglass::matrix
