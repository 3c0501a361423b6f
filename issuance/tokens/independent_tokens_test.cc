// Tokens and key sets that other libraries make: PyJWT of Debian, and npm's jose where it can be
// had.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/tokens/access_token.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "issuance/tokens/testing/token_matchers.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using nlohmann::json;

constexpr Timestamp kNow = std::chrono::sys_days(std::chrono::year{2026} / 11 / 30);

class IndependentTokensTest : public testing::Test {
 protected:
  // All three tokens of what a library has made are accepted, and refused for anybody else.
  void Check(const std::string& output) {
    const json made = json::parse(output, nullptr, false);
    ASSERT_TRUE(made.is_object()) << output;
    ASSERT_OK_AND_ASSIGN(const auto keys, KeySet::Parse(made.dump()));
    EXPECT_TRUE(keys->skipped().empty());
    ASSERT_EQ(made["tokens"].size(), 3u);
    for (const auto& [algorithm, token] : made["tokens"].items()) {
      TokenRules rules = TokenIssuer::Rules();
      rules.algorithms = {*ParseTokenAlgorithm(algorithm)};
      const std::string text = token.get<std::string>();
      const auto identity = CheckAccessToken(text, *keys, rules, "", kNow);
      ASSERT_OK(identity) << algorithm;
      EXPECT_EQ(identity->user_id, kTestUser);
      EXPECT_EQ(identity->upn, "zoë@contoso.example");
      rules.audiences = {"api://another.example"};
      EXPECT_THAT(CheckAccessToken(text, *keys, rules, "", kNow),
                  IsRefused(TokenFault::kAudienceWrong));
    }
  }

  std::string Input() {
    json claims = issuer_.Claims(kNow);
    claims["upn"] = "zoë@contoso.example";
    return json{{"claims", claims}}.dump();
  }

  const TokenIssuer& issuer_ = TokenIssuer::OfTheProcess();
};

TEST_F(IndependentTokensTest, PyJwt) {
  const CommandResult result =
      RunCommand({"/usr/bin/python3", "issuance/tokens/testing/make_tokens.py"}, Input());
  ASSERT_EQ(result.exit_code, 0) << result.output;
  Check(result.output);
}

TEST_F(IndependentTokensTest, Jose) {
  if (RunCommand({"sh", "-c", "command -v node && command -v npm"}).exit_code != 0) {
    GTEST_SKIP() << "there is no node, or no npm";
  }
  const TemporaryDirectory directory;
  for (const char* file : {"package.json", "package-lock.json", "make_tokens.mjs"}) {
    directory.Write(file, ReadFileOrDie(absl::StrCat("issuance/tokens/testing/jose/", file)));
  }
  const CommandResult installed =
      RunCommand({"npm", "ci", "--prefix", directory.path(), "--ignore-scripts", "--no-audit",
                  "--no-fund", "--prefer-offline", "--fetch-retries=0", "--fetch-timeout=20000"},
                 "", {"HOME=" + directory.path()});
  if (installed.exit_code != 0) GTEST_SKIP() << "npm has no jose: " << installed.output;
  const CommandResult result = RunCommand({"node", directory.File("make_tokens.mjs")}, Input());
  ASSERT_EQ(result.exit_code, 0) << result.output;
  Check(result.output);
}

}  // namespace
}  // namespace hourglass::issuance
