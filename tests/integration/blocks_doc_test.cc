// docs/blocks.md: its commands, and what brokers get meanwhile.
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
using testing::Not;

constexpr char kAlice[] = "alice@contoso.example";
constexpr char kBob[] = "bob@contoso.example";

// The pages of an export, as Microsoft Graph has them.
constexpr char kFirstPage[] = R"({"@odata.nextLink": "https://graph.example/next", "value": [
  {"id": "u-1", "userPrincipalName": "alice@contoso.example", "accountEnabled": true,
   "userType": "Member", "onPremisesSecurityIdentifier": "S-1-5-21-1-2-3-1105",
   "transitiveMemberOf": [{"@odata.type": "#microsoft.graph.group", "id": "g-1"}]}]})";
constexpr char kLastPage[] = R"({"value": [
  {"id": "u-2", "userPrincipalName": "bob@contoso.example", "accountEnabled": false,
   "userType": "Member", "onPremisesSecurityIdentifier": null, "transitiveMemberOf": []}]})";

class BlocksDocTest : public DocumentFixture {
 protected:
  BlocksDocTest() : DocumentFixture("docs/blocks.md") {}

  void SetUp() override {
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    WriteClientConfig("cli.yaml", kAdministrator);
    WriteClientConfig("broker.yaml", kBroker);
    MakeTenant();
    Report();
  }

  // That all is well.
  void Report() {
    daemon_.ReportDevice("contoso", "laptop-1", true);
    daemon_.ReportDevice("contoso", "laptop-2", true);
  }

  CommandResult Issue(const std::string& user, const std::string& device) {
    const std::string name = absl::StrCat("leaf-", ++leaves_);
    return Shell(
        absl::StrCat("hourglass-broker issue --config broker.yaml --tenant contoso --user ", user,
                     " --device ", device, " --out ", name, ".pem --key-out ", name, ".key"));
  }
  void ExpectIssued(const std::string& user, const std::string& device) {
    const CommandResult issued = Issue(user, device);
    EXPECT_EQ(issued.exit_code, 0) << issued.output;
  }
  void ExpectRefused(const std::string& user, const std::string& device, const std::string& why) {
    const CommandResult refused = Issue(user, device);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.output, AllOf(HasSubstr("DEVICE_NOT_COMPLIANT"), HasSubstr(why)));
  }

  int leaves_ = 0;
};

TEST_F(BlocksDocTest, AStolenLaptopAndSomebodyWhoHasLeft) {
  ExpectIssued(kAlice, "laptop-1");
  EXPECT_THAT(Take("device"), AllOf(HasSubstr("Blocked device laptop-1."),
                                    HasSubstr("stolen on 2026-11-30, ticket 4711"),
                                    HasSubstr("until it is lifted"), HasSubstr(kAlice)))
      << "what was issued before is shown";
  const std::string stolen =
      "device_blocked: this device is blocked: stolen on 2026-11-30, ticket 4711";
  ExpectRefused(kAlice, "laptop-1", stolen);
  Report();
  ExpectRefused(kAlice, "laptop-1", stolen);
  ExpectIssued(kAlice, "laptop-2");

  EXPECT_THAT(Take("user"), AllOf(HasSubstr("Blocked user alice@contoso.example."),
                                  HasSubstr("laptop-1"), HasSubstr("laptop-2")));
  ExpectRefused("ALICE@contoso.example", "laptop-2",
                "user_blocked: this user is blocked: left the company");
  ExpectIssued(kBob, "laptop-2");

  EXPECT_THAT(Take("lists"),
              AllOf(HasSubstr("device laptop-1"), HasSubstr("user alice@contoso.example"),
                    HasSubstr("device_blocked"), HasSubstr("user_blocked"),
                    Not(HasSubstr("device_unblocked"))));
  EXPECT_THAT(Take("over"), HasSubstr("Unblocked device laptop-1; the block was:"));
  EXPECT_THAT(Succeed("hourglass --config cli.yaml journal list --tenant contoso"),
              AllOf(HasSubstr("device_unblocked"), HasSubstr("found again, ticket 4711")));
  ExpectIssued(kBob, "laptop-1");

  daemon_.directory().Write("users-1.json", kFirstPage);
  daemon_.directory().Write("users-2.json", kLastPage);
  EXPECT_THAT(Take("directory"),
              AllOf(HasSubstr("Put 2 users of tenant contoso."),
                    HasSubstr("Removed 0 users who are not in the export."),
                    Not(HasSubstr("Note: ")), HasSubstr("S-1-5-21-1-2-3-1105"), HasSubstr("g-1")));
  ExpectRefused(kBob, "laptop-1", "user_disabled");
  EXPECT_THAT(page_.NotTaken(), IsEmpty());
}

}  // namespace
}  // namespace hourglass
