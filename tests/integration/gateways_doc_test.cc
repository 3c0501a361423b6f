// docs/gateways.md: its commands, on three machines, from packages to a tunnel and a new root.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "tests/integration/document_fixture.h"
#include "tests/support/machine.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tunnels_required.h"

namespace hourglass {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Debian's kernels have ESP, and some that tests run on have not: strongSwan's own does. It is
// loaded before the kernel's. And what charon says goes to a file.
constexpr char kLibipsec[] = "kernel-libipsec {\n  load = 2\n}\n";
constexpr char kCharonLog[] =
    "charon-systemd {\n  filelog {\n    test {\n      path = /run/home/charon.log\n      "
    "flush_line = "
    "yes\n    }\n  }\n}\n";

class GatewaysDocTest : public DocumentFixture {
 protected:
  GatewaysDocTest() : DocumentFixture("docs/gateways.md") {}

  void SetUp() override {
    if (const std::string why = WhyNot(); !why.empty()) {
      ASSERT_FALSE(TunnelsAreRequired()) << why;
      GTEST_SKIP() << "SKIPPED: " << why;
    }
    Configure("");
    const std::string block = page_.Take("caller");
    absl::string_view caller = block;
    ASSERT_TRUE(absl::ConsumePrefix(&caller, "callers:\n")) << block;
    daemon_.directory().Write("hourglassd.yaml",
                              absl::StrCat(ReadFileOrDie(daemon_.config_file()), caller));
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    WriteClientConfig("cli.yaml", kAdministrator);
    WriteClientConfig("broker.yaml", kBroker);
    MakeTenant();
    daemon_.ReportDevice("contoso", "laptop-1", true);
  }

  // Empty, or why this machine lets nobody try a tunnel.
  static std::string WhyNot() {
    const auto machine = Machine::Make("probe");
    return machine.ok() ? (*machine)->WhyNoTun() : std::string(machine.status().message());
  }
  // Files of the administrator's folder, brought to a machine.
  void Bring(const Machine& machine, const std::string& files) {
    const CommandResult brought = machine.Run(
        absl::StrCat("cd ", daemon_.directory().path(), " && cp -r ", files, " ", Machine::kHome));
    EXPECT_EQ(brought.exit_code, 0) << brought.output;
  }
  std::string TakeOn(const Machine& machine, const std::string& name) {
    const CommandResult result = machine.Run(page_.Take(name));
    EXPECT_EQ(result.exit_code, 0) << name << ":\n" << result.output << Logs(machine);
    return result.output;
  }
  static std::string Logs(const Machine& machine) {
    return machine
        .Run(
            "tail -n 60 /run/home/charon.log /var/log/unit-*.log /var/log/freeradius/radius.log "
            "2>&1 "
            "|| true")
        .output;
  }
  static void PrepareStrongswan(const Machine& machine) {
    machine.Write("/etc/strongswan.d/charon/kernel-libipsec.conf", kLibipsec);
    machine.Write("/etc/strongswan.d/test-log.conf", kCharonLog);
  }
  // The commands with the service where it is here.
  std::string TakeHere(const std::string& name) {
    return Succeed(
        absl::StrReplaceAll(page_.Take(name), {{"ca.contoso.example:8443", daemon_.address()}}));
  }
  // Until the commands say so; a minute is a bound for slow machines.
  bool Becomes(const std::string& commands, const std::string& what) {
    for (int i = 0; i < 600; ++i) {
      if (absl::StrContains(Shell(commands).output, what)) return true;
      Shell("sleep 0.1");
    }
    return false;
  }
};

TEST_F(GatewaysDocTest, FromFreshMachinesToATunnelAndANewRoot) {
  ASSERT_OK_AND_ASSIGN(const auto radius, Machine::Make("radius"));
  ASSERT_OK_AND_ASSIGN(const auto gateway, Machine::Make("gateway"));
  ASSERT_OK_AND_ASSIGN(const auto client, Machine::Make("client"));
  // The gateway has one address on both cables, as on one network.
  ASSERT_OK(Machine::Join(*gateway, "192.0.2.10/32", *radius, "192.0.2.20/24"));
  ASSERT_OK(Machine::Join(*gateway, "192.0.2.10/32", *client, "192.0.2.30/24"));
  ASSERT_EQ(gateway
                ->Run("ip route add 192.0.2.20 dev to-radius && ip route add 192.0.2.30 dev "
                      "to-client && ip address add 10.30.0.1/32 dev lo")
                .exit_code,
            0);
  PrepareStrongswan(*gateway);
  PrepareStrongswan(*client);

  Take("own certificates");
  EXPECT_THAT(TakeHere("write the kits"),
              AllOf(HasSubstr("Wrote 8 files for freeradius of tenant contoso to radius-kit"),
                    HasSubstr("Wrote 3 files for strongswan of tenant contoso to gateway-kit")));
  Bring(*radius, "radius-kit radius.contoso.example.*");
  EXPECT_THAT(TakeOn(*radius, "RADIUS server"), HasSubstr("Configuration appears to be OK"));
  Bring(*gateway, "gateway-kit vpn.contoso.example.*");
  EXPECT_THAT(TakeOn(*gateway, "gateway"), HasSubstr("successfully loaded 1 connections"));

  Take("certificate");
  Bring(*client, "alice.pem alice.key servers.pem");
  EXPECT_THAT(TakeOn(*client, "client"),
              AllOf(HasSubstr("initiate completed successfully"), HasSubstr("1 received")));
  EXPECT_THAT(TakeOn(*gateway, "look"),
              AllOf(HasSubstr("EAP: 'alice@contoso.example'"), HasSubstr("hourglass-contoso"),
                    ContainsRegex("reauth in 3[0-9][0-9][0-9]s")));
  // What is said of others holds for another user's certificate.
  EXPECT_EQ(client
                ->Run("swanctl --terminate --ike office && sed -i s/alice@/bob@/ "
                      "/etc/swanctl/conf.d/office.conf && swanctl --load-all")
                .exit_code,
            0);
  EXPECT_THAT(client->Run("swanctl --initiate --child office").output,
              AllOf(HasSubstr("received EAP_FAILURE"), Not(HasSubstr("completed successfully"))));

  Take("on record");
  const TlsCredential follower = daemon_.tls().Client("DNS:radius.contoso.example");
  daemon_.directory().Write("client.pem", ReadFileOrDie(follower.certificate_file));
  daemon_.directory().Write("client.key", ReadFileOrDie(follower.private_key_file));
  daemon_.directory().Write("service-ca.pem", ReadFileOrDie(daemon_.tls().trusted_roots_file()));
  Bring(*radius, "client.pem client.key service-ca.pem");
  ASSERT_EQ(radius
                ->Run(absl::StrCat(
                    "cp ", std::filesystem::absolute("tools/bundle/hourglass-bundle").string(),
                    " /usr/local/bin/"))
                .exit_code,
            0);
  TakeOn(*radius, "follow");
  Succeed(
      "hourglass --config cli.yaml roots create --tenant contoso --duration 1y --key-type ec-p384");
  EXPECT_TRUE(Becomes(
      "hourglass --config cli.yaml rotation status --tenant contoso | grep ^radius-1", " yes"))
      << Logs(*radius);
  EXPECT_THAT(radius->Run("cat /etc/freeradius/hourglass/roots.pem").output,
              HasSubstr("# root r2 of contoso"));
  Succeed("hourglass --config cli.yaml roots promote --tenant contoso r2");
  Succeed(
      "hourglass-broker issue --config broker.yaml --tenant contoso --user alice@contoso.example "
      "--device laptop-1 --out alice.pem --key-out alice.key");
  Bring(*client, "alice.pem alice.key");
  EXPECT_THAT(
      client
          ->Run("cp alice.pem /etc/swanctl/x509/ && cp alice.key /etc/swanctl/private/ && sed -i "
                "s/bob@/alice@/ /etc/swanctl/conf.d/office.conf && swanctl --load-all --clear && "
                "swanctl "
                "--initiate --child office && ping -c 1 10.30.0.1")
          .output,
      AllOf(HasSubstr("initiate completed successfully"), HasSubstr("1 received")))
      << Logs(*radius);
  EXPECT_THAT(page_.NotTaken(), IsEmpty());
}

}  // namespace
}  // namespace hourglass
