#include "issuance/compliance/sign_in.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::Optional;

v1::EvaluateRequest Question(const std::string& sign_in) {
  v1::EvaluateRequest question;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      absl::StrCat("user_id: 'u-1' sign_in {", sign_in, "}"), &question))
      << sign_in;
  return question;
}

TEST(SignInFactsTest, WithoutATokenNothingIsKnown) {
  const access::SignInFacts facts = SignInFactsOf(v1::EvaluateRequest());
  EXPECT_FALSE(facts.address.has_value() || facts.authenticated_at.has_value() ||
               facts.mfa.has_value() || facts.methods.has_value() || facts.token_bound.has_value());
}

TEST(SignInFactsTest, WhatATokenDoesNotSayIsNotKnown) {
  const access::SignInFacts facts = SignInFactsOf(Question(""));
  EXPECT_FALSE(facts.address.has_value() || facts.authenticated_at.has_value() ||
               facts.mfa.has_value() || facts.methods.has_value());
  EXPECT_THAT(facts.token_bound, Optional(false));
  EXPECT_FALSE(SignInFactsOf(Question("ip_address: 'here'")).address.has_value());
  EXPECT_FALSE(
      SignInFactsOf(Question("authenticated_at {nanos: -1}")).authenticated_at.has_value());
}

TEST(SignInFactsTest, WhatItSaysIs) {
  const access::SignInFacts facts = SignInFactsOf(
      Question("ip_address: '2001:db8::7' authenticated_at {seconds: 1000} token_bound: true"));
  EXPECT_EQ(facts.address, access::ParseIpAddress("2001:db8::7"));
  EXPECT_THAT(facts.authenticated_at, Optional(Timestamp(std::chrono::seconds(1000))));
  EXPECT_THAT(facts.token_bound, Optional(true));
  // No claim says these.
  EXPECT_FALSE(facts.mfa_at.has_value() || facts.client_app.has_value() ||
               facts.country.has_value() || facts.sign_in_risk.has_value() ||
               facts.user_risk.has_value() || facts.strengths.has_value());
}

TEST(SignInFactsTest, MultifactorAuthenticationIsWhatTheMethodsSay) {
  const struct {
    const char* amr;
    bool mfa;
  } kCases[] = {{"'pwd'", false},       {"'wiaormfa'", false}, {"'pwd', 'MFA'", false},
                {"'pwd', 'mfa'", true}, {"'ngcmfa'", true},    {"'rsa', 'mfa'", true}};
  for (const auto& test : kCases) {
    EXPECT_THAT(
        SignInFactsOf(Question(absl::StrCat("authentication_methods: [", test.amr, "]"))).mfa,
        Optional(test.mfa))
        << test.amr;
  }
}

TEST(SignInFactsTest, MethodsHaveTheirNamesInGraphWhereOneWordIsOneMethod) {
  EXPECT_THAT(
      SignInFactsOf(Question("authentication_methods: ['fido', 'rsa', 'mfa']")).methods.value(),
      ElementsAre("fido2"));
  EXPECT_THAT(
      SignInFactsOf(Question("authentication_methods: ['tel', 'sms', 'pwd']")).methods.value(),
      ElementsAre("password", "sms", "voice"));
  EXPECT_FALSE(
      SignInFactsOf(Question("authentication_methods: ['rsa', 'otp', 'fed', 'mfa', 'fido2']"))
          .methods.has_value());
}

TEST(UserOfTokenTest, HisIdIsKnownAndHisGroupsWhereTheTokenHasThemAll) {
  access::UserFacts facts;
  PutUserOfToken(v1::EvaluateRequest(), &facts);
  EXPECT_FALSE(facts.id.has_value()) << "the broker's word";
  facts.groups = access::IdSet({"of-the-directory"});
  PutUserOfToken(Question("group_ids: 'g-1'"), &facts);
  EXPECT_THAT(facts.id, Optional(std::string("u-1")));
  EXPECT_TRUE(facts.groups->Has("of-the-directory")) << "the token does not have all";
  PutUserOfToken(Question("group_ids: ['g-1', 'G-2'] groups_known: true"), &facts);
  EXPECT_TRUE(facts.groups->Has("g-2"));
  EXPECT_FALSE(facts.groups->Has("of-the-directory"));
  PutUserOfToken(Question("groups_known: true"), &facts);
  EXPECT_EQ(facts.groups->size(), 0u) << "none is known, too";
}

}  // namespace
}  // namespace hourglass::issuance
