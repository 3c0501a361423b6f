// Tunnels of strongSwan whose device is blocked, and those of others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/relying_parties/kit_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tests/tunnels/charon.h"
#include "tests/tunnels/tunnel_fixture.h"
#include "tools/gateways/kit.h"
#include "tools/gateways/kits/freeradius.h"
#include "tools/gateways/kits/strongswan.h"

namespace hourglass {
namespace {

using testing::HasSubstr;

constexpr char kSecret[] = "shared-by-server-and-gateway";
constexpr char kGatewayName[] = "vpn.contoso.example";
constexpr char kAaaName[] = "radius.contoso.example";
constexpr char kAliceUpn[] = "alice@contoso.example";
constexpr char kBobUpn[] = "bob@contoso.example";

// What the kit of strongSwan writes, with a gateway's own certificate.
class StrongswanTunnelTest : public TunnelFixture {
 protected:
  void SetUp() override {
    TunnelFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const CertificateAndKey own = server_issuer_->Issue(
        kGatewayName,
        {absl::StrCat("subjectAltName = DNS:", kGatewayName), "extendedKeyUsage = serverAuth"});
    gateway_ = std::make_unique<Charon>(*namespaces_, directory(), Namespaces::kGateway);
    gateway_->Write("x509/hourglass-gateway.pem", own.certificate_pem);
    gateway_->Write("private/hourglass-gateway.key", own.private_key_pem);
  }

  // Copies the kit as its README says, and starts the gateway with it.
  void StartGateway(gateways::Values values) {
    values.insert({{"gateway_name", kGatewayName},
                   {"pool", "10.20.0.0/24"},
                   {"networks", absl::StrCat(Namespaces::kProtectedAddress, "/32")},
                   {"folder", gateway_->folder()},
                   {"follower_folder", File("follower")}});
    ASSERT_OK(WriteKit(gateways::StrongswanKit(), SubjectOf(Roots()), values, File("kit")));
    const CommandResult copied =
        RunCommand({"bash", "-ec",
                    absl::StrCat("cd ", File("kit"), "; cp -r swanctl/. ", gateway_->folder(),
                                 "; [ ! -d strongswan.d ] || cp strongswan.d/* ",
                                 gateway_->folder(), "/strongswan.d")});
    ASSERT_EQ(copied.exit_code, 0) << copied.output;
    gateway_->Start("eap-radius");
    const CommandResult loaded = gateway_->Load();
    ASSERT_EQ(loaded.exit_code, 0) << loaded.output;
  }

  // A client with the certificate of `name`, whose section `local` has these lines, up.
  std::unique_ptr<Charon> Connect(const std::string& name, const std::string& local) {
    auto client = std::make_unique<Charon>(*namespaces_, directory(), name);
    client->Start("eap-tls", "  make_before_break = yes\n");
    client->Write("x509ca/servers.pem", server_issuer_->root_pem());
    client->Write(
        "swanctl.conf",
        absl::StrCat(
            "connections {\n  home {\n    version = 2\n    vips = 0.0.0.0\n"
            "    remote_addrs = ",
            Namespaces::GatewayOf(name), "\n    local {\n", local,
            "      certs = user.pem\n    }\n    remote {\n      auth = pubkey\n      id = ",
            kGatewayName, "\n    }\n    children {\n      net {\n        remote_ts = ",
            Namespaces::kProtectedAddress, "/32\n      }\n    }\n  }\n}\n"));
    TakeCertificate(*client, name);
    const CommandResult up = client->Swanctl("--initiate --child net --timeout 15");
    EXPECT_EQ(up.exit_code, 0) << up.output << gateway_->Log();
    EXPECT_TRUE(namespaces_->Ping(name)) << gateway_->Log();
    return client;
  }

  // The newest that was issued to `name`.
  void TakeCertificate(const Charon& client, const std::string& name) const {
    client.Write("x509/user.pem", ReadFileOrDie(File(name + ".pem")));
    client.Write("private/user.key", ReadFileOrDie(File(name + ".key")));
    const CommandResult loaded = client.Load();
    EXPECT_EQ(loaded.exit_code, 0) << loaded.output;
  }

  std::unique_ptr<Charon> ConnectByPubkey(const std::string& name) {
    return Connect(name,
                   absl::StrCat("      auth = pubkey\n      id = ", name, "@contoso.example\n"));
  }

  // Of the two who are connected, alice is out, and bob stays.
  void BlockAlice(const std::string& what) {
    ASSERT_TRUE(gateway_->HasPeer(kAliceUpn)) << gateway_->Swanctl("--list-sas --raw").output;
    ASSERT_TRUE(gateway_->HasPeer(kBobUpn));
    BlockUntilDown("laptop-1", what, [this] { return !gateway_->HasPeer(kAliceUpn); });
    EXPECT_THAT(gatewayd_->Log(), HasSubstr(kAliceUpn));
    EXPECT_TRUE(gateway_->HasPeer(kBobUpn)) << gateway_->Log();
    EXPECT_TRUE(namespaces_->Ping(Namespaces::kBob));
    EXPECT_FALSE(namespaces_->Ping(Namespaces::kAlice));
  }

  std::unique_ptr<Charon> gateway_;
};

TEST_F(StrongswanTunnelTest, ADeviceThatIsBlockedLosesItsTunnelByVici) {
  StartGateway({{"variant", "pubkey"}});
  const auto alice = ConnectByPubkey(Namespaces::kAlice);
  const auto bob = ConnectByPubkey(Namespaces::kBob);
  StartGatewayd(absl::StrCat("strongswan: [{vici: ", gateway_->vici(), "}]\n"));
  BlockAlice("strongSwan, vici");
}

// A client that answers nothing any more must not keep its tunnel.
TEST_F(StrongswanTunnelTest, AClientThatAnswersNothingLosesItsTunnelToo) {
  StartGateway({{"variant", "pubkey"}});
  const auto alice = ConnectByPubkey(Namespaces::kAlice);
  const auto bob = ConnectByPubkey(Namespaces::kBob);
  StartGatewayd(absl::StrCat("strongswan: [{vici: ", gateway_->vici(), "}]\n"));
  ASSERT_EQ(kill(alice->process().pid(), SIGSTOP), 0);
  BlockAlice("strongSwan, vici, a client that answers nothing");
  ASSERT_EQ(kill(alice->process().pid(), SIGCONT), 0);
}

class StrongswanRadiusTest : public StrongswanTunnelTest {
 protected:
  void SetUp() override {
    StrongswanTunnelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const CertificateAndKey own = server_issuer_->Issue(
        kAaaName,
        {absl::StrCat("subjectAltName = DNS:", kAaaName), "extendedKeyUsage = serverAuth"});
    directory().Write("radius.pem", own.certificate_pem);
    directory().Write("radius.key", own.private_key_pem);
    std::filesystem::create_directory(File("refused"));
    StartRadius(Roots());
    StartGateway({{"variant", "eap-radius"},
                  {"radius_server", Namespaces::kTestAddress},
                  {"radius_secret", kSecret},
                  {"disconnect_secret", kSecret},
                  {"disconnect_address", Namespaces::kGatewayAddress}});
    alice_ = ConnectByEap(Namespaces::kAlice);
    bob_ = ConnectByEap(Namespaces::kBob);
  }

  // Again: FreeRADIUS reads its roots when it starts.
  void StartRadius(const std::string& roots) {
    ASSERT_OK(WriteKit(gateways::FreeradiusKit(), SubjectOf(roots),
                       {{"folder", File("radius")},
                        {"follower_folder", File("follower")},
                        {"listen_address", Namespaces::kTestAddress},
                        {"gateway_address", Namespaces::kGatewayAddress},
                        {"gateway_secret", kSecret},
                        {"server_certificate", File("radius.pem")},
                        {"server_key", File("radius.key")},
                        {"refused_folder", File("refused")},
                        {"log_folder", directory().path()},
                        {"run_folder", directory().path()}},
                       File("radius")));
    radius_.reset();
    radius_ = std::make_unique<BackgroundProcess>(
        std::vector<std::string>{"/usr/sbin/freeradius", "-d", File("radius"), "-f", "-l", "stdout",
                                 "-xx"},
        File(absl::StrCat("radius-", ++radius_starts_, ".log")));
    ASSERT_TRUE(radius_->WaitForLog("Ready to process requests")) << radius_->Log();
  }

  std::unique_ptr<Charon> ConnectByEap(const std::string& name) {
    return Connect(name, absl::StrCat("      auth = eap-tls\n      id = ", name,
                                      "@contoso.example\n      aaa_id = ", kAaaName, "\n"));
  }

  std::unique_ptr<BackgroundProcess> radius_;
  int radius_starts_ = 0;
  std::unique_ptr<Charon> alice_, bob_;
};

TEST_F(StrongswanRadiusTest, WhomFreeradiusLetInLosesHisTunnelByViciAndDoesNotComeBack) {
  StartGatewayd(absl::StrCat("strongswan: [{vici: ", gateway_->vici(),
                             "}]\nrefused: [{folder: refused, names: hexadecimal}]\n"));
  BlockAlice("strongSwan with FreeRADIUS, vici");
  const CommandResult again = alice_->Swanctl("--initiate --child net --timeout 10");
  EXPECT_NE(again.exit_code, 0) << again.output;
  EXPECT_THAT(radius_->Log(), HasSubstr("Program returned code (1)"));
  EXPECT_FALSE(gateway_->HasPeer(kAliceUpn));
  // The control: another dials by the same way, and so does she with what is issued to her later.
  EXPECT_EQ(bob_->Swanctl("--terminate --ike home").exit_code, 0);
  EXPECT_EQ(bob_->Swanctl("--initiate --child net --timeout 10").exit_code, 0);
  Hourglass(
      "hourglass/hourglass --config cli.yaml devices unblock --tenant contoso laptop-1 --reason "
      "found");
  Issue(Namespaces::kAlice);
  TakeCertificate(*alice_, Namespaces::kAlice);
  const CommandResult found = alice_->Swanctl("--initiate --child net --timeout 10");
  EXPECT_EQ(found.exit_code, 0) << found.output << radius_->Log();
  EXPECT_TRUE(namespaces_->Ping(Namespaces::kAlice));
}

TEST_F(StrongswanRadiusTest, WhomFreeradiusLetInLosesHisTunnelByDisconnectRequest) {
  directory().Write("disconnect.secret", absl::StrCat(kSecret, "\n"));
  StartGatewayd(absl::StrCat("radius: [{nas: '", Namespaces::kGatewayAddress,
                             ":3799', secret_file: disconnect.secret}]\n"));
  BlockAlice("strongSwan with FreeRADIUS, Disconnect-Request");
  EXPECT_THAT(gateway_->Log(),
              HasSubstr("received RADIUS DAE Disconnect-Request for alice@contoso.example"));
}

// The longest time between two answers in what `ping -D` printed; seconds.
double LongestGap(const std::string& log) {
  double longest = 0, last = 0;
  for (const absl::string_view line : absl::StrSplit(log, '\n')) {
    double at = 0;
    if (!absl::StrContains(line, "bytes from") ||
        !absl::SimpleAtod(line.substr(1, line.find(']') - 1), &at)) {
      continue;
    }
    if (last > 0) longest = std::max(longest, at - last);
    last = at;
  }
  return longest;
}

TEST_F(StrongswanRadiusTest, ARotationAndARenewalCutNoTunnel) {
  BackgroundProcess ping(namespaces_->In(Namespaces::kAlice, {"ping", "-n", "-D", "-i", "0.05",
                                                              Namespaces::kProtectedAddress}),
                         File("ping.log"));
  ASSERT_TRUE(ping.WaitForLog("icmp_seq=5 ")) << ping.Log();

  // The next root is trusted, signs, and is what alice's next certificate is of.
  Hourglass(
      "hourglass/hourglass --config cli.yaml roots create --tenant contoso --duration 1y "
      "--key-type ec-p256");
  StartRadius(Roots());
  Hourglass("hourglass/hourglass --config cli.yaml roots promote --tenant contoso r2 --yes");
  Issue(Namespaces::kAlice);
  TakeCertificate(*alice_, Namespaces::kAlice);
  const CommandResult renewed = alice_->Swanctl("--rekey --ike home --reauth");
  ASSERT_EQ(renewed.exit_code, 0) << renewed.output;
  ASSERT_TRUE(radius_->WaitForLog("Sent Access-Accept")) << radius_->Log();
  EXPECT_THAT(radius_->Log(), HasSubstr("gen 2"));
  const std::size_t answered = ping.Log().size();
  while (ping.Log().size() < answered + 2000 && ping.Running()) {
  }
  ping.Stop(SIGINT);
  const double gap = LongestGap(ping.Log());
  std::printf("rotation and renewal: the longest time without an answer was %.0f ms\n", gap * 1000);
  EXPECT_LT(gap, 1.0) << ping.Log() << gateway_->Log() << alice_->Log();
  EXPECT_TRUE(gateway_->HasPeer(kAliceUpn));
}

}  // namespace
}  // namespace hourglass
