// docs/decision-events.md: its commands, of a help desk and of a gateway.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/daemon.h"
#include "tests/support/document_commands.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class DecisionEventsDocTest : public testing::Test {
 protected:
  void SetUp() override {
    daemon_.Configure(absl::StrCat("{tokens: [\"", daemon_.token().Uri(), "\"]}"),
                      daemon_.data_directory(), "");
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    WriteClientConfig("cli.yaml", kAdministrator);
    WriteClientConfig("gateway.yaml", kAuditor);
    WriteClientConfig("mdm.yaml", kDeviceReporter);
    WriteClientConfig("broker.yaml", kBroker);
    Succeed(
        "hourglass --config cli.yaml tenants create contoso && hourglass --config cli.yaml "
        "roots create --tenant contoso --duration 1y --key-type ec-p256 --primary");
  }

  void WriteClientConfig(const std::string& name, const char* caller) {
    const TlsCredential& credential = daemon_.CredentialOf(caller);
    files_.Write(name,
                 absl::StrCat("server: ", daemon_.address(),
                              "\ntls:\n  certificate: ", credential.certificate_file,
                              "\n  private_key: ", credential.private_key_file,
                              "\n  trusted_roots: ", daemon_.tls().trusted_roots_file(), "\n"));
  }

  CommandResult Shell(const std::string& commands) const {
    const std::string here = std::filesystem::current_path();
    return RunCommand(
        {"bash", "-ec",
         absl::StrCat("PATH=", here, "/tools/hourglass:", here, "/tools/broker:$PATH\n", "cd ",
                      files_.path(), "\n", commands)});
  }
  std::string Succeed(const std::string& commands) const {
    const CommandResult result = Shell(commands);
    EXPECT_EQ(result.exit_code, 0) << commands << "\n" << result.output;
    return result.output;
  }
  std::string Take(const std::string& name) { return Succeed(page_.Take(name)); }

  void Report(const std::string& encrypted) {
    Succeed(
        absl::StrCat("hourglass --config mdm.yaml devices report --tenant contoso laptop-1 "
                     "--disk-encryption ",
                     encrypted));
  }
  CommandResult Issue() {
    const std::string name = absl::StrCat("leaf-", ++leaves_);
    return Shell(
        absl::StrCat("hourglass-broker issue --config broker.yaml --tenant contoso --user "
                     "alice@contoso.example --device laptop-1 --out ",
                     name, ".pem --key-out ", name, ".key"));
  }

  DocumentCommands page_{"docs/decision-events.md"};
  TemporaryDirectory files_;
  Daemon daemon_;
  int leaves_ = 0;
};

TEST_F(DecisionEventsDocTest, AHelpDeskFindsARefusalAndAGatewayGoesOnWhereItWas) {
  Report("on");
  ASSERT_EQ(Issue().exit_code, 0);
  Report("off");
  const CommandResult refused = Issue();
  ASSERT_NE(refused.exit_code, 0);
  ASSERT_THAT(refused.output, HasSubstr("correlation id "));
  // Written behind the answer.
  while (Succeed("hourglass --config cli.yaml journal list --tenant contoso --kind refusal") ==
         "No refusals.\n") {
  }
  EXPECT_THAT(Take("refusals"),
              AllOf(HasSubstr("WHAT WAS MISSING"), HasSubstr("disk_encryption.enabled"),
                    HasSubstr("alice@contoso.example"), HasSubstr("What was missing:\n"),
                    HasSubstr("https://help.contoso.example/vpn")));
  EXPECT_THAT(
      Take("watch"),
      MatchesRegex("[-0-9T:Z.]+ DEVICE_NOT_COMPLIANT device laptop-1: "
                   "disk_encryption.enabled; certificates: [0-9a-f]+; cursor 1-[0-9a-f]+\n"));
  ASSERT_EQ(daemon_.Stop(), 0);
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  for (const auto& [name, caller] :
       {std::pair("cli.yaml", kAdministrator), std::pair("gateway.yaml", kAuditor)}) {
    WriteClientConfig(name, caller);
  }
  EXPECT_THAT(Take("again"), AllOf(HasSubstr("Blocked user alice@contoso.example."),
                                   HasSubstr(" USER_BLOCKED user alice@contoso.example: left the "
                                             "company; certificates: "),
                                   Not(HasSubstr("DEVICE_NOT_COMPLIANT"))));
  const CommandResult unknown = Shell(
      "hourglass --config gateway.yaml decisions watch --tenant contoso --after 9-x --count 1");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.output, StartsWith("hourglass: CURSOR_UNKNOWN: "));
  EXPECT_THAT(page_.NotTaken(), IsEmpty());
}

}  // namespace
}  // namespace hourglass
