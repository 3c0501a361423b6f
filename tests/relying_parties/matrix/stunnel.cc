#include "tools/gateways/kits/stunnel.h"

#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/relying_parties/matrix/https_client.h"
#include "tests/relying_parties/matrix/relying_party.h"
#include "tests/relying_parties/matrix/server_program.h"

namespace hourglass::matrix {
namespace {

class Stunnel : public RelyingParty {
 public:
  explicit Stunnel(const PartySetup& setup) : program_(setup) {}

  absl::Status Start(const PartySetup& setup) {
    RETURN_IF_ERROR(program_.WriteKit(
        gateways::StunnelKit(),
        {{"backend_host", "127.0.0.1"}, {"backend_port", absl::StrCat(application_.port())}}));
    // The account of a test has no other accounts to become.
    for (const char* line : {"setuid = ", "setgid = "}) program_.DropLines("hourglass.conf", line);
    if (!setup.revocation_list.empty()) {
      program_.Replace(
          "hourglass.conf", "verifyChain = yes",
          absl::StrCat("verifyChain = yes\nCRLfile = ", program_.directory().File("revoked.pem")));
    }
    return program_.Run({"/usr/bin/stunnel4", program_.directory().File("hourglass.conf")},
                        "Accepting new connections");
  }

  Verdict Visit(const CertificateAndKey& credential) override {
    program_.NewLog();
    const std::string page = GetPage(program_.port(), credential);
    if (absl::StrContains(page, "welcome ")) return {true, ""};
    static const std::regex kReason("CERT: Pre-verification error: (.*)");
    return {false, program_.WaitForReason(kReason)};
  }

 private:
  Application application_;
  ServerProgram program_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RelyingParty>> StartStunnel(const PartySetup& setup) {
  auto stunnel = std::make_unique<Stunnel>(setup);
  RETURN_IF_ERROR(stunnel->Start(setup));
  return stunnel;
}

}  // namespace hourglass::matrix
