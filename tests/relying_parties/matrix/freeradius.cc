#include "tools/gateways/kits/freeradius.h"

#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/relying_parties/matrix/relying_party.h"
#include "tests/relying_parties/matrix/server_program.h"

namespace hourglass::matrix {
namespace {

constexpr char kSecret[] = "shared-by-server-and-gateway";

class Freeradius : public RelyingParty {
 public:
  explicit Freeradius(const PartySetup& setup) : program_(setup) {
    program_.directory().Write("server-root.pem", setup.tenant->server_root_pem());
  }

  absl::Status Start(const PartySetup& setup) {
    const std::string& folder = program_.directory().path();
    RETURN_IF_ERROR(program_.WriteKit(gateways::FreeradiusKit(), {{"gateway_address", "127.0.0.1"},
                                                                  {"gateway_secret", kSecret},
                                                                  {"log_folder", folder},
                                                                  {"run_folder", folder}}));
    if (!setup.with_kit) {
      program_.DropLines("radiusd.conf", "virtual_server = check_certificate");
    }
    if (!setup.revocation_list.empty()) {
      program_.Replace("radiusd.conf", "check_crl = no", "check_crl = yes");
      // FreeRADIUS reads lists from its file of roots.
      program_.directory().Write(
          "roots.pem", absl::StrCat(ReadFileOrDie(program_.RootsFile()), setup.revocation_list));
    }
    return program_.Run({"/usr/sbin/freeradius", "-d", folder, "-f", "-l", "stdout", "-xx"},
                        "Ready to process requests");
  }

  Verdict Visit(const CertificateAndKey& credential) override {
    program_.NewLog();
    const TemporaryDirectory client;
    const std::string network = client.Write(
        "network.conf",
        absl::StrCat("network={\nkey_mgmt=WPA-EAP\neap=TLS\nidentity=\"", kUser, "\"\nca_cert=\"",
                     program_.directory().File("server-root.pem"), "\"\nclient_cert=\"",
                     client.Write("user.pem", credential.certificate_pem), "\"\nprivate_key=\"",
                     client.Write("user.key", credential.private_key_pem),
                     "\"\nphase1=\"tls_disable_tlsv1_0=1 tls_disable_tlsv1_1=1 "
                     "tls_disable_tlsv1_2=1 tls_disable_tlsv1_3=0\"\n}\n"));
    const CommandResult result =
        RunCommand({"eapol_test", "-c", network, "-a", "127.0.0.1", "-p",
                    absl::StrCat(program_.port()), "-s", kSecret, "-t", "10", "-r", "0"});
    if (result.exit_code == 0 && absl::StrContains(result.output, "(Access-Accept)")) {
      return {true, ""};
    }
    if (!absl::StrContains(result.output, "(Access-Reject)")) return {};
    static const std::regex kMessage("\\(Reply-Message\\)[^']*'([^']*(?:'s)?)'\n");
    static const std::regex kError("OpenSSL says error ([0-9]+ : [^)\n]*)");
    const std::string message = LastMatch(result.output, kMessage);
    return {false, message.empty() ? program_.WaitForReason(kError) : message};
  }

 private:
  ServerProgram program_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RelyingParty>> StartFreeradius(const PartySetup& setup) {
  auto freeradius = std::make_unique<Freeradius>(setup);
  RETURN_IF_ERROR(freeradius->Start(setup));
  return freeradius;
}

}  // namespace hourglass::matrix
