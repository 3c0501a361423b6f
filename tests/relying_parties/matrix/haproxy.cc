#include "tools/gateways/kits/haproxy.h"

#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/relying_parties/matrix/https_client.h"
#include "tests/relying_parties/matrix/relying_party.h"
#include "tests/relying_parties/matrix/server_program.h"

namespace hourglass::matrix {
namespace {

class Haproxy : public RelyingParty {
 public:
  explicit Haproxy(const PartySetup& setup) : program_(setup) {}

  absl::Status Start(const PartySetup& setup) {
    RETURN_IF_ERROR(program_.WriteKit(
        gateways::HaproxyKit(), {{"server_certificate", program_.directory().File("both.pem")},
                                 {"backend_host", "127.0.0.1"},
                                 {"backend_port", absl::StrCat(application_.port())},
                                 {"allowed_users", kAllowedUsers}}));
    // The account of a test has no other accounts to become.
    for (const char* line : {"\tuser ", "\tgroup ", "\tchroot "}) {
      program_.DropLines("haproxy.cfg", line);
    }
    if (!setup.with_kit) program_.DropLines("haproxy.cfg", "http-request deny");
    if (!setup.revocation_list.empty()) {
      program_.Replace(
          "haproxy.cfg", " verify required",
          absl::StrCat(" verify required crl-file ", program_.directory().File("revoked.pem")));
    }
    return program_.Run({"/usr/sbin/haproxy", "-W", "-f", program_.directory().File("haproxy.cfg")},
                        "Loading success");
  }

  Verdict Visit(const CertificateAndKey& credential) override {
    program_.NewLog();
    const std::string page = GetPage(program_.port(), credential);
    if (absl::StrContains(page, "welcome ")) {
      return {!absl::StrContains(page, "mallory"), "the header was the client's"};
    }
    if (absl::StartsWith(page, "HTTP/1.1 403 ")) {
      return {false, absl::StrCat("403: ", page.substr(page.find("\r\n\r\n") + 4))};
    }
    static const std::regex kError("\\(([0-9]+)\\) depth");
    int error = 0;
    if (!absl::SimpleAtoi(program_.WaitForReason(kError), &error)) return {};
    return {false, OpensslReason(error)};
  }

 private:
  Application application_;
  ServerProgram program_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RelyingParty>> StartHaproxy(const PartySetup& setup) {
  auto haproxy = std::make_unique<Haproxy>(setup);
  RETURN_IF_ERROR(haproxy->Start(setup));
  return haproxy;
}

}  // namespace hourglass::matrix
