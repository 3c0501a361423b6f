#include "issuance/tokens/request_agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "issuance/tokens/testing/token_issuer.h"
#include "issuance/tokens/testing/token_matchers.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

constexpr char kOther[] = "11111111-2222-3333-4444-555555555555";

TokenIdentity Ada() {
  TokenIdentity identity;
  identity.user_id = kTestUser;
  identity.upn = "Ada@contoso.example";
  identity.device_id = kTestDevice;
  return identity;
}

TEST(RequestAgreementTest, WhatIsNotSaidIsTheTokens) {
  EXPECT_OK(CheckRequestedFor({}, Ada()));
  EXPECT_OK(CheckRequestedFor({.user_id = kTestUser}, Ada()));
  EXPECT_OK(CheckRequestedFor(
      {.user_id = kTestUser, .upn = "Ada@contoso.example", .device_id = kTestDevice}, Ada()));
}

TEST(RequestAgreementTest, ForAnotherUser) {
  EXPECT_OK(CheckRequestedFor({.upn = "ada@CONTOSO.example"}, Ada()));
  EXPECT_OK(CheckRequestedFor({.user_id = "690222BE-FF1A-4D56-ABD1-7E4F7D38E474"}, Ada()));
  for (const char* id : {kOther, "690222be-ff1a-4d56-abd1-7e4f7d38e47", "ada"}) {
    EXPECT_THAT(CheckRequestedFor({.user_id = id}, Ada()), IsRefused(TokenFault::kAnotherUser));
  }
  for (const char* upn : {"ceo@contoso.example", "ada@contoso.example.attacker.example", "ada"}) {
    EXPECT_THAT(CheckRequestedFor({.user_id = kTestUser, .upn = upn}, Ada()),
                IsRefused(TokenFault::kAnotherUser));
  }
}

// A name that nobody has signed.
TEST(RequestAgreementTest, AUpnThatTheTokenLacks) {
  TokenIdentity identity = Ada();
  identity.upn = "";
  EXPECT_OK(CheckRequestedFor({.user_id = kTestUser}, identity));
  EXPECT_THAT(CheckRequestedFor({.user_id = kTestUser, .upn = "ada@contoso.example"}, identity),
              IsRefused(TokenFault::kAnotherUser));
}

TEST(RequestAgreementTest, ForAnotherDevice) {
  EXPECT_OK(CheckRequestedFor({.device_id = "0F8FAD5B-D9CB-469F-A165-70867728950E"}, Ada()));
  for (const char* device : {kOther, "laptop-1", "0f8fad5b-d9cb-469f-a165-70867728950e "}) {
    EXPECT_THAT(CheckRequestedFor({.device_id = device}, Ada()),
                IsRefused(TokenFault::kAnotherDevice));
  }
}

}  // namespace
}  // namespace hourglass::issuance
