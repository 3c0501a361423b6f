#include "tests/integration/runbook_fixture.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "tests/support/grpc_matchers.h"

namespace hourglass {
namespace {

namespace fs = std::filesystem;

// As FreeRADIUS, which reads its roots when it starts, and only then.
constexpr char kSystemctl[] =
    "#!/bin/sh\n"
    "[ \"$*\" = 'restart freeradius' ] || exit 9\n"
    "[ ! -e FILES/broken ] || exit 1\n"
    "cp FILES/freeradius/roots.pem FILES/freeradius/read.pem\n"
    "echo restarted >>FILES/restarts\n";

}  // namespace

RunbookTest::RunbookTest() : radius_(daemon_.tls().Client("DNS:radius-1.contoso.example")) {
  for (const char* folder : {"administrator", "radius-1", "nps-1", "freeradius", "bin"}) {
    mkdir(files_.File(folder).c_str(), 0700);
  }
  const std::string systemctl =
      files_.Write("bin/systemctl", absl::StrReplaceAll(kSystemctl, {{"FILES", files_.path()}}));
  chmod(systemctl.c_str(), 0700);
  for (const char* program : {"hourglass/hourglass", "bundle/hourglass-bundle"}) {
    fs::create_symlink(fs::absolute(absl::StrCat("tools/", program)),
                       fs::path(files_.File("bin")) / fs::path(program).filename());
  }
}

void RunbookTest::SetUp() {
  Restart();
  daemon_.MakeReady();
}

void RunbookTest::TearDownTestSuite() {
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  if (all.test_to_run_count() != all.total_test_count()) return;
  EXPECT_THAT(Runbook().NotTaken(), testing::IsEmpty()) << "commands that no test has run";
}

DocumentCommands& RunbookTest::Runbook() {
  static auto* const runbook = new DocumentCommands("docs/rotation.md");
  return *runbook;
}

void RunbookTest::Restart(const std::string& more, const std::string& keys) {
  if (daemon_.Running()) {
    EXPECT_EQ(daemon_.Stop(), 0);
  }
  daemon_.Configure(
      keys.empty() ? absl::StrCat("{tokens: [\"", daemon_.token().Uri(), "\"]}") : keys,
      daemon_.data_directory(), more);
  // The list of callers comes last.
  const std::string block = Runbook().Take("the caller of a follower");
  absl::string_view caller = block;
  EXPECT_TRUE(absl::ConsumePrefix(&caller, "callers:\n")) << block;
  daemon_.directory().Write("hourglassd.yaml",
                            absl::StrCat(ReadFileOrDie(daemon_.config_file()), caller));
  ASSERT_TRUE(daemon_.Start(clock_.Prefix())) << daemon_.Log();
  WriteClientConfig(Place::kAdministrator, "cli.yaml", daemon_.CredentialOf(kAdministrator));
  WriteClientConfig(Place::kRadius, "gateway.yaml", radius_);
}

void RunbookTest::WriteClientConfig(Place place, const std::string& name,
                                    const TlsCredential& credential) {
  std::ofstream(At(place, name)) << "server: " << daemon_.address()
                                 << "\ntls:\n  certificate: " << credential.certificate_file
                                 << "\n  private_key: " << credential.private_key_file
                                 << "\n  trusted_roots: " << daemon_.tls().trusted_roots_file()
                                 << "\n";
}

std::string RunbookTest::At(Place place, const std::string& file) const {
  return absl::StrCat(files_.path(), place == Place::kRadius ? "/radius-1/" : "/administrator/",
                      file);
}

std::string RunbookTest::Script(const std::string& commands, Place place) const {
  return absl::StrCat(
      "set -eu\nexport PATH=", files_.File("bin"), ":$PATH\ncd ", At(place, ""), "\n",
      absl::StrReplaceAll(commands, {{"/etc/freeradius/hourglass", files_.File("freeradius")}}));
}

CommandResult RunbookTest::Shell(const std::string& commands, Place place) const {
  return RunCommand({"bash", "-c", Script(commands, place)}, "", clock_.Environment());
}

std::string RunbookTest::Run(const std::string& name, Place place) {
  const CommandResult result = Shell(Runbook().Take(name), place);
  EXPECT_EQ(result.exit_code, 0) << name << ":\n" << result.output << daemon_.Log();
  return result.output;
}

std::string RunbookTest::RunRefused(const std::string& name, Place place) {
  const CommandResult result = Shell(Runbook().Take(name), place);
  EXPECT_EQ(result.exit_code, 1) << name << ":\n" << result.output;
  return result.output;
}

nlohmann::json RunbookTest::Ask(const std::string& words) const {
  const CommandResult result = Shell("hourglass --config cli.yaml --json " + words);
  EXPECT_EQ(result.exit_code, 0) << words << ":\n" << result.output;
  return nlohmann::json::parse(result.output, nullptr, /*allow_exceptions=*/false);
}

void RunbookTest::PutOnRecord() {
  Run("register");
  // As an administrator exported them.
  Run("export the bundle");
  fs::copy_file(At(Place::kAdministrator, "roots.pem"), At(Place::kRadius, "roots.pem"));
  Run("follow once", Place::kRadius);
  InstallOnNps();
}

void RunbookTest::InstallOnNps() {
  fs::copy_file(At(Place::kAdministrator, "roots.pem"), files_.File("nps-1/roots.pem"),
                fs::copy_options::overwrite_existing);
  Run("attest");
}

void RunbookTest::Wait(const std::string& offset) {
  clock_.Set(offset);
  const CommandResult accepted = Shell("hourglass --config cli.yaml clock accept");
  EXPECT_EQ(accepted.exit_code, 0) << accepted.output;
}

std::string RunbookTest::Leaf() {
  v1::IssueCertificateResponse response;
  EXPECT_THAT(daemon_.Issue(daemon_.Request(), &response), Succeeded());
  const std::string der = files_.Write("leaf.der", response.certificate());
  const std::string pem = files_.File(absl::StrCat("leaf", ++leaves_, ".pem"));
  const CommandResult written =
      RunCommand({"openssl", "x509", "-inform", "DER", "-in", der, "-out", pem});
  EXPECT_EQ(written.exit_code, 0) << written.output;
  return pem;
}

bool RunbookTest::Accepts(const std::string& roots, const std::string& leaf) const {
  const CommandResult result = RunCommand(
      {"openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", roots, leaf}, "",
      clock_.Environment());
  // Not for another reason than that the root is not among them.
  if (result.exit_code != 0) {
    EXPECT_THAT(result.output, testing::HasSubstr("error 20 at 0 depth"));
  }
  return result.exit_code == 0;
}

bool RunbookTest::RadiusAccepts(const std::string& leaf) const {
  return Accepts(files_.File("freeradius/read.pem"), leaf);
}

bool RunbookTest::NpsAccepts(const std::string& leaf) const {
  return Accepts(files_.File("nps-1/roots.pem"), leaf);
}

std::map<std::string, std::string> RunbookTest::States() const {
  std::map<std::string, std::string> states;
  const nlohmann::json list = Ask("roots list --tenant contoso");
  for (const auto& root : list["roots"]) {
    states[root["root_id"]] = root["state"];
  }
  return states;
}

std::vector<std::string> RunbookTest::Journal() const {
  std::vector<std::string> lines;
  const nlohmann::json list = Ask("journal list --tenant contoso --kind admin");
  for (const auto& action : list["actions"]) {
    std::string& line = lines.emplace_back();
    for (const char* name : {"caller", "action", "subject"}) {
      absl::StrAppend(&line, line.empty() ? "" : " ", action[name].get<std::string>());
    }
    if (action.contains("to_state")) {
      absl::StrAppend(&line, " ", action.value("from_state", ""), ">",
                      action["to_state"].get<std::string>());
    }
    if (action["override"].get<bool>()) line += " override";
    if (action.contains("reason")) absl::StrAppend(&line, ": ", action.value("reason", ""));
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

int RunbookTest::Restarts() const {
  std::ifstream file(files_.File("restarts"));
  int lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  return lines;
}

void RunbookTest::BreakRadius(bool broken) const {
  if (broken) {
    files_.Write("broken", "");
  } else {
    fs::remove(files_.File("broken"));
  }
}

}  // namespace hourglass
