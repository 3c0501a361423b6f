#include "tools/gateways/kits/openvpn.h"

#include <sys/stat.h>

#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/relying_parties/matrix/relying_party.h"
#include "tests/relying_parties/matrix/server_program.h"

namespace hourglass::matrix {
namespace {

constexpr mode_t kExecutable = 0700;

// In a network namespace of its own, so that its device meets no other.
class Openvpn : public RelyingParty {
 public:
  Openvpn(const PartySetup& setup, const std::string& server_root_pem) : program_(setup) {
    program_.directory().Write("server-root.pem", server_root_pem);
    // Ends the client that runs it, once it is let in.
    chmod(program_.directory().Write("up", "#!/bin/sh\nkill $PPID\n").c_str(), kExecutable);
  }

  absl::Status Start(const PartySetup& setup) {
    RETURN_IF_ERROR(program_.WriteKit(gateways::OpenvpnKit(),
                                      {{"protocol", "tcp"},
                                       {"tunnel_network", "10.44.0.0/24"},
                                       {"protected_network", "10.45.0.0/16"},
                                       {"management_socket", program_.Socket("management")},
                                       {"allowed_users", kAllowedUsers}}));
    if (!setup.with_kit) {
      program_.DropLines("server.conf", "remote-cert-eku");
      program_.DropLines("server.conf", "tls-verify");
    }
    if (!setup.revocation_list.empty()) {
      program_.Replace("server.conf", "verify-client-cert require",
                       absl::StrCat("verify-client-cert require\ncrl-verify ",
                                    program_.directory().File("revoked.pem")));
    }
    return program_.Run({"unshare", "--net", "sh", "-c",
                         "ip link set lo up && exec /usr/sbin/openvpn --config \"$0\"",
                         program_.directory().File("server.conf")},
                        "Initialization Sequence Completed");
  }

  Verdict Visit(const CertificateAndKey& credential) override {
    program_.NewLog();
    const TemporaryDirectory client;
    BackgroundProcess process({"nsenter",
                               "--net",
                               "--target",
                               absl::StrCat(program_.process().pid()),
                               "/usr/sbin/openvpn",
                               "--client",
                               "--dev",
                               "null",
                               "--ifconfig-noexec",
                               "--route-noexec",
                               "--proto",
                               "tcp-client",
                               "--remote",
                               "127.0.0.1",
                               absl::StrCat(program_.port()),
                               "--nobind",
                               "--ca",
                               program_.directory().File("server-root.pem"),
                               "--cert",
                               client.Write("user.pem", credential.certificate_pem),
                               "--key",
                               client.Write("user.key", credential.private_key_pem),
                               "--remote-cert-tls",
                               "server",
                               "--verb",
                               "3",
                               "--script-security",
                               "2",
                               "--up",
                               program_.directory().File("up")},
                              client.File("log"));
    if (!process.WaitForLog("] received, process ")) return {};
    if (absl::StrContains(process.Log(), "PUSH: Received control message: 'PUSH_REPLY")) {
      return {true, ""};
    }
    static const std::regex kReason(
        "(VERIFY EKU ERROR|VERIFY CRL: [^,\n]*|VERIFY ERROR: depth=[0-9]+, error=[^:\n]*|"
        "VERIFY SCRIPT ERROR)");
    return {false, program_.WaitForReason(kReason)};
  }

 private:
  ServerProgram program_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RelyingParty>> StartOpenvpn(const PartySetup& setup) {
  auto openvpn = std::make_unique<Openvpn>(setup, setup.tenant->server_root_pem());
  RETURN_IF_ERROR(openvpn->Start(setup));
  return openvpn;
}

}  // namespace hourglass::matrix
