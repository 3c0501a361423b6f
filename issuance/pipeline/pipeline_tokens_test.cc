// Tenants that take access tokens: for whom is what the token says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/key/custodian.h"
#include "issuance/pipeline/device_allowance.h"
#include "issuance/pipeline/pipeline.h"
#include "issuance/pipeline/testing/pipeline_fixture.h"
#include "issuance/store/testing/sample_records.h"
#include "issuance/timekeeping/testing/doubted_clock.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "issuance/tokens/testing/token_matchers.h"
#include "tests/support/pkcs10.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class GivenKeys final : public KeySetSource {
 public:
  std::shared_ptr<const KeySet> Get() override { return keys; }
  void KeyIsUnknown() override {}
  KeySetHealth Health() const override { return {"", keys, std::nullopt}; }

  std::shared_ptr<const KeySet> keys;
};

// Of each device so many requests.
class CountedDevices final : public DeviceAllowance {
 public:
  absl::Status TakeOne(absl::string_view tenant_id, absl::string_view device_id,
                       Timestamp) override {
    taken.emplace_back(absl::StrCat(tenant_id, "/", device_id));
    if (left-- > 0) return absl::OkStatus();
    return hsm::WithRetryDelay(Error(ErrorReason::kRequestsTooFrequent, "device_id", "again"),
                               std::chrono::milliseconds(30'000));
  }

  int left = 0;
  std::vector<std::string> taken;
};

class PipelineTokensTest : public PipelineTest {
 protected:
  void SetUp() override {
    PipelineTest::SetUp();
    issuer_keys_->keys = *KeySet::Parse(issuer_.KeySetText());
    tokens_.emplace("contoso", std::make_unique<TenantTokens>(TokenIssuer::Rules(),
                                                              TokenUseOptions(), issuer_keys_));
    MakePipeline();
    request_.clear_user();
    request_.clear_device_id();
    request_.set_access_token(Token());
  }

  void MakePipeline() {
    pipeline_.emplace(&*tenants_, &*compliance_, &*journal_, &entropy_, &clock_, EventLog::Silent(),
                      nullptr, Pipeline::Identities{&tokens_, &*store_, nullptr, nullptr});
  }

  std::string Token(const nlohmann::json& changes = nlohmann::json::object()) {
    nlohmann::json claims = issuer_.Claims(clock_.Now());
    for (const auto& [name, value] : changes.items()) {
      claims[name] = value;
      if (value.is_null()) claims.erase(name);
    }
    return issuer_.Token(claims);
  }

  IssueOutcome IssueBy(const std::string& token, const std::string& request_id) {
    request_.set_access_token(token);
    request_.set_request_id(request_id);
    return Issue();
  }

  const TokenIssuer& issuer_ = TokenIssuer::OfTheProcess();
  const std::shared_ptr<GivenKeys> issuer_keys_ = std::make_shared<GivenKeys>();
  TokensByTenant tokens_;
};

TEST_F(PipelineTokensTest, WhatTheRequestLeavesOutIsTheTokens) {
  const IssueOutcome outcome = Issue();
  ASSERT_OK(outcome.status);
  ASSERT_EQ(verdicts_.questions.size(), 1u);
  const v1::EvaluateRequest& question = verdicts_.questions.front();
  EXPECT_EQ(question.user_id(), kTestUser);
  EXPECT_EQ(question.user_upn(), "ada@contoso.example");
  EXPECT_EQ(question.device_id(), kTestDevice);
  EXPECT_TRUE(question.has_sign_in());
  const std::vector<JournalRecord> records = Recorded();
  ASSERT_EQ(records.size(), 1u);
  const Intent& intent = records[0].intent;
  EXPECT_EQ(intent.user_id, kTestUser);
  EXPECT_EQ(intent.user_upn, "ada@contoso.example");
  EXPECT_EQ(intent.device_id, kTestDevice);
  EXPECT_EQ(intent.identity, kAccessToken);
  EXPECT_EQ(intent.token_issuer, TokenIssuer::Rules().issuers[0]);
  EXPECT_THAT(intent.token_id, testing::StartsWith("uti-"));
}

TEST_F(PipelineTokensTest, WhatTheRequestSaysMustBeTheTokens) {
  request_.mutable_user()->set_id("690222BE-FF1A-4D56-ABD1-7E4F7D38E474");
  request_.mutable_user()->set_upn("Ada@Contoso.example");
  request_.set_device_id("0F8FAD5B-D9CB-469F-A165-70867728950E");
  const v1::IssueCertificateRequest sound = request_;
  request_.mutable_user()->set_id("790222be-ff1a-4d56-abd1-7e4f7d38e474");
  EXPECT_THAT(Issue().status, IsRefused(TokenFault::kAnotherUser));
  request_ = sound;
  request_.mutable_user()->set_upn("ceo@contoso.example");
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kTokenRefused, "access_token"));
  request_ = sound;
  request_.set_device_id("laptop-1");
  EXPECT_THAT(Issue().status, IsRefused(TokenFault::kAnotherDevice));
  EXPECT_TRUE(verdicts_.questions.empty());
  EXPECT_TRUE(Recorded().empty());
  // None of these used the token up, and it is written as the token has it.
  request_ = sound;
  request_.set_request_id("another");
  ASSERT_OK(Issue().status);
  EXPECT_EQ(Recorded()[0].intent.device_id, kTestDevice);
  EXPECT_EQ(Recorded()[0].intent.user_upn, "ada@contoso.example");
}

TEST_F(PipelineTokensTest, WithoutATokenNothingIsIssued) {
  request_.clear_access_token();
  EXPECT_THAT(Issue().status, IsRefused(TokenFault::kMissing));
  issuer_keys_->keys = nullptr;
  EXPECT_THAT(Issue().status, IsRefused(TokenFault::kMissing)) << "whether there are keys or not";
  request_.set_access_token(Token());
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kTokenNotJudged, "access_token"));
  issuer_keys_->keys = *KeySet::Parse(issuer_.KeySetText());
  EXPECT_OK(Issue().status);
}

TEST_F(PipelineTokensTest, WhereTheBrokersWordCountsATokenIsRefused) {
  tokens_.clear();
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kFieldInvalid, "access_token"));
  request_.clear_access_token();
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kFieldMissing, "device_id"));
  request_.mutable_user()->set_upn("alice@contoso.example");
  request_.set_device_id("laptop-1");
  ASSERT_OK(Issue().status);
  EXPECT_FALSE(verdicts_.questions[0].has_sign_in());
  EXPECT_EQ(Recorded()[0].intent.identity, kAssertedByBroker);
  EXPECT_EQ(Recorded()[0].intent.token_id, "");
}

// Whatever else is wrong is told first, and leaves the token as it was.
TEST_F(PipelineTokensTest, ARequestThatIsRefusedForWhatItIsDoesNotUseItsTokenUp) {
  std::map<std::string, IssuingConfig> overrides;
  ASSERT_EQ(overrides["contoso"].upn_domains.Add("fabrikam.example"), std::nullopt);
  const std::string pkcs10 = request_.pkcs10();
  request_.set_request_id("r-1");
  request_.clear_pkcs10();
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kFieldMissing, "pkcs10"));
  request_.set_pkcs10("no request");
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kRequestMalformed));
  request_.set_pkcs10(pkcs10);
  tenants_.emplace(&*store_, keys_.get(), IssuingConfig(), overrides);
  MakePipeline();
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kUpnNotOfTenant, "user.upn"));
  EXPECT_EQ(tokens_["contoso"]->remembered(), 0u);
  tenants_.emplace(&*store_, keys_.get(), IssuingConfig(), std::map<std::string, IssuingConfig>());
  MakePipeline();
  request_.set_request_id("r-2");
  EXPECT_OK(Issue().status);
}

TEST_F(PipelineTokensTest, ATokenIsForOneRequestAndItsRepeats) {
  const std::string token = Token();
  const IssueOutcome first = IssueBy(token, "r-1");
  ASSERT_OK(first.status);
  const IssueOutcome again = IssueBy(token, "r-1");
  ASSERT_OK(again.status);
  EXPECT_EQ(again.response.certificate(), first.response.certificate());
  EXPECT_THAT(IssueBy(token, "r-2").status, IsRefused(TokenFault::kReplayed));
  EXPECT_OK(IssueBy(Token(), "r-2").status);
  EXPECT_EQ(verdicts_.questions.size(), 3u) << "a repeat is judged, too";
}

// A denied request may be asked again with its token, once the device is in order.
TEST_F(PipelineTokensTest, ADenyDoesNotUseTheTokenUpForItsRequest) {
  verdicts_.denied_devices = {kTestDevice};
  const std::string token = Token();
  EXPECT_THAT(IssueBy(token, "r-1").status, FailsWith(ErrorReason::kDeviceNotCompliant));
  verdicts_.denied_devices = {};
  EXPECT_OK(IssueBy(token, "r-1").status);
}

TEST_F(PipelineTokensTest, ARepeatMayBringANewerTokenOfTheSameUserAndDevice) {
  const IssueOutcome first = IssueBy(Token(), "r-1");
  ASSERT_OK(first.status);
  const IssueOutcome newer = IssueBy(Token(), "r-1");
  ASSERT_OK(newer.status);
  EXPECT_EQ(newer.response.certificate(), first.response.certificate());
  const std::string other = "1f8fad5b-d9cb-469f-a165-70867728950e";
  for (const nlohmann::json& changes : std::vector<nlohmann::json>{
           {{"oid", other}}, {{"deviceid", other}}, {{"upn", "eve@contoso.example"}}}) {
    EXPECT_THAT(IssueBy(Token(changes), "r-1").status,
                FailsWith(ErrorReason::kRequestIdReused, "request_id"))
        << changes;
  }
  // And one that is not accepted is of no use, though the certificate is there already.
  EXPECT_THAT(IssueBy(Token({{"aud", "another"}}), "r-1").status,
              IsRefused(TokenFault::kAudienceWrong));
  EXPECT_EQ(Recorded().size(), 1u);
  EXPECT_NE(Recorded()[0].intent.token_id, "");
}

TEST_F(PipelineTokensTest, AUpnThatTheTokenDoesNotHaveIsTheDirectorys) {
  const std::string token = Token({{"upn", nullptr}});
  EXPECT_THAT(IssueBy(token, "r-1").status, IsRefused(TokenFault::kUpnMissing));
  DirectoryUser user = SampleUser(kTestUser);
  user.upn = "ada.lovelace@contoso.example";
  ASSERT_OK(store_->PutUsers("contoso", {user}, SampleCause()));
  request_.mutable_user()->set_upn("ada@contoso.example");
  EXPECT_THAT(IssueBy(token, "r-1").status, IsRefused(TokenFault::kAnotherUser));
  request_.mutable_user()->set_upn("Ada.Lovelace@contoso.example");
  ASSERT_OK(IssueBy(token, "r-2").status);
  EXPECT_EQ(Recorded()[0].intent.user_upn, "ada.lovelace@contoso.example");
  // What the token has, counts.
  request_.clear_user();
  ASSERT_OK(IssueBy(Token(), "r-3").status);
  EXPECT_EQ(Recorded()[0].intent.user_upn, "ada@contoso.example");
}

TEST_F(PipelineTokensTest, ABoundTokenIsForTheCertificateThatTheCallerShows) {
  const std::string own(32, '\x11');
  // Of 32 octets of 0x11, by `printf … | basenc --base64url`, without padding.
  const std::string token =
      Token({{"cnf", {{"x5t#S256", "ERERERERERERERERERERERERERERERERERERERERERE"}}}});
  request_.set_access_token(token);
  EXPECT_THAT(Issue().status, IsRefused(TokenFault::kConfirmationMismatch)) << "none is known";
  EXPECT_THAT(pipeline_->Issue(broker_, request_, std::string(32, '\x12')).status,
              IsRefused(TokenFault::kConfirmationMismatch));
  ASSERT_OK(pipeline_->Issue(broker_, request_, own).status);
  EXPECT_TRUE(verdicts_.questions[0].sign_in().token_bound());
}

TEST_F(PipelineTokensTest, TheComplianceServiceIsToldHowTheUserSignedIn) {
  const auto at = std::chrono::floor<std::chrono::seconds>(clock_.Now()) - std::chrono::minutes(5);
  ASSERT_OK(IssueBy(Token({{"auth_time", at.time_since_epoch().count()},
                           {"amr", {"pwd", "mfa"}},
                           {"acr", "1"},
                           {"acrs", {"c1", "p1"}},
                           {"groups", {kTestDevice}},
                           {"ipaddr", "192.0.2.7"}}),
                    "r-1")
                .status);
  const v1::SignIn& sign_in = verdicts_.questions[0].sign_in();
  EXPECT_EQ(sign_in.issuer(), TokenIssuer::Rules().issuers[0]);
  EXPECT_EQ(sign_in.client_id(), kTestBroker);
  EXPECT_EQ(sign_in.authenticated_at().seconds(), at.time_since_epoch().count());
  EXPECT_THAT(sign_in.authentication_methods(), ElementsAre("pwd", "mfa"));
  EXPECT_EQ(sign_in.authentication_class(), "1");
  EXPECT_THAT(sign_in.authentication_contexts(), ElementsAre("c1", "p1"));
  EXPECT_TRUE(sign_in.groups_known());
  EXPECT_THAT(sign_in.group_ids(), ElementsAre(kTestDevice));
  EXPECT_EQ(sign_in.ip_address(), "192.0.2.7");
  EXPECT_FALSE(sign_in.token_bound());
  // What is not there is not known.
  ASSERT_OK(IssueBy(Token({{"hasgroups", true}}), "r-2").status);
  const v1::SignIn& silent = verdicts_.questions[1].sign_in();
  EXPECT_FALSE(silent.groups_known());
  EXPECT_FALSE(silent.has_authenticated_at());
  EXPECT_EQ(silent.authentication_methods_size(), 0);
}

// [MS-WCCE] 2.2.2.7.7.4: whoever maps certificates to accounts finds it there.
TEST_F(PipelineTokensTest, TheSidOfTheTokenIsInTheCertificate) {
  constexpr char kSid[] = "S-1-5-21-397955417-626881126-188441444-3110";
  const IssueOutcome with = IssueBy(Token({{"onprem_sid", kSid}}), "r-1");
  ASSERT_OK(with.status);
  EXPECT_THAT(with.response.certificate(), HasSubstr(kSid));
  const IssueOutcome without = IssueBy(Token(), "r-2");
  ASSERT_OK(without.status);
  EXPECT_THAT(without.response.certificate(), Not(HasSubstr("S-1-5-21")));
  // What is on record has it, and is given to nobody who has none.
  EXPECT_THAT(IssueBy(Token(), "r-1").status, FailsWith(ErrorReason::kPrimaryChanged));
  const IssueOutcome again = IssueBy(Token({{"onprem_sid", kSid}}), "r-1");
  ASSERT_OK(again.status);
  EXPECT_EQ(again.response.certificate(), with.response.certificate());
}

// Whatever device its broker names, and nothing of one whose token is refused.
TEST_F(PipelineTokensTest, TheDeviceOfTheTokenIsChargedOnceTheTokenIsGood) {
  CountedDevices devices;
  devices.left = 1;
  pipeline_.emplace(&*tenants_, &*compliance_, &*journal_, &entropy_, &clock_, EventLog::Silent(),
                    nullptr, Pipeline::Identities{&tokens_, &*store_, &devices, nullptr});
  EXPECT_THAT(IssueBy(Token({{"aud", "another"}}), "r-1").status,
              FailsWith(ErrorReason::kTokenRefused));
  EXPECT_THAT(devices.taken, testing::IsEmpty());
  const std::string token = Token();
  EXPECT_OK(IssueBy(token, "r-1").status);
  const absl::Status refused = IssueBy(Token(), "r-2").status;
  EXPECT_THAT(refused, FailsWith(ErrorReason::kRequestsTooFrequent, "device_id"));
  EXPECT_EQ(hsm::RetryDelayOf(refused), std::chrono::milliseconds(30'000));
  const std::string device = absl::StrCat("contoso/", verdicts_.questions[0].device_id());
  EXPECT_THAT(devices.taken, ElementsAre(device, device));
  // Nothing was noted of what was refused.
  EXPECT_EQ(tokens_["contoso"]->remembered(), 1u);
}

TEST_F(PipelineTokensTest, ByAClockThatIsDoubtedNoTokenIsJudged) {
  DoubtedClock doubted(clock_.Now());
  doubted.believed = false;
  pipeline_.emplace(&*tenants_, &*compliance_, &*journal_, &entropy_, &doubted, EventLog::Silent(),
                    nullptr, Pipeline::Identities{&tokens_, &*store_, nullptr, nullptr});
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_EQ(tokens_["contoso"]->remembered(), 0u);
  MakePipeline();
  EXPECT_OK(Issue().status);
}

TEST_F(PipelineTokensTest, TenantsDoNotShareWhatTheyTake) {
  TenantRecord tenant;
  tenant.tenant_id = "fabrikam";
  tenant.display_name = "Fabrikam";
  ASSERT_OK(store_->CreateTenant(tenant));
  MakePrimary("fabrikam");
  broker_.tenants = {"contoso", "fabrikam"};
  TokenRules rules = TokenIssuer::Rules();
  rules.directory_id = "7babcaad-604b-40ac-a9d7-9fd97c0b779f";
  rules.issuers = {"https://login.microsoftonline.com/7babcaad-604b-40ac-a9d7-9fd97c0b779f/v2.0"};
  tokens_.emplace("fabrikam",
                  std::make_unique<TenantTokens>(rules, TokenUseOptions(), issuer_keys_));
  request_.set_tenant_id("fabrikam");
  EXPECT_THAT(Issue().status, IsRefused(TokenFault::kIssuerNotAllowed));
  const std::string theirs = Token({{"iss", rules.issuers[0]}, {"tid", rules.directory_id}});
  EXPECT_OK(IssueBy(theirs, "r-2").status);
  request_.set_tenant_id("contoso");
  EXPECT_THAT(IssueBy(theirs, "r-3").status, IsRefused(TokenFault::kIssuerNotAllowed));
  EXPECT_OK(IssueBy(Token(), "r-3").status);
}

}  // namespace
}  // namespace hourglass::issuance
