// docs/tokens.md: its commands, with the issuer for trials, and its configurations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/integration/document_fixture.h"

namespace hourglass {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class TokensDocTest : public DocumentFixture {
 protected:
  TokensDocTest() : DocumentFixture("docs/tokens.md") {}

  CommandResult Check() const {
    return RunCommand({Daemon::kProgram, "--config", daemon_.config_file(), "--check"});
  }
};

TEST_F(TokensDocTest, FromAnIssuerForTrialsToACertificate) {
  const std::string configuration = page_.Take("configuration");
  Configure(configuration);
  const CommandResult without = Check();
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_THAT(without.output, HasSubstr("tenants.contoso.access_token.keys.file: cannot be read"));
  EXPECT_THAT(Take("issuer"), HasSubstr("for trials only: whoever can read issuer/issuer.key"));
  EXPECT_EQ(Check().exit_code, 0) << Check().output;
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  WriteClientConfig("mdm.yaml", kDeviceReporter);
  WriteClientConfig("broker.yaml", kBroker);
  Take("report");
  const std::string issue = page_.Take("issue");
  EXPECT_THAT(Succeed(issue), AllOf(HasSubstr("A certificate for ada@contoso.example"),
                                    HasSubstr("for trials only")));
  const CommandResult refused = Shell(page_.Take("refused"));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, AllOf(HasSubstr("TOKEN_REFUSED"), HasSubstr("ANOTHER_USER")));
  const std::string again = issue.substr(issue.find("hourglass-broker"));
  const CommandResult replayed = Shell(again);
  EXPECT_EQ(replayed.exit_code, 1);
  EXPECT_THAT(replayed.output, AllOf(HasSubstr("TOKEN_REFUSED"), HasSubstr("REPLAYED")));
  Succeed(issue);
  // The other one, whose keys are elsewhere: it says what is good without fetching them.
  Configure(page_.Take("Entra ID"));
  EXPECT_EQ(Check().exit_code, 0) << Check().output;
  EXPECT_THAT(page_.NotTaken(), IsEmpty());
}

TEST_F(TokensDocTest, TheIssuerForTrialsSaysThatItIs) {
  EXPECT_THAT(Succeed("trial-tokens --help"),
              AllOf(HasSubstr("FOR TRIALS ONLY"), HasSubstr("Whoever can read its key")));
  EXPECT_EQ(Shell("trial-tokens").exit_code, 2);
  EXPECT_EQ(Shell("trial-tokens sign").exit_code, 2);
  Succeed("trial-tokens init there");
  const CommandResult again = Shell("trial-tokens init there");
  EXPECT_EQ(again.exit_code, 1) << "whoever trusts a key is not to be cut off";
  EXPECT_THAT(again.output, HasSubstr("has a key already"));
  // What would have to be escaped is not taken.
  const CommandResult odd = Shell("trial-tokens sign there --scope 'a\",\"roles\":\"b'");
  EXPECT_EQ(odd.exit_code, 1);
  EXPECT_THAT(odd.output, AllOf(HasSubstr("--scope"), Not(HasSubstr("ey"))));
}

}  // namespace
}  // namespace hourglass
