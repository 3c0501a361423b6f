#include <regex>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/relying_parties/matrix/https_client.h"
#include "tests/relying_parties/matrix/relying_party.h"
#include "tests/relying_parties/matrix/server_program.h"

namespace hourglass::matrix {
namespace {

absl::Status RunStep(const std::vector<std::string>& command) {
  const CommandResult result = RunCommand(command);
  if (result.exit_code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(command.front(), ": ", result.output));
}

std::string Database(const TemporaryDirectory& folder) {
  return absl::StrCat("sql:", folder.path());
}

absl::Status MakeDatabase(const TemporaryDirectory& folder, const Tenant& tenant) {
  const std::string database = Database(folder);
  RETURN_IF_ERROR(RunStep({"certutil", "-N", "-d", database, "--empty-password"}));
  for (const gateways::KitRoot& root : tenant.subject().roots) {
    RETURN_IF_ERROR(RunStep({"certutil", "-A", "-d", database, "-n", root.root_id, "-t", "T,,",
                             "-a", "-i", folder.Write("root.pem", root.pem)}));
  }
  return absl::OkStatus();
}

// selfserv: what a server has that leaves the check to SSL_AuthCertificate.
class Nss : public RelyingParty {
 public:
  explicit Nss(const PartySetup& setup) : program_(setup) {}

  absl::Status Start(const PartySetup& setup) {
    const TemporaryDirectory& folder = program_.directory();
    RETURN_IF_ERROR(MakeDatabase(folder, *setup.tenant));
    RETURN_IF_ERROR(RunStep({"openssl", "pkcs12", "-export", "-in", folder.File("server.pem"),
                             "-inkey", folder.File("server.key"), "-name", "server", "-passout",
                             "pass:", "-out", folder.File("server.p12")}));
    RETURN_IF_ERROR(
        RunStep({"pk12util", "-d", Database(folder), "-i", folder.File("server.p12"), "-W", ""}));
    return program_.Run({"selfserv", "-n", "server", "-p", absl::StrCat(program_.TakePort()), "-d",
                         Database(folder), "-rr", "-v", "-V", "tls1.2:tls1.3"},
                        "About to call accept");
  }

  Verdict Visit(const CertificateAndKey& credential) override {
    program_.NewLog();
    if (absl::StartsWith(GetPage(program_.port(), credential), "HTTP/1.0 200 ")) return {true, ""};
    static const std::regex kReason("Certificate Invalid, err -[0-9]+\\.\n(.*)\n");
    return {false, program_.WaitForReason(kReason)};
  }

 private:
  ServerProgram program_;
};

// vfychain: CERT_PKIXVerifyCert as a client's certificate, with fresh information about revocation
// demanded for the leaf.
class NssRevocation : public RelyingParty {
 public:
  absl::Status Start(const PartySetup& setup) {
    RETURN_IF_ERROR(MakeDatabase(folder_, *setup.tenant));
    RETURN_IF_ERROR(
        RunStep({"certutil", "-A", "-d", Database(folder_), "-n", "signing", "-t", "T,,", "-a",
                 "-i", folder_.Write("root.pem", setup.tenant->signing_root_pem())}));
    RETURN_IF_ERROR(RunStep({"openssl", "crl", "-outform", "DER", "-in",
                             folder_.Write("list.pem", setup.revocation_list), "-out",
                             folder_.File("list.der")}));
    // Refused where no root that it knows may have signed it; then there is no list.
    RunCommand({"crlutil", "-I", "-d", Database(folder_), "-i", folder_.File("list.der")});
    return absl::OkStatus();
  }

  Verdict Visit(const CertificateAndKey& credential) override {
    const CommandResult result =
        RunCommand({"vfychain", "-d", Database(folder_), "-pp", "-g", "leaf", "-h",
                    "requireFreshInfo", "-m", "crl", "-s", "failIfNoInfo", "-u", "0", "-a",
                    folder_.Write("leaf.pem", credential.certificate_pem)});
    if (result.exit_code == 0) return {true, ""};
    return {false, LastMatch(result.output, std::regex("ERROR (-[0-9]+: .*)\n"))};
  }

 private:
  TemporaryDirectory folder_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RelyingParty>> StartNss(const PartySetup& setup) {
  if (!setup.revocation_list.empty()) {
    auto verifier = std::make_unique<NssRevocation>();
    RETURN_IF_ERROR(verifier->Start(setup));
    return verifier;
  }
  auto nss = std::make_unique<Nss>(setup);
  RETURN_IF_ERROR(nss->Start(setup));
  return nss;
}

}  // namespace hourglass::matrix
