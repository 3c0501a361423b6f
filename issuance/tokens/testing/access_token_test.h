// A token that is accepted, and what becomes of it with one thing changed.
#ifndef HOURGLASS_ISSUANCE_TOKENS_TESTING_ACCESS_TOKEN_TEST_H_
#define HOURGLASS_ISSUANCE_TOKENS_TESTING_ACCESS_TOKEN_TEST_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "issuance/tokens/access_token.h"
#include "issuance/tokens/testing/token_issuer.h"

namespace hourglass::issuance {

inline constexpr char kOther[] = "11111111-2222-3333-4444-555555555555";
inline constexpr Timestamp kNow = std::chrono::sys_days(std::chrono::year{2026} / 11 / 30);

inline std::string IssuerOf(absl::string_view directory) {
  return absl::StrCat("https://login.microsoftonline.com/", directory, "/v2.0");
}

inline std::int64_t At(std::chrono::seconds after) {
  return std::chrono::floor<std::chrono::seconds>(kNow + after).time_since_epoch().count();
}

class AccessTokenTest : public testing::Test {
 protected:
  AccessTokenTest()
      : rules_(TokenIssuer::Rules()),
        keys_(*KeySet::Parse(issuer_.KeySetText())),
        claims_(issuer_.Claims(kNow)) {}

  // No message of a refusal may have a part of the token.
  absl::StatusOr<TokenIdentity> Check(const std::string& token) {
    auto identity = CheckAccessToken(token, *keys_, rules_, certificate_, kNow);
    for (const std::string& part : std::vector<std::string>(absl::StrSplit(token, '.'))) {
      if (part.size() > 8) {
        EXPECT_FALSE(absl::StrContains(identity.status().message(), part.substr(0, 8)));
      }
    }
    for (const char* personal : {kTestUser, kTestDevice, "ada@"}) {
      EXPECT_FALSE(absl::StrContains(identity.status().message(), personal));
    }
    EXPECT_LT(identity.status().message().size(), 400u);
    return identity;
  }
  absl::StatusOr<TokenIdentity> CheckClaims(const nlohmann::json& claims) {
    return Check(issuer_.Token(claims));
  }
  // With one claim as it is given.
  absl::StatusOr<TokenIdentity> With(const char* name, const nlohmann::json& value) {
    nlohmann::json claims = claims_;
    claims[name] = value;
    return CheckClaims(claims);
  }
  absl::StatusOr<TokenIdentity> Without(const char* name) {
    nlohmann::json claims = claims_;
    claims.erase(name);
    return CheckClaims(claims);
  }
  nlohmann::json Version1() const {
    nlohmann::json claims = claims_;
    claims.erase("azp");
    claims["appid"] = kTestBroker;
    claims["ver"] = "1.0";
    claims["iss"] = absl::StrCat("https://sts.windows.net/", kTestDirectory, "/");
    return claims;
  }

  const TokenIssuer& issuer_ = TokenIssuer::OfTheProcess();
  TokenRules rules_;
  std::shared_ptr<const KeySet> keys_;
  std::string certificate_ = std::string(32, '\x5a');
  const nlohmann::json claims_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_TESTING_ACCESS_TOKEN_TEST_H_
