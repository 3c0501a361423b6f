#include "issuance/server/enrolment_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "issuance/store/testing/sample_records.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "issuance/tokens/testing/token_matchers.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

class GivenKeys final : public KeySetSource {
 public:
  std::shared_ptr<const KeySet> Get() override { return keys; }
  void KeyIsUnknown() override {}
  KeySetHealth Health() const override { return {"", keys, std::nullopt}; }

  std::shared_ptr<const KeySet> keys;
};

class EnrolmentTokensTest : public testing::Test {
 protected:
  EnrolmentTokensTest() {
    keys_->keys = *KeySet::Parse(issuer_.KeySetText());
    tokens_.emplace("contoso",
                    std::make_unique<TenantTokens>(TokenIssuer::Rules(), TokenUseOptions(), keys_));
    broker_.name = "broker-1";
    request_.set_tenant_id("contoso");
    request_.set_device_id(kTestDevice);
    request_.set_access_token(issuer_.Token(issuer_.Claims(now_)));
  }

  absl::StatusOr<std::string> Accept(const std::string& key_id) {
    return EnrolmentTokenBy(&tokens_)(broker_, request_, key_id, now_);
  }

  const Timestamp now_ = SampleTime();
  const TokenIssuer& issuer_ = TokenIssuer::OfTheProcess();
  const std::shared_ptr<GivenKeys> keys_ = std::make_shared<GivenKeys>();
  TokensByTenant tokens_;
  Caller broker_;
  v1::EnrolDeviceKeyRequest request_;
};

TEST_F(EnrolmentTokensTest, ATokenSpeaksForOneKeyOfItsDevice) {
  EXPECT_EQ(Accept("key-1").value(), kTestUser);
  EXPECT_OK(Accept("key-1")) << "the same again";
  EXPECT_THAT(Accept("key-2"), IsRefused(TokenFault::kReplayed));
}

TEST_F(EnrolmentTokensTest, OfAnotherDeviceItIsNotUsedUp) {
  request_.set_device_id("laptop-1");
  EXPECT_THAT(Accept("key-1"), IsRefused(TokenFault::kAnotherDevice));
  request_.set_device_id(kTestDevice);
  EXPECT_OK(Accept("key-2"));
}

TEST_F(EnrolmentTokensTest, WhatIsNoTokenOrOfNoTenantThatTakesThemIsRefused) {
  const std::string good = request_.access_token();
  request_.set_access_token(good + "x");
  EXPECT_THAT(Accept("key-1"), FailsWith(ErrorReason::kTokenRefused, "access_token"));
  request_.set_access_token(good);
  request_.set_tenant_id("fabrikam");
  EXPECT_THAT(Accept("key-1"), FailsWith(ErrorReason::kFieldInvalid, "access_token"));
}

}  // namespace
}  // namespace hourglass::issuance
