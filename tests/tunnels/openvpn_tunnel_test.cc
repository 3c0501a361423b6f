// Tunnels of OpenVPN whose device is blocked, and those of others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/relying_parties/kit_files.h"
#include "tests/support/socket_directory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/tunnels/tunnel_fixture.h"
#include "tools/gateways/kits/openvpn.h"

namespace hourglass {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kGatewayName[] = "vpn.contoso.example";

// What the kit of OpenVPN writes.
class OpenvpnTunnelTest : public TunnelFixture {
 protected:
  void SetUp() override {
    TunnelFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const CertificateAndKey own = server_issuer_->Issue(
        kGatewayName, {absl::StrCat("subjectAltName = DNS:", kGatewayName),
                       "extendedKeyUsage = serverAuth", "keyUsage = digitalSignature"});
    directory().Write("gateway.pem", own.certificate_pem);
    directory().Write("gateway.key", own.private_key_pem);
    std::filesystem::create_directory(File("refused"));
    ASSERT_OK(WriteKit(gateways::OpenvpnKit(), SubjectOf(Roots()),
                       {{"folder", File("kit")},
                        {"follower_folder", File("follower")},
                        {"tunnel_network", "10.20.0.0/24"},
                        {"protected_network", absl::StrCat(Namespaces::kProtectedAddress, "/32")},
                        {"server_certificate", File("gateway.pem")},
                        {"server_key", File("gateway.key")},
                        {"management_socket", sockets_.File("management")},
                        {"refused_folder", File("refused")},
                        {"allowed_users", "alice@contoso.example,bob@contoso.example"}},
                       File("kit")));
    gateway_ = std::make_unique<BackgroundProcess>(
        namespaces_->In(Namespaces::kGateway, {"openvpn", "--config", File("kit/server.conf")}),
        File("server.log"));
    ASSERT_TRUE(gateway_->WaitForLog("Initialization Sequence Completed")) << gateway_->Log();
  }

  // A client with the certificate of `name`; `more`: lines of its configuration.
  std::unique_ptr<BackgroundProcess> Dial(const std::string& name, const std::string& more = "") {
    directory().Write(
        name + ".conf",
        absl::StrCat("client\ndev tun\nproto udp\nnobind\nremote ", Namespaces::GatewayOf(name),
                     "\nca ", File("server-issuer.pem"), "\ncert ", File(name + ".pem"), "\nkey ",
                     File(name + ".key"), "\nremote-cert-tls server\nverify-x509-name ",
                     kGatewayName, " name\nconnect-retry 1\nverb 3\n", more));
    return std::make_unique<BackgroundProcess>(
        namespaces_->In(name, {"openvpn", "--config", File(name + ".conf")}),
        File(absl::StrCat(name, ".", ++dialed_, ".log")));
  }
  std::unique_ptr<BackgroundProcess> Connect(const std::string& name,
                                             const std::string& more = "") {
    auto client = Dial(name, more);
    EXPECT_TRUE(client->WaitForLog("Initialization Sequence Completed"))
        << client->Log() << gateway_->Log();
    EXPECT_TRUE(namespaces_->Ping(name)) << gateway_->Log();
    return client;
  }

  void StartBoth() {
    StartGatewayd(absl::StrCat("openvpn: [{management: ", sockets_.File("management"),
                               "}]\nrefused: [{folder: ", File("refused"), "}]\n"));
  }

  SocketDirectory sockets_;
  std::unique_ptr<BackgroundProcess> gateway_;
  int dialed_ = 0;
};

TEST_F(OpenvpnTunnelTest, ADeviceThatIsBlockedLosesItsTunnelAndDoesNotComeBack) {
  const auto alice = Connect(Namespaces::kAlice);
  const auto bob = Connect(Namespaces::kBob);
  StartBoth();
  BlockUntilDown("laptop-1", "OpenVPN", [this] { return !namespaces_->Ping("alice"); });
  EXPECT_THAT(gatewayd_->Log(), HasSubstr("\"by\":\"certificate\""));
  EXPECT_TRUE(alice->WaitForLog("Halt command was pushed by server")) << alice->Log();
  EXPECT_TRUE(namespaces_->Ping(Namespaces::kBob));

  // With the same certificate, which counts still.
  const auto again = Dial(Namespaces::kAlice);
  EXPECT_TRUE(gateway_->WaitForLog("CN=alice@contoso.example, serial=")) << gateway_->Log();
  EXPECT_THAT(gateway_->Log(), HasSubstr(" is revoked\n"));
  EXPECT_FALSE(namespaces_->Ping(Namespaces::kAlice));
  EXPECT_THAT(again->Log(), Not(HasSubstr("Initialization Sequence Completed")));
  // The control: another of the same moment gets in.
  EXPECT_TRUE(namespaces_->Ping(Namespaces::kBob));
}

TEST_F(OpenvpnTunnelTest, AClientThatAnswersNothingLosesItsTunnelToo) {
  const auto alice = Connect(Namespaces::kAlice);
  const auto bob = Connect(Namespaces::kBob);
  StartBoth();
  ASSERT_EQ(kill(alice->pid(), SIGSTOP), 0);
  // Not the exit 5 seconds after `client-kill`.
  BlockUntilDown("laptop-1", "OpenVPN, a client that answers nothing", [this] {
    return gateway_->Log().find("SIGTERM[soft,] received, client-instance exiting") !=
           std::string::npos;
  });
  EXPECT_TRUE(namespaces_->Ping(Namespaces::kBob));
  ASSERT_EQ(kill(alice->pid(), SIGCONT), 0);
}

}  // namespace
}  // namespace hourglass
