// docs/decision-events.md: its commands, of a help desk and of a gateway.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/integration/document_fixture.h"

namespace hourglass {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class DecisionEventsDocTest : public DocumentFixture {
 protected:
  DecisionEventsDocTest() : DocumentFixture("docs/decision-events.md") {}

  void SetUp() override {
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    WriteClientConfig("cli.yaml", kAdministrator);
    WriteClientConfig("gateway.yaml", kAuditor);
    WriteClientConfig("mdm.yaml", kDeviceReporter);
    WriteClientConfig("broker.yaml", kBroker);
    MakeTenant();
  }

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
