// The program as its users meet it: profiles for Windows clients.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "tests/support/document_commands.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/client/testing/loopback_service.h"

namespace hourglass::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kProgram[] = "tools/hourglass/hourglass";

class ScriptedRoots final : public v1::RootService::Service {
 public:
  grpc::Status ListRoots(grpc::ServerContext*, const v1::ListRootsRequest* request,
                         v1::ListRootsResponse* answer) override {
    if (request->tenant_id() != "contoso") return {grpc::StatusCode::NOT_FOUND, "no tenant"};
    *answer = roots;
    return grpc::Status::OK;
  }
  v1::ListRootsResponse roots;
};

class ProfilesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    certificates_ = new TemporaryDirectory();
    const std::string script = R"(set -e; cd "$0"
root() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" \
  -subj "/CN=$2" -days 30 -out "$1.pem"; openssl x509 -in "$1.pem" -outform der -out "$1.der"; }
root server 'Contoso Root'; root tenant 'Contoso VPN 1'; root next 'Contoso VPN 2'; root premises 'AD CA'
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout nps.key -subj /CN=nps |
  openssl x509 -req -CA server.pem -CAkey server.key -days 9 -out nps.pem \
  -extfile <(printf 'basicConstraints=CA:FALSE\nsubjectAltName=DNS:nps.contoso.example\nextendedKeyUsage=serverAuth\n')
openssl req -new -key nps.key -subj /CN=nps.corp.contoso.example |
  openssl x509 -req -CA server.pem -CAkey server.key -days 9 -out corp.pem \
  -extfile <(printf 'basicConstraints=CA:FALSE\n'))";
    const CommandResult made = RunCommand({"bash", "-c", script, certificates_->path()});
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }
  static void TearDownTestSuite() {
    delete certificates_;
    certificates_ = nullptr;
  }

  static std::string Certificate(absl::string_view name) { return certificates_->File(name); }

  static CommandResult Run(const std::vector<std::string>& words) {
    std::vector<std::string> command = {kProgram, "profiles"};
    command.insert(command.end(), words.begin(), words.end());
    return RunCommand(command, "", {"HOURGLASS_CONFIG="});
  }

  // A user's tunnel, complete but for where the tenant's roots are from.
  static std::vector<std::string> Vpnv2(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"vpnv2",
                                      "--server",
                                      "vpn.contoso.example;Contoso",
                                      "--server",
                                      "vpn2.contoso.example",
                                      "--route",
                                      "10.0.0.0/8",
                                      "--radius-name",
                                      "nps.contoso.example",
                                      "--server-root",
                                      Certificate("server.pem"),
                                      "--sso-issuer",
                                      Certificate("premises.pem")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static std::vector<std::string> OfFiles(std::vector<std::string> more) {
    more.insert(more.end(), {"--tenant-root", Certificate("tenant.pem")});
    return Vpnv2(more);
  }

  const TemporaryDirectory directory_;
  static TemporaryDirectory* certificates_;
};

TemporaryDirectory* ProfilesTest::certificates_ = nullptr;

TEST_F(ProfilesTest, WritesWhatTheCheckHasNothingAgainst) {
  const std::string file = directory_.File("user.xml");
  const CommandResult wrote = Run(OfFiles({"--name", "Contoso VPN", "--pin-roots", "--out", file}));
  EXPECT_EQ(wrote.exit_code, 0) << wrote.output;
  EXPECT_THAT(wrote.output,
              StartsWith(absl::StrCat("Wrote ", file, ": a user's tunnel, split.\n")));
  EXPECT_THAT(wrote.output, HasSubstr("trusted for the RADIUS server: CN=Contoso Root, SHA-1 "));
  EXPECT_THAT(wrote.output, HasSubstr("./User/Vendor/MSFT/VPNv2/Contoso%20VPN/ProfileXML"));
  const CommandResult checked =
      Run({"check", file, "--tenant-root", Certificate("tenant.der"), "--server-chain",
           Certificate("server.pem"), "--server-chain", Certificate("nps.pem"), "--oma-uri",
           "./User/Vendor/MSFT/VPNv2/Contoso%20VPN/ProfileXML"});
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
  EXPECT_EQ(checked.output, "0 errors, 0 warnings, 0 notes\n");
  const std::string profile = ReadFileOrDie(file);
  EXPECT_THAT(profile, HasSubstr("<Servers>vpn.contoso.example;Contoso,vpn2.contoso.example;"
                                 "vpn2.contoso.example</Servers>"));
  EXPECT_THAT(profile, HasSubstr("<CAHashList Enabled=\"true\">"));
}

TEST_F(ProfilesTest, SaysEachMistakeWithLineEffectAndRemedyAndExitsWithOne) {
  const std::string profile = Run(OfFiles({})).output;
  const std::string wrong = directory_.Write(
      "wrong.xml",
      absl::StrReplaceAll(profile, {{"<AlwaysOn>true", "<AlwaysOn>True"},
                                    {"ClientAuthEKUList Enabled=\"true\"", "ClientAuthEKUList"}}));
  const CommandResult checked = Run({"check", wrong});
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_THAT(checked.output,
              HasSubstr(absl::StrCat("ERROR ", wrong,
                                     ":3: VPNProfile/AlwaysOn: AlwaysOn is \"True\"\n  effect: ")));
  EXPECT_THAT(checked.output, HasSubstr("  remedy: <ClientAuthEKUList Enabled=\"true\">\n"));
  EXPECT_THAT(checked.output, HasSubstr("2 errors, 0 warnings, 0 notes\n"));
  const CommandResult in_json = Run({"check", wrong, "--json"});
  EXPECT_EQ(in_json.exit_code, 1);
  const auto json = nlohmann::json::parse(in_json.output);
  EXPECT_EQ(json["errors"], 2);
  EXPECT_EQ(json["findings"][0]["id"], "not-a-boolean");
  EXPECT_EQ(json["findings"][0]["line"], 3);
  EXPECT_EQ(json["findings"][1]["id"], "filter-off");
}

TEST_F(ProfilesTest, ComparesWithTheTenantAndTheServer) {
  const std::string file = directory_.Write("user.xml", Run(OfFiles({})).output);
  EXPECT_EQ(Run({"check", file}).exit_code, 0);
  const CommandResult cloud = Run({"check", file, "--tenant-root", Certificate("server.pem")});
  EXPECT_EQ(cloud.exit_code, 1);
  EXPECT_THAT(cloud.output, HasSubstr("it is one of the tenant's roots"));
  const CommandResult other = Run({"check", file, "--server-chain", Certificate("next.pem")});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.output, HasSubstr("it is not in the server's chain"));
  const CommandResult gateway =
      Run({"check", file, "--gateway-certificate", Certificate("nps.pem")});
  EXPECT_EQ(gateway.exit_code, 1);
  EXPECT_THAT(gateway.output,
              HasSubstr("no gateway's certificate has the name vpn.contoso.example"));
}

TEST_F(ProfilesTest, RefusesARootOfTheTenantAndWhatIsNoRoot) {
  const std::string file = directory_.File("user.xml");
  std::vector<std::string> words = OfFiles({"--out", file});
  EXPECT_EQ(Run(words).exit_code, 0);
  words.insert(words.end(), {"--force", "--server-root", Certificate("tenant.der")});
  const CommandResult tenant = Run(words);
  EXPECT_EQ(tenant.exit_code, 1);
  EXPECT_THAT(tenant.output, HasSubstr("--server-root: CN=Contoso VPN 1 is one of the tenant's own "
                                       "roots"));
  words.back() = Certificate("nps.pem");
  const CommandResult leaf = Run(words);
  EXPECT_EQ(leaf.exit_code, 1);
  EXPECT_THAT(leaf.output, HasSubstr("CN=nps is a server's or user's certificate and no root"));
  words.back() = Certificate("server.key");
  const CommandResult key = Run(words);
  EXPECT_EQ(key.exit_code, 1);
  EXPECT_THAT(key.output, HasSubstr("there is no certificate"));
}

TEST_F(ProfilesTest, AsksForWhatIsMissingAndOverwritesNothing) {
  const CommandResult roots = Run(Vpnv2({}));
  EXPECT_EQ(roots.exit_code, 1);
  EXPECT_THAT(roots.output, HasSubstr("give --tenant or --tenant-root"));
  const CommandResult name = Run(OfFiles({"--format", "powershell"}));
  EXPECT_EQ(name.exit_code, 1);
  EXPECT_THAT(name.output, HasSubstr("--name"));
  const std::string there = directory_.Write("there.xml", "mine");
  const CommandResult refused = Run(OfFiles({"--out", there}));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("is there already: give another path, or --force"));
  EXPECT_EQ(ReadFileOrDie(there), "mine");
  EXPECT_EQ(Run(OfFiles({"--out", there, "--force"})).exit_code, 0);
  EXPECT_THAT(ReadFileOrDie(there), StartsWith("<VPNProfile>"));
  const std::string none = directory_.File("none.xml");
  const CommandResult bad = Run(OfFiles({"--out", none, "--trusted-network", "a\nb"}));
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.output, HasSubstr("--trusted-network: \"a\\x0ab\" is no domain"));
  struct stat status = {};
  EXPECT_NE(stat(none.c_str(), &status), 0);
}

TEST_F(ProfilesTest, WritesTheIntuneValueAndTheScript) {
  const CommandResult value = Run(OfFiles({"--name", "A", "--format", "oma-uri"}));
  EXPECT_EQ(value.exit_code, 0);
  EXPECT_THAT(value.output, StartsWith("&lt;VPNProfile&gt;"));
  EXPECT_THAT(value.output, Not(HasSubstr("\n")));
  const std::string file = directory_.File("install.ps1");
  const CommandResult script =
      Run(OfFiles({"--name", "A", "--format", "powershell", "--out", file}));
  EXPECT_EQ(script.exit_code, 0) << script.output;
  EXPECT_THAT(ReadFileOrDie(file), HasSubstr("MDM_VPNv2_01"));
  // The check reads what was written in either form.
  EXPECT_EQ(Run({"check", file, directory_.Write("value.txt", value.output)}).exit_code, 0);
  const auto json = nlohmann::json::parse(
      Run(OfFiles({"--name", "A B", "--format", "oma-uri", "--json"})).output);
  EXPECT_EQ(json["oma_uri"], "./User/Vendor/MSFT/VPNv2/A%20B/ProfileXML");
  EXPECT_EQ(json["content"], value.output);
}

TEST_F(ProfilesTest, SaysThatADeviceTunnelTakesNoCompliance) {
  const std::string file = directory_.File("device.xml");
  const CommandResult device = Run({"vpnv2", "--device-tunnel", "--server", "vpn.contoso.example",
                                    "--route", "10.0.0.53/32", "--out", file});
  EXPECT_EQ(device.exit_code, 0) << device.output;
  EXPECT_THAT(device.output, HasSubstr("It takes no device compliance"));
  EXPECT_THAT(ReadFileOrDie(file), Not(HasSubstr("DeviceCompliance")));
  const CommandResult pinned =
      Run({"vpnv2", "--device-tunnel", "--server", "vpn.contoso.example", "--route", "10.0.0.53/32",
           "--pin-roots", "--tenant-root", Certificate("tenant.pem")});
  EXPECT_EQ(pinned.exit_code, 1);
  EXPECT_THAT(pinned.output, HasSubstr("--pin-roots: a device tunnel has no user"));
}

TEST_F(ProfilesTest, BombsAreRefused) {
  const std::string bomb = directory_.Write(
      "bomb.xml", "<!DOCTYPE a [<!ENTITY b \"ccc\">]><VPNProfile>&b;</VPNProfile>");
  const CommandResult refused = Run({"check", bomb});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("it has a document type (DOCTYPE), which no profile has"));
  const std::string large = directory_.Write("large.xml", std::string((16 << 20) + 1, ' '));
  const CommandResult too_large = Run({"check", large});
  EXPECT_EQ(too_large.exit_code, 1);
  EXPECT_THAT(too_large.output, HasSubstr("16 MiB"));
}

// The tenant's roots from the service itself.
class ProfilesOfServiceTest : public ProfilesTest {
 protected:
  void Add(absl::string_view certificate, v1::RootState state) {
    v1::Root* root = scripted_.roots.add_roots();
    root->set_tenant_id("contoso");
    root->set_certificate(ReadFileOrDie(Certificate(certificate)));
    root->set_state(state);
  }
  CommandResult RunAtService(std::vector<std::string> words) {
    words.insert(words.end(), {"--config", service_.config_file(), "--tenant", "contoso"});
    return Run(words);
  }

  ScriptedRoots scripted_;
  client::LoopbackService service_{{&scripted_}};
};

TEST_F(ProfilesOfServiceTest, PinsTheLiveRootsAndRefusesEachThatThereWas) {
  Add("tenant.der", v1::PRIMARY);
  Add("next.der", v1::STAGED);
  Add("server.der", v1::RETIRED);
  const CommandResult retired = RunAtService(Vpnv2({}));
  EXPECT_EQ(retired.exit_code, 1);
  EXPECT_THAT(retired.output, HasSubstr("is one of the tenant's own roots"));
  scripted_.roots.mutable_roots()->RemoveLast();
  const CommandResult wrote = RunAtService(Vpnv2({"--pin-roots"}));
  EXPECT_EQ(wrote.exit_code, 0) << wrote.output;
  const std::vector<std::string> pieces = absl::StrSplit(wrote.output, "</CAHashList>");
  const std::vector<std::string> hashes = absl::StrSplit(pieces[0], "<IssuerHash>");
  // That of Kerberos, and those of the list.
  EXPECT_EQ(hashes.size(), 4U);
  const std::string file = directory_.Write("user.xml", wrote.output);
  EXPECT_EQ(RunAtService({"check", file}).exit_code, 0);
  scripted_.roots.mutable_roots(0)->set_state(v1::RETIRED);
  Add("premises.der", v1::PRIMARY);
  const CommandResult stale = RunAtService({"check", file});
  EXPECT_EQ(stale.exit_code, 1);
  EXPECT_THAT(stale.output, HasSubstr("is missing"));
  EXPECT_THAT(stale.output, HasSubstr("VPNProfile/DeviceCompliance/Sso/IssuerHash: it is one of"));
}

// What docs/profiles.md says is what works.
TEST_F(ProfilesOfServiceTest, TheCommandsOfTheDocumentationWork) {
  Add("tenant.der", v1::PRIMARY);
  const auto copy = [&](absl::string_view from, absl::string_view to) {
    directory_.Write(to, ReadFileOrDie(Certificate(from)));
  };
  copy("server.pem", "nps-root.pem");
  copy("premises.pem", "ad-root.pem");
  copy("tenant.pem", "tenant-roots.pem");
  directory_.Write("nps-chain.pem", ReadFileOrDie(Certificate("corp.pem")) +
                                        ReadFileOrDie(Certificate("server.pem")));
  DocumentCommands commands("docs/profiles.md");
  for (const char* name : {"write", "deploy", "check"}) {
    const CommandResult done = RunCommand(
        {"bash", "-ec",
         absl::StrCat("hourglass() { \"$program\" \"${@/cli.yaml/$config}\"; }; program=$PWD/",
                      kProgram, "; config=", service_.config_file(), "; cd ", directory_.path(),
                      "\n", commands.Take(name))});
    EXPECT_EQ(done.exit_code, 0) << name << ": " << done.output;
  }
  EXPECT_THAT(commands.NotTaken(), testing::IsEmpty());
  EXPECT_THAT(ReadFileOrDie(directory_.File("user.xml")), StartsWith("<VPNProfile>"));
}

TEST_F(ProfilesOfServiceTest, WithoutAPrimaryNothingIsPinned) {
  Add("tenant.der", v1::STAGED);
  const CommandResult refused = RunAtService(Vpnv2({"--pin-roots"}));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("NO_PRIMARY_ROOT"));
  // A profile that names none can be written before.
  EXPECT_EQ(RunAtService(Vpnv2({})).exit_code, 0);
  EXPECT_EQ(Run(Vpnv2({"--tenant", "contoso"})).exit_code, 2);
}

}  // namespace
}  // namespace hourglass::cli
