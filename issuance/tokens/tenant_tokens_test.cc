#include "issuance/tokens/tenant_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "hsm/base/status_macros.h"
#include "issuance/tokens/request_agreement.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "issuance/tokens/testing/token_matchers.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

constexpr Timestamp kNow = std::chrono::sys_days(std::chrono::year{2026} / 11 / 30);

// Keys that the test gives.
class GivenKeys final : public KeySetSource {
 public:
  std::shared_ptr<const KeySet> Get() override { return keys; }
  void KeyIsUnknown() override { ++unknown; }
  KeySetHealth Health() const override { return {"", keys, std::nullopt}; }

  std::shared_ptr<const KeySet> keys;
  int unknown = 0;
};

class TenantTokensTest : public testing::Test {
 protected:
  TenantTokensTest() { source_->keys = *KeySet::Parse(issuer_.KeySetText()); }

  absl::StatusOr<TokenIdentity> Accept(const std::string& token, const char* request_id,
                                       const char* caller = "broker",
                                       const RequestedFor& request = {}) {
    ASSIGN_OR_RETURN(TokenIdentity identity, tokens_.Check(token, std::string(32, '\x5a'), kNow));
    RETURN_IF_ERROR(CheckRequestedFor(request, identity));
    RETURN_IF_ERROR(tokens_.Bind(identity, {caller, request_id}, kNow));
    return identity;
  }

  const TokenIssuer& issuer_ = TokenIssuer::OfTheProcess();
  const std::shared_ptr<GivenKeys> source_ = std::make_shared<GivenKeys>();
  TenantTokens tokens_{TokenIssuer::Rules(), {}, source_};
};

TEST_F(TenantTokensTest, ATokenIsGoodForOneRequest) {
  const std::string token = issuer_.Token(issuer_.Claims(kNow));
  ASSERT_OK_AND_ASSIGN(const TokenIdentity identity, Accept(token, "r-1"));
  EXPECT_EQ(identity.user_id, kTestUser);
  EXPECT_OK(Accept(token, "r-1"));
  EXPECT_THAT(Accept(token, "r-2"), IsRefused(TokenFault::kReplayed));
  EXPECT_THAT(Accept(token, "r-1", "another"), IsRefused(TokenFault::kUsedByAnotherCaller));
  EXPECT_OK(Accept(issuer_.Token(issuer_.Claims(kNow)), "r-2"));
  EXPECT_EQ(tokens_.remembered(), 2u);
}

// Another signature of the same claims, and other claims with the same id, are the same token.
TEST_F(TenantTokensTest, TheIdIsTheToken) {
  const nlohmann::json claims = issuer_.Claims(kNow);
  const std::string header = TokenIssuer::Header(issuer_.es256()).dump();
  EXPECT_OK(Accept(SignedToken(issuer_.es256(), header, claims.dump()), "r-1"));
  EXPECT_THAT(Accept(SignedToken(issuer_.es256(), header, claims.dump()), "r-2"),
              IsRefused(TokenFault::kReplayed));
  EXPECT_THAT(Accept(issuer_.Token(claims), "r-2"), IsRefused(TokenFault::kReplayed));
}

TEST_F(TenantTokensTest, WhatIsRefusedIsNotRemembered) {
  nlohmann::json claims = issuer_.Claims(kNow);
  claims["aud"] = "another";
  EXPECT_THAT(Accept(issuer_.Token(claims), "r-1"), IsRefused(TokenFault::kAudienceWrong));
  const std::string token = issuer_.Token(issuer_.Claims(kNow));
  EXPECT_THAT(Accept(token, "r-1", "thief", {.device_id = "another"}),
              IsRefused(TokenFault::kAnotherDevice));
  EXPECT_THAT(Accept(token, "r-1", "thief", {.upn = "ceo@contoso.example"}),
              IsRefused(TokenFault::kAnotherUser));
  EXPECT_EQ(tokens_.remembered(), 0u);
  EXPECT_EQ(source_->unknown, 0);
  EXPECT_OK(Accept(token, "r-2", "broker", {.user_id = kTestUser, .device_id = kTestDevice}));
}

TEST_F(TenantTokensTest, WithoutKeysNothingIsAccepted) {
  const std::string token = issuer_.Token(issuer_.Claims(kNow));
  const auto keys = std::move(source_->keys);
  source_->keys = nullptr;
  EXPECT_THAT(Accept(token, "r-1"), IsRefused(TokenFault::kKeysUnavailable));
  EXPECT_THAT(Accept("", "r-1"), IsRefused(TokenFault::kMissing));
  source_->keys = keys;
  EXPECT_OK(Accept(token, "r-1"));
}

TEST_F(TenantTokensTest, AnUnknownKeyIsLookedFor) {
  const TestKey next("rsa-next", TokenAlgorithm::kRs256);
  const std::string token =
      SignedToken(next, TokenIssuer::Header(next).dump(), issuer_.Claims(kNow).dump());
  EXPECT_THAT(Accept(token, "r-1"), IsRefused(TokenFault::kKeyUnknown));
  EXPECT_EQ(source_->unknown, 1);
  source_->keys = *KeySet::Parse(nlohmann::json{{"keys", {next.Jwk()}}}.dump());
  EXPECT_OK(Accept(token, "r-1"));
  // And what the old key has signed is refused from then on.
  EXPECT_THAT(Accept(issuer_.Token(issuer_.Claims(kNow)), "r-2"),
              IsRefused(TokenFault::kKeyUnknown));
}

}  // namespace
}  // namespace hourglass::issuance
