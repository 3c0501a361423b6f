#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/relying_parties/matrix/https_client.h"
#include "tests/relying_parties/matrix/relying_party.h"
#include "tests/relying_parties/matrix/server_program.h"

namespace hourglass::matrix {
namespace {

// gnutls-serv: what a server has that calls gnutls_certificate_verify_peers2.
class GnutlsServer : public RelyingParty {
 public:
  explicit GnutlsServer(const PartySetup& setup) : program_(setup) {}

  absl::Status Start(const PartySetup& setup) {
    std::vector<std::string> command = {"stdbuf",
                                        "-oL",
                                        "gnutls-serv",
                                        "--http",
                                        "--noticket",
                                        "--require-client-cert",
                                        "--verify-client-cert",
                                        "--port",
                                        absl::StrCat(program_.TakePort()),
                                        "--x509cafile",
                                        program_.RootsFile(),
                                        "--x509certfile",
                                        program_.directory().File("server.pem"),
                                        "--x509keyfile",
                                        program_.directory().File("server.key")};
    if (!setup.revocation_list.empty()) {
      command.insert(command.end(), {"--x509crlfile", program_.directory().File("revoked.pem")});
    }
    return program_.Run(command, "HTTP Server listening on IPv4");
  }

  Verdict Visit(const CertificateAndKey& credential) override {
    program_.NewLog();
    if (absl::StartsWith(GetPage(program_.port(), credential), "HTTP/1.0 200 ")) return {true, ""};
    static const std::regex kReason("- Status: The certificate is NOT trusted\\. (.*[^ \n]) *\n");
    return {false, program_.WaitForReason(kReason)};
  }

 private:
  ServerProgram program_;
};

// certtool: what a server has that calls gnutls_certificate_verify_peers with
// GNUTLS_DT_KEY_PURPOSE_OID, once for each of the two purposes.
class GnutlsPurpose : public RelyingParty {
 public:
  explicit GnutlsPurpose(const PartySetup& setup) : roots_(setup.tenant->roots_pem()) {}

  Verdict Visit(const CertificateAndKey& credential) override {
    const std::string roots = files_.Write("roots.pem", roots_);
    const std::string chain = files_.Write("chain.pem", credential.certificate_pem);
    CommandResult result;
    for (const char* purpose : {"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.87"}) {
      result = RunCommand({"certtool", "--verify", "--verify-purpose", purpose,
                           "--load-ca-certificate", roots, "--infile", chain});
      if (result.exit_code != 0) break;
    }
    if (result.exit_code == 0) return {true, ""};
    static const std::regex kReason("Chain verification output: Not verified\\. (.*[^ \n]) *\n");
    return {false, LastMatch(result.output, kReason)};
  }

 private:
  TemporaryDirectory files_;
  std::string roots_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RelyingParty>> StartGnutls(const PartySetup& setup) {
  if (setup.with_kit) return std::make_unique<GnutlsPurpose>(setup);
  auto server = std::make_unique<GnutlsServer>(setup);
  RETURN_IF_ERROR(server->Start(setup));
  return server;
}

}  // namespace hourglass::matrix
