// The key sets of tenants in the running service: shared, told of, and asked for by nobody's
// request.
#include "issuance/server/access_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "issuance/log/testing/captured_log.h"
#include "issuance/tokens/testing/key_server.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

class AccessTokensTest : public testing::Test {
 protected:
  static IdentityConfig With(KeySetLocation keys) {
    AccessTokenConfig config;
    config.rules = TokenIssuer::Rules();
    config.keys = std::move(keys);
    return {config};
  }
  static KeySetLocation File(const std::string& path) {
    return {.file = path, .url = "", .ca_file = ""};
  }
  KeySetLocation Url(std::chrono::seconds refresh = std::chrono::hours(24)) const {
    return {.file = "", .url = server_.Url(), .ca_file = server_.ca_file(), .refresh = refresh};
  }
  absl::StatusOr<TokenIdentity> Check(const AccessTokens& tokens, const std::string& tenant_id) {
    const auto found = tokens.tenants()->find(tenant_id);
    return found->second->Check(issuer_.Token(issuer_.Claims(clock_.Now())), "", clock_.Now());
  }

  const TokenIssuer& issuer_ = TokenIssuer::OfTheProcess();
  SystemClock clock_;
  TemporaryDirectory directory_;
  KeyServer server_;
};

TEST_F(AccessTokensTest, OnlyTenantsThatTakeTokensHaveAny) {
  const std::string file = directory_.Write("keys.json", issuer_.KeySetText());
  const EventLog log = EventLog::Silent();
  const AccessTokens tokens({{"contoso", With(File(file))}, {"fabrikam", {}}}, &clock_, &log);
  EXPECT_THAT(*tokens.tenants(), SizeIs(1));
  EXPECT_OK(Check(tokens, "contoso"));
  EXPECT_THAT(AccessTokens({}, &clock_, &log).Health(), SizeIs(0));
}

TEST_F(AccessTokensTest, TellsOfEachChangeOfAFile) {
  const std::string file = directory_.File("keys.json");
  nlohmann::json keys = nlohmann::json::parse(issuer_.KeySetText());
  keys["keys"].push_back({{"kty", "oct"}, {"kid", "secret"}, {"k", "AAAA"}});
  directory_.Write("keys.json", keys.dump());
  CapturedLog log;
  const AccessTokens tokens({{"contoso", With(File(file))}, {"fabrikam", With(File(file))}},
                            &clock_, log.log());
  const std::vector<LoggedLine> lines = log.Take();
  ASSERT_THAT(lines, SizeIs(1)) << "tenants of one file share it";
  EXPECT_THAT(lines[0],
              AllOf(Contains(Pair("event", "key_set_read")), Contains(Pair("source", file)),
                    Contains(Pair("keys", "3")), Contains(Pair("skipped", "1")),
                    Contains(Pair("why_skipped", HasSubstr("'secret': ")))));
  const std::map<std::string, KeySetHealth> healths = tokens.Health();
  ASSERT_THAT(healths, SizeIs(1));
  EXPECT_EQ(healths.at(file).fault, "");
  EXPECT_EQ(healths.at(file).keys->size(), 3u);
}

TEST_F(AccessTokensTest, AFileThatCannotBeReadIsToldAndRefusesAll) {
  const std::string file = directory_.File("missing.json");
  CapturedLog log;
  const AccessTokens tokens({{"contoso", With(File(file))}}, &clock_, log.log());
  const std::vector<LoggedLine> lines = log.Take();
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0],
              AllOf(Contains(Pair("event", "key_set_failed")), Contains(Pair("level", "error")),
                    Contains(Pair("message", HasSubstr("cannot be read"))),
                    Contains(Pair("keys_before", "0"))));
  EXPECT_THAT(Check(tokens, "contoso"), FailsWith(ErrorReason::kTokenNotJudged));
  EXPECT_THAT(tokens.Health().at(file).fault, HasSubstr("cannot be read"));
}

// Fetched by a thread of its own, once for all tenants that have the same URL.
TEST_F(AccessTokensTest, AUrlIsFetchedOnceForAllWhoShareIt) {
  server_.Publish(issuer_.KeySetText());
  const EventLog log = EventLog::Silent();
  const AccessTokens tokens(
      {{"contoso", With(Url())}, {"fabrikam", With(Url(std::chrono::minutes(5)))}}, &clock_, &log);
  ASSERT_TRUE(server_.WaitUntilAsked("/keys"));
  while (tokens.Health().at(server_.Url()).keys == nullptr) std::this_thread::yield();
  EXPECT_OK(Check(tokens, "contoso"));
  EXPECT_OK(Check(tokens, "fabrikam"));
  EXPECT_EQ(server_.Asked("/keys"), 1);
}

TEST_F(AccessTokensTest, EndsWhileAServerDoesNotAnswer) {
  const EventLog log = EventLog::Silent();
  KeySetLocation keys = Url();
  keys.url = server_.Url("/slow");
  const AccessTokens tokens({{"contoso", With(keys)}}, &clock_, &log);
  ASSERT_TRUE(server_.WaitUntilAsked("/slow"));
  EXPECT_THAT(Check(tokens, "contoso"), FailsWith(ErrorReason::kTokenNotJudged))
      << "nobody waits for it";
}

}  // namespace
}  // namespace hourglass::issuance
