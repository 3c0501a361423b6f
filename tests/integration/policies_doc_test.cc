// docs/policies.md, From an export to a verdict: its commands, and what a broker gets meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/document_fixture.h"

namespace hourglass {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class PoliciesDocTest : public DocumentFixture {
 protected:
  PoliciesDocTest() : DocumentFixture("docs/policies.md") {}

  void SetUp() override {
    Configure(page_.Take("configuration"));
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    WriteClientConfig("cli.yaml", kAdministrator);
    WriteClientConfig("mdm.yaml", kDeviceReporter);
    WriteClientConfig("broker.yaml", kBroker);
    MakeTenant();
  }

  CommandResult Evaluate(const std::string& device) const {
    return Shell(
        "hourglass --config cli.yaml compliance evaluate --tenant contoso --user "
        "anna@contoso.example --device " +
        device);
  }
  // What a broker is told.
  CommandResult Issue(const std::string& device) {
    const std::string name = absl::StrCat("leaf-", ++leaves_);
    return Shell(
        absl::StrCat("hourglass-broker issue --config broker.yaml --tenant contoso --user "
                     "anna@contoso.example --device ",
                     device, " --out ", name, ".pem --key-out ", name, ".key"));
  }

  int leaves_ = 0;
};

TEST_F(PoliciesDocTest, FromAnExportToAVerdict) {
  EXPECT_THAT(Take("import"), AllOf(HasSubstr("Would import vpn.json"),
                                    HasSubstr("Imported vpn.json"), HasSubstr("report-only")));
  Take("report");
  // A report-only policy changes nothing, and is told.
  EXPECT_THAT(Take("evaluate"), AllOf(HasSubstr("ALLOW"), HasSubstr("(report-only) applied")));
  EXPECT_EQ(Issue("laptop-1").exit_code, 0);
  EXPECT_EQ(Issue("laptop-2").exit_code, 0);

  Take("enable");
  const CommandResult refused = Evaluate("laptop-2");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output,
              AllOf(HasSubstr("DENY: anna@contoso.example on laptop-2 would be refused."),
                    HasSubstr("  - compliantDevice: the device must be compliant: not satisfied "
                              "(\"VPN: compliant device\")\n    how to mend it: "
                              "https://help.contoso.example/vpn\n"),
                    HasSubstr("  - bitLockerEnabled: BitLocker at the last start must be "
                              "there and on; it is not (\"Windows laptops\")\n"),
                    HasSubstr("ca:3")));
  const CommandResult denied = Issue("laptop-2");
  EXPECT_NE(denied.exit_code, 0);
  EXPECT_THAT(denied.output, AllOf(HasSubstr("DEVICE_NOT_COMPLIANT"), HasSubstr("compliantDevice"),
                                   HasSubstr("bitLockerEnabled")));
  const CommandResult issued = Issue("laptop-1");
  EXPECT_EQ(issued.exit_code, 0) << issued.output;

  Take("mend");
  EXPECT_EQ(Evaluate("laptop-2").exit_code, 0);
  EXPECT_EQ(Issue("laptop-2").exit_code, 0);
  EXPECT_THAT(Take("what if"), HasSubstr("ALLOW"));

  // One that blocks counts from the next request on.
  Succeed(
      R"(sed 's/compliantDevice/block/; s/2b0c7d1e/3c1d8e2f/; s/VPN: .*"/Stop"/' vpn.json > stop.json
hourglass --config cli.yaml policy import --tenant contoso stop.json)");
  const CommandResult blocked = Issue("laptop-1");
  EXPECT_NE(blocked.exit_code, 0);
  EXPECT_THAT(blocked.output, HasSubstr("block: access is blocked"));
  Succeed(
      "hourglass --config cli.yaml policy delete --tenant contoso "
      "3c1d8e2f-8f3a-4b52-a6d9-0c1e2f3a4b5c");
  EXPECT_EQ(Issue("laptop-1").exit_code, 0);

  EXPECT_THAT(Take("keep"), AllOf(HasSubstr("tried for a week"), HasSubstr("from Entra ID"),
                                  HasSubstr("bitLockerEnabled"), HasSubstr("Wrote 2 to all.json"),
                                  HasSubstr("is disabled."), HasSubstr("Deleted 2b0c7d1e")));
  // What was written can be imported as it was.
  const std::string again =
      Succeed("hourglass --config cli.yaml --json policy import --tenant contoso all.json");
  const auto made = nlohmann::json::parse(again, nullptr, /*allow_exceptions=*/false);
  EXPECT_EQ(made["files"][0]["created"].size(), 1U) << again;
  EXPECT_EQ(made["files"][0]["unchanged"].size(), 1U) << again;
  EXPECT_THAT(page_.NotTaken(), IsEmpty());
}

}  // namespace
}  // namespace hourglass
