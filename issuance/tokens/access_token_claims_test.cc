// What is read of the claims of a token, and which forms of them are none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/tokens/access_token.h"
#include "issuance/tokens/testing/access_token_test.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "issuance/tokens/testing/token_matchers.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(AccessTokenTest, SaysWhoAsks) {
  json claims = claims_;
  claims["onprem_sid"] = "S-1-5-21-3623811015-3361044348-30300820-1013";
  claims["acr"] = "1";
  claims["acrs"] = {"c1", "p1"};
  claims["amr"] = {"pwd", "mfa"};
  claims["auth_time"] = At(std::chrono::minutes(-5));
  claims["groups"] = {kOther};
  claims["ipaddr"] = "203.0.113.7";
  ASSERT_OK_AND_ASSIGN(const TokenIdentity read, CheckClaims(claims));
  EXPECT_EQ(read.issuer, IssuerOf(kTestDirectory));
  EXPECT_EQ(read.directory_id, kTestDirectory);
  EXPECT_EQ(read.user_id, kTestUser);
  EXPECT_EQ(read.upn, "ada@contoso.example");
  EXPECT_EQ(read.device_id, kTestDevice);
  EXPECT_EQ(read.onprem_sid, "S-1-5-21-3623811015-3361044348-30300820-1013");
  EXPECT_EQ(read.client_id, kTestBroker);
  EXPECT_THAT(read.scopes, ElementsAre("openid", kTestScope));
  EXPECT_EQ(read.authentication_class, "1");
  EXPECT_THAT(read.authentication_contexts, ElementsAre("c1", "p1"));
  EXPECT_THAT(read.authentication_methods, ElementsAre("pwd", "mfa"));
  EXPECT_EQ(read.authenticated_at, kNow - std::chrono::minutes(5));
  EXPECT_EQ(read.issued_at, kNow);
  EXPECT_EQ(read.expires_at, kNow + std::chrono::hours(1));
  ASSERT_TRUE(read.groups.has_value());
  EXPECT_THAT(*read.groups, ElementsAre(kOther));
  EXPECT_FALSE(read.groups_elsewhere);
  EXPECT_EQ(read.ip_address, "203.0.113.7");
  EXPECT_EQ(read.token_id, claims_["uti"].get<std::string>());
  EXPECT_FALSE(read.sender_constrained);
}

TEST_F(AccessTokenTest, WhatIsNotSaidIsEmpty) {
  json claims = claims_;
  for (const char* optional : {"upn", "iat", "nbf", "ver", "sub"}) claims.erase(optional);
  ASSERT_OK_AND_ASSIGN(const TokenIdentity read, CheckClaims(claims));
  EXPECT_EQ(read.upn, "");
  EXPECT_EQ(read.onprem_sid, "");
  EXPECT_EQ(read.authentication_class, "");
  EXPECT_THAT(read.authentication_methods, IsEmpty());
  EXPECT_FALSE(read.authenticated_at.has_value());
  EXPECT_FALSE(read.issued_at.has_value());
  EXPECT_FALSE(read.groups.has_value());
  EXPECT_FALSE(read.groups_elsewhere);
}

TEST_F(AccessTokenTest, TimesAreWholeNumbersInRange) {
  const std::string header = TokenIssuer::Header(issuer_.rs256()).dump();
  EXPECT_THAT(With("exp", 253'402'300'799), IsRefused(TokenFault::kLifetimeTooLong));
  for (const char* name : {"exp", "nbf", "iat", "auth_time"}) {
    for (const char* written : {"\"1796000000\"", "1.7e9", "1796000000.0", "1796000000.5", "-1",
                                "253402300800", "9223372036854775807", "9223372036854775808",
                                "18446744073709551616", "1e400", "null", "true", "[1796000000]"}) {
      json claims = claims_;
      claims.erase(name);
      const std::string text = claims.dump();
      const std::string payload =
          absl::StrCat(text.substr(0, text.size() - 1), ",\"", name, "\":", written, "}");
      EXPECT_THAT(Check(SignedToken(issuer_.rs256(), header, payload)),
                  IsRefused(TokenFault::kClaimMalformed))
          << name << written;
    }
  }
}

TEST_F(AccessTokenTest, NamesAUserADeviceAndItself) {
  EXPECT_THAT(Without("oid"), IsRefused(TokenFault::kUserMissing));
  EXPECT_THAT(With("oid", "ada"), IsRefused(TokenFault::kClaimMalformed));
  EXPECT_THAT(Without("deviceid"), IsRefused(TokenFault::kDeviceMissing));
  EXPECT_THAT(With("deviceid", "laptop-1"), IsRefused(TokenFault::kClaimMalformed));
  EXPECT_THAT(Without("uti"), IsRefused(TokenFault::kTokenIdMissing));
  json claims = claims_;
  claims.erase("uti");
  claims["jti"] = "j-1";
  ASSERT_OK_AND_ASSIGN(const TokenIdentity read, CheckClaims(claims));
  EXPECT_EQ(read.token_id, "j-1");
  ASSERT_OK_AND_ASSIGN(const TokenIdentity capitals,
                       With("deviceid", "0F8FAD5B-D9CB-469F-A165-70867728950E"));
  EXPECT_EQ(capitals.device_id, kTestDevice);
}

TEST_F(AccessTokenTest, TextsHaveBoundsAndNoControlCharacters) {
  EXPECT_OK(With("upn", std::string(256, 'a')));
  for (const json& other :
       {json(std::string(257, 'a')), json(""), json("a\nb"), json(std::string("a\0b", 3)),
        json("a\x1b[0m"), json("a\xe2\x80\xa8"), json(1), json(nullptr), json({"a"})}) {
    EXPECT_THAT(With("upn", other), IsRefused(TokenFault::kClaimMalformed)) << other;
    EXPECT_THAT(With("uti", other), IsRefused(TokenFault::kClaimMalformed)) << other;
    EXPECT_THAT(With("acr", other), IsRefused(TokenFault::kClaimMalformed)) << other;
  }
}

TEST_F(AccessTokenTest, SidsHaveTheirForm) {
  for (const char* sound : {"S-1-5-21-1-2-3-1013", "S-1-5-32-544", "S-1-1-0",
                            "S-1-281474976710655-1", "S-1-5-21-4294967295-0-1-500"}) {
    EXPECT_OK(With("onprem_sid", sound)) << sound;
  }
  for (const char* other :
       {"S-1-5", "s-1-5-21-1", "S-2-5-21-1", "S-1-5-21-01", "S-1-5-21-4294967296", "S-1-5-21-",
        "S-1--5", "S-1-5-21-1 ", "S-1-281474976710656-1", "S-1-5-+1", "S-1-5-0x1",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"}) {
    EXPECT_THAT(With("onprem_sid", other), IsRefused(TokenFault::kClaimMalformed)) << other;
  }
}

TEST_F(AccessTokenTest, AuthenticationMethodsAreTexts) {
  EXPECT_OK(With("amr", json::array()));
  EXPECT_OK(With("acrs", "c1"));
  for (const json& other : {json("mfa"), json({1}), json({""}), json({{"mfa"}}), json(nullptr),
                            json(std::vector<std::string>(33, "mfa"))}) {
    EXPECT_THAT(With("amr", other), IsRefused(TokenFault::kClaimMalformed)) << other;
  }
}

TEST_F(AccessTokenTest, GroupsAreKnownOrNot) {
  EXPECT_TRUE(With("groups", json::array())->groups->empty());
  json claims = claims_;
  claims["_claim_names"] = {{"groups", "src1"}};
  claims["_claim_sources"] = {{"src1", {{"endpoint", "https://graph.microsoft.com/x"}}}};
  ASSERT_OK_AND_ASSIGN(const TokenIdentity elsewhere, CheckClaims(claims));
  EXPECT_TRUE(elsewhere.groups_elsewhere);
  EXPECT_FALSE(elsewhere.groups.has_value());
  // Some of them are not all of them.
  claims["groups"] = {kOther};
  EXPECT_FALSE(CheckClaims(claims)->groups.has_value());
  EXPECT_TRUE(With("hasgroups", true)->groups_elsewhere);
  EXPECT_FALSE(With("_claim_names", {{"email", "src1"}})->groups_elsewhere);
  EXPECT_THAT(With("groups", "a"), IsRefused(TokenFault::kClaimMalformed));
  EXPECT_THAT(With("hasgroups", "true"), IsRefused(TokenFault::kClaimMalformed));
  EXPECT_THAT(With("_claim_names", {"groups"}), IsRefused(TokenFault::kClaimMalformed));
}

TEST_F(AccessTokenTest, ClaimsAreAnObjectWithEachNameOnce) {
  const std::string header = TokenIssuer::Header(issuer_.rs256()).dump();
  const auto check = [&](const std::string& payload) {
    return Check(SignedToken(issuer_.rs256(), header, payload));
  };
  const std::string text = claims_.dump();
  EXPECT_OK(check(text));
  const std::string open = text.substr(0, text.size() - 1);
  EXPECT_THAT(check(absl::StrCat(open, ",\"aud\":\"", kTestAudience, "\"}")),
              IsRefused(TokenFault::kDuplicateMember));
  EXPECT_THAT(check(absl::StrCat(open, ",\"\\u006fid\":\"", kOther, "\"}")),
              IsRefused(TokenFault::kDuplicateMember));
  EXPECT_THAT(check(absl::StrCat(open, ",\"x\":{\"y\":1,\"y\":1}}")),
              IsRefused(TokenFault::kDuplicateMember));
  for (const std::string& other :
       {std::string("[]"), std::string("\"a\""), open, text + text,
        std::string("\xef\xbb\xbf") + text, std::string("1"), open + ",\"x\":\"\xff\"}"}) {
    EXPECT_THAT(check(other), IsRefused(TokenFault::kClaimsMalformed));
  }
}

}  // namespace
}  // namespace hourglass::issuance
