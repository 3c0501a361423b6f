#include "tests/tunnels/tunnel_fixture.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace hourglass {

TunnelFixture::TunnelFixture() {
  if (!Namespaces::Enter().empty()) return;
  namespaces_ = std::make_unique<Namespaces>();
  daemon_ = std::make_unique<Daemon>();
}

void TunnelFixture::SetUp() {
  const std::string why = Namespaces::Enter();
  if (!why.empty()) GTEST_SKIP() << "SKIPPED: " << why;
  server_issuer_ = std::make_unique<OpensslCa>("/CN=Issuer of the gateway");
  ASSERT_TRUE(daemon_->Start()) << daemon_->Log();
  directory().Write("cli.yaml", daemon_->ConfigOf(kAdministrator));
  directory().Write("broker.yaml", daemon_->ConfigOf(kBroker));
  directory().Write("server-issuer.pem", server_issuer_->root_pem());
  Hourglass("hourglass/hourglass --config cli.yaml tenants create contoso");
  Hourglass(
      "hourglass/hourglass --config cli.yaml roots create --tenant contoso --duration 1y "
      "--key-type ec-p256 --primary");
  daemon_->ReportDevice("contoso", "laptop-1", true);
  daemon_->ReportDevice("contoso", "laptop-2", true);
  Issue(Namespaces::kAlice);
  Issue(Namespaces::kBob);
}

std::string TunnelFixture::Hourglass(const std::string& words) const {
  const CommandResult result =
      RunCommand({"bash", "-ec",
                  absl::StrCat("tools=", std::filesystem::absolute("tools").string(), "; cd ",
                               directory().path(), "; $tools/", words)});
  EXPECT_EQ(result.exit_code, 0) << words << "\n" << result.output;
  return result.output;
}

void TunnelFixture::Issue(const std::string& name) {
  Hourglass(absl::StrCat(
      "broker/hourglass-broker issue --config broker.yaml --tenant contoso "
      "--user ",
      name, "@contoso.example --device ", name == Namespaces::kAlice ? "laptop-1" : "laptop-2",
      " --out ", name, ".pem --key-out ", name, ".key"));
}

std::string TunnelFixture::Roots() const {
  return Hourglass("hourglass/hourglass --config cli.yaml roots export --tenant contoso --all");
}

void TunnelFixture::StartGatewayd(const std::string& gateways) {
  // An auditor may watch decisions, as relying parties may.
  directory().Write("gateway.yaml", absl::StrCat(daemon_->ConfigOf(kAuditor),
                                                 "tenant: contoso\nstate: ", File("gatewayd.state"),
                                                 "\n", gateways));
  gatewayd_ = std::make_unique<BackgroundProcess>(
      std::vector<std::string>{"tools/gatewayd/hourglass-gatewayd", "--config",
                               File("gateway.yaml"), "--json"},
      File("gatewayd.log"));
  ASSERT_TRUE(gatewayd_->WaitForLog("\"event\":\"started\"")) << gatewayd_->Log();
}

void TunnelFixture::BlockUntilDown(const std::string& device, const std::string& what,
                                   const std::function<bool()>& is_down) {
  using std::chrono::steady_clock;
  const auto began = steady_clock::now();
  Hourglass(absl::StrCat("hourglass/hourglass --config cli.yaml devices block --tenant contoso ",
                         device, " --reason 'lost in a train'"));
  const auto blocked = steady_clock::now();
  bool down = false;
  while (!(down = is_down()) && steady_clock::now() - began < kLongestTime) {
  }
  const auto ended = steady_clock::now();
  ASSERT_TRUE(down) << gatewayd_->Log();
  ASSERT_TRUE(gatewayd_->WaitForLog("\"event\":\"carried_out\"")) << gatewayd_->Log();
  const std::string log = gatewayd_->Log();
  const std::string name = "\"after_seconds\":";
  const std::size_t at = log.find(name);
  ASSERT_NE(at, std::string::npos) << log;
  const double after = std::atof(log.c_str() + at + name.size());
  EXPECT_LT(after, kTimeToDown) << log;
  const auto in_milliseconds = [](steady_clock::duration length) {
    return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(length).count());
  };
  std::printf(
      "%s: %ld ms from `devices block` to a dead tunnel, %ld ms after it returned; the gateway's "
      "part %.0f ms\n",
      what.c_str(), in_milliseconds(ended - began), in_milliseconds(ended - blocked), after * 1000);
}

}  // namespace hourglass
