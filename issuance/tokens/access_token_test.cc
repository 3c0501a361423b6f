// What attackers and misconfigured applications bring, each beside a token that is accepted.
#include "issuance/tokens/access_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/tokens/base64url.h"
#include "issuance/tokens/testing/access_token_test.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "issuance/tokens/testing/token_matchers.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using nlohmann::json;

TEST_F(AccessTokenTest, EachAlgorithmDoes) {
  for (const TestKey* key : {&issuer_.rs256(), &issuer_.ps256(), &issuer_.es256()}) {
    EXPECT_OK(Check(SignedToken(*key, TokenIssuer::Header(*key).dump(), claims_.dump())));
  }
}

TEST_F(AccessTokenTest, NothingIsReadBeforeTheSignatureVerifies) {
  const std::string header = TokenIssuer::Header(issuer_.rs256()).dump();
  EXPECT_THAT(Check(TokenWith(header, "no claims", "x")), IsRefused(TokenFault::kSignatureInvalid));
  EXPECT_THAT(Check(SignedToken(issuer_.rs256(), header, "no claims")),
              IsRefused(TokenFault::kClaimsMalformed));
}

// The header's faults are told by compact_jws_test; this is that they reach whoever asks.
TEST_F(AccessTokenTest, WhatTheHeaderIsRefusedFor) {
  const auto with = [this](const char* name, const json& value) {
    json header = TokenIssuer::Header(issuer_.rs256());
    header[name] = value;
    return Check(SignedToken(issuer_.rs256(), header.dump(), claims_.dump()));
  };
  EXPECT_OK(with("typ", "JWT"));
  EXPECT_OK(with("typ", "at+jwt"));
  EXPECT_OK(with("typ", "application/at+jwt"));
  EXPECT_THAT(with("typ", "dpop+jwt"), IsRefused(TokenFault::kTypeRefused));
  EXPECT_THAT(with("typ", "logout+jwt"), IsRefused(TokenFault::kTypeRefused));
  EXPECT_THAT(with("alg", "none"), IsRefused(TokenFault::kAlgorithmNone));
  EXPECT_THAT(with("alg", "HS256"), IsRefused(TokenFault::kAlgorithmSymmetric));
  EXPECT_THAT(with("kid", "rsa-2"), IsRefused(TokenFault::kSignatureInvalid));
  EXPECT_THAT(with("kid", "rsa-9"), IsRefused(TokenFault::kKeyUnknown));
  EXPECT_THAT(with("jwk", issuer_.rs256().Jwk()), IsRefused(TokenFault::kEmbeddedKey));
  EXPECT_THAT(Check(""), IsRefused(TokenFault::kMissing));
  EXPECT_THAT(Check(std::string(20'000, 'a')), IsRefused(TokenFault::kTooLong));
}

TEST_F(AccessTokenTest, TheIssuerIsTheTenants) {
  EXPECT_OK(CheckClaims(claims_));
  for (const std::string& issuer :
       {IssuerOf(kOther), IssuerOf("common"), absl::StrCat(IssuerOf(kTestDirectory), "/"),
        std::string("https://attacker.example/6babcaad-604b-40ac-a9d7-9fd97c0b779f/v2.0"),
        absl::StrCat("http://login.microsoftonline.com/", kTestDirectory, "/v2.0"),
        absl::StrCat("HTTPS://login.microsoftonline.com/", kTestDirectory, "/v2.0")}) {
    EXPECT_THAT(With("iss", issuer), IsRefused(TokenFault::kIssuerNotAllowed)) << issuer;
  }
  EXPECT_THAT(Without("iss"), IsRefused(TokenFault::kIssuerNotAllowed));
  EXPECT_THAT(With("iss", {IssuerOf(kTestDirectory)}), IsRefused(TokenFault::kClaimMalformed));
}

TEST_F(AccessTokenTest, TheDirectoryIsTheTenants) {
  EXPECT_OK(With("tid", "6BABCAAD-604B-40AC-A9D7-9FD97C0B779F"));
  EXPECT_THAT(With("tid", kOther), IsRefused(TokenFault::kDirectoryMismatch));
  EXPECT_THAT(Without("tid"), IsRefused(TokenFault::kDirectoryMismatch));
  EXPECT_THAT(With("tid", "common"), IsRefused(TokenFault::kClaimMalformed));
  // An issuer that somebody allowed, though it is another directory's.
  rules_.issuers.push_back(IssuerOf(kOther));
  EXPECT_THAT(With("iss", IssuerOf(kOther)), IsRefused(TokenFault::kDirectoryMismatch));
  json claims = claims_;
  claims["iss"] = IssuerOf(kOther);
  claims["tid"] = kOther;
  EXPECT_THAT(CheckClaims(claims), IsRefused(TokenFault::kDirectoryMismatch));
}

TEST_F(AccessTokenTest, BothVersionsDo) {
  ASSERT_OK_AND_ASSIGN(const TokenIdentity read, CheckClaims(Version1()));
  EXPECT_EQ(read.client_id, kTestBroker);
  EXPECT_THAT(With("ver", "1.0"), IsRefused(TokenFault::kVersionMismatch));
  json claims = Version1();
  claims["ver"] = "2.0";
  EXPECT_THAT(CheckClaims(claims), IsRefused(TokenFault::kVersionMismatch));
  EXPECT_THAT(With("ver", "3.0"), IsRefused(TokenFault::kVersionMismatch));
  EXPECT_THAT(With("ver", 2), IsRefused(TokenFault::kClaimMalformed));
}

TEST_F(AccessTokenTest, AKeySignsForItsIssuerAlone) {
  const auto with_key_for = [this](const std::string& issuer) {
    json jwk = issuer_.rs256().Jwk();
    jwk["issuer"] = issuer;
    keys_ = *KeySet::Parse(json{{"keys", {jwk}}}.dump());
  };
  for (const std::string& its : {IssuerOf("{tenantid}"), IssuerOf(kTestDirectory)}) {
    with_key_for(its);
    EXPECT_OK(CheckClaims(claims_)) << its;
    // Keys are published under the name that version 2 has for the directory.
    EXPECT_OK(CheckClaims(Version1())) << its;
  }
  for (const std::string& other :
       {IssuerOf(kOther), absl::StrCat("https://sts.windows.net/", kTestDirectory, "/"),
        std::string("https://attacker.example/{tenantid}/v2.0"), std::string("{tenantid}"),
        IssuerOf("9188040d-6c67-4c5b-b112-36a304b66dad")}) {
    with_key_for(other);
    EXPECT_THAT(CheckClaims(claims_), IsRefused(TokenFault::kKeyOfAnotherIssuer)) << other;
  }
  // Of version 1 in the same way, but by an issuer that the tenant has.
  rules_.issuers = {absl::StrCat("https://sts.windows.net/", kTestDirectory, "/")};
  with_key_for(absl::StrCat("https://sts.windows.net/{tenantid}/"));
  EXPECT_OK(CheckClaims(Version1()));
  with_key_for(IssuerOf("{tenantid}"));
  EXPECT_THAT(CheckClaims(Version1()), IsRefused(TokenFault::kKeyOfAnotherIssuer));
}

TEST_F(AccessTokenTest, TheAudienceIsThisService) {
  EXPECT_OK(With("aud", {"https://graph.microsoft.com", kTestAudience}));
  EXPECT_THAT(Without("aud"), IsRefused(TokenFault::kAudienceWrong));
  for (const json& other :
       {json("https://graph.microsoft.com"), json("00000003-0000-0000-c000-000000000000"),
        json("api://hourglass.example/"), json("API://hourglass.example"),
        json("api://hourglass.example.attacker.example"), json::array(),
        json({"https://graph.microsoft.com"})}) {
    EXPECT_THAT(With("aud", other), IsRefused(TokenFault::kAudienceWrong)) << other;
  }
  for (const json& other : {json(1), json(nullptr), json({1}), json(""), json::object(),
                            json(std::vector<std::string>(17, kTestAudience))}) {
    EXPECT_THAT(With("aud", other), IsRefused(TokenFault::kClaimMalformed)) << other;
  }
}

TEST_F(AccessTokenTest, ExpiresToTheSecond) {
  using std::chrono::seconds;
  rules_.clock_skew = seconds(120);
  EXPECT_OK(With("exp", At(seconds(-119))));
  EXPECT_THAT(With("exp", At(seconds(-120))), IsRefused(TokenFault::kExpired));
  EXPECT_THAT(With("exp", 0), IsRefused(TokenFault::kExpired));
  EXPECT_THAT(Without("exp"), IsRefused(TokenFault::kExpiryMissing));
  EXPECT_OK(With("nbf", At(seconds(120))));
  EXPECT_THAT(With("nbf", At(seconds(121))), IsRefused(TokenFault::kNotYetValid));
  EXPECT_OK(With("iat", At(seconds(120))));
  EXPECT_THAT(With("iat", At(seconds(121))), IsRefused(TokenFault::kIssuedInFuture));
  EXPECT_OK(With("auth_time", At(seconds(120))));
  EXPECT_THAT(With("auth_time", At(seconds(121))), IsRefused(TokenFault::kIssuedInFuture));
  EXPECT_OK(With("exp", At(std::chrono::hours(24) + seconds(120))));
  EXPECT_THAT(With("exp", At(std::chrono::hours(24) + seconds(121))),
              IsRefused(TokenFault::kLifetimeTooLong));
  rules_.clock_skew = seconds(0);
  EXPECT_OK(With("exp", At(seconds(1))));
  EXPECT_THAT(With("exp", At(seconds(0))), IsRefused(TokenFault::kExpired));
}

TEST_F(AccessTokenTest, IsMadeForABrokerOfTheTenant) {
  EXPECT_OK(With("appid", kTestBroker));
  EXPECT_OK(With("azp", "04B07795-8DDB-461A-BBEE-02F9E1BF7B46"));
  EXPECT_THAT(With("azp", kOther), IsRefused(TokenFault::kClientNotAllowed));
  EXPECT_THAT(With("appid", kOther), IsRefused(TokenFault::kClientNotAllowed));
  EXPECT_THAT(Without("azp"), IsRefused(TokenFault::kClientMissing));
  EXPECT_THAT(With("azp", "broker"), IsRefused(TokenFault::kClaimMalformed));
  json claims = Version1();
  claims["appid"] = kOther;
  EXPECT_THAT(CheckClaims(claims), IsRefused(TokenFault::kClientNotAllowed));
}

TEST_F(AccessTokenTest, AnApplicationIsNoUser) {
  EXPECT_OK(With("idtyp", "user"));
  EXPECT_THAT(With("idtyp", "app"), IsRefused(TokenFault::kAppOnly));
  EXPECT_THAT(With("idtyp", "device"), IsRefused(TokenFault::kAppOnly));
  json claims = claims_;
  claims.erase("scp");
  EXPECT_THAT(CheckClaims(claims), IsRefused(TokenFault::kScopeMissing));
  claims["roles"] = {kTestScope};
  EXPECT_THAT(CheckClaims(claims), IsRefused(TokenFault::kAppOnly));
  // A user may have roles in the application.
  EXPECT_OK(With("roles", {"Administrator"}));
  EXPECT_THAT(With("roles", "Administrator"), IsRefused(TokenFault::kClaimMalformed));
}

TEST_F(AccessTokenTest, TheScopeIsOneOfTheTenants) {
  EXPECT_OK(With("scp", kTestScope));
  EXPECT_OK(With("scp", absl::StrCat("a  ", kTestScope, " b")));
  for (const char* other : {"openid", "certificate.issue", "Certificate.Issue.All", " ",
                            "api://hourglass.example/Certificate.Issue", "Certificate.Issue,b"}) {
    EXPECT_THAT(With("scp", other), IsRefused(TokenFault::kScopeMissing)) << other;
  }
  EXPECT_THAT(With("scp", {kTestScope}), IsRefused(TokenFault::kClaimMalformed));
}

TEST_F(AccessTokenTest, WhatIsBoundIsTheCallers) {
  const auto bound_to = [](const std::string& sha256) {
    return json{{"x5t#S256", EncodeBase64Url(sha256)}};
  };
  EXPECT_TRUE(With("cnf", bound_to(certificate_))->sender_constrained);
  EXPECT_THAT(With("cnf", bound_to(std::string(32, '\x01'))),
              IsRefused(TokenFault::kConfirmationMismatch));
  EXPECT_OK(CheckClaims(claims_));
  rules_.sender_constrained = true;
  EXPECT_THAT(CheckClaims(claims_), IsRefused(TokenFault::kConfirmationMissing));
  EXPECT_OK(With("cnf", bound_to(certificate_)));
  certificate_ = "";
  EXPECT_THAT(With("cnf", bound_to(std::string(32, '\x5a'))),
              IsRefused(TokenFault::kConfirmationMismatch));
  EXPECT_THAT(With("cnf", bound_to("")), IsRefused(TokenFault::kClaimMalformed));
}

TEST_F(AccessTokenTest, ABindingThatNobodyLooksAtIsRefused) {
  const std::string sha256 = EncodeBase64Url(certificate_);
  for (const json& other :
       {json::object(), json{{"jkt", sha256}}, json{{"kid", "a"}}, json{{"x5t", sha256}},
        json{{"jwk", {{"kty", "RSA"}}}}, json{{"x5t#S256", sha256}, {"jkt", sha256}}}) {
    EXPECT_THAT(With("cnf", other), IsRefused(TokenFault::kConfirmationUnsupported)) << other;
  }
  for (const json& other : {json(sha256), json(nullptr), json({sha256}), json{{"x5t#S256", 1}},
                            json{{"x5t#S256", sha256 + "="}}, json{{"x5t#S256", "AAAA"}}}) {
    EXPECT_THAT(With("cnf", other), IsRefused(TokenFault::kClaimMalformed)) << other;
  }
}

}  // namespace
}  // namespace hourglass::issuance
