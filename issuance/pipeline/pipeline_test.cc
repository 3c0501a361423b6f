// The pipeline where it is interrupted: between intent and release, and by a change of the primary.
#include "issuance/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "issuance/pipeline/testing/pipeline_fixture.h"
#include "issuance/pipeline/testing/sub_key_pipeline_fixture.h"
#include "tests/support/pkcs10.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

TEST_F(PipelineTest, TheVerdictIsAskedForThisUserDeviceAndKey) {
  ASSERT_OK(Issue().status);
  ASSERT_EQ(verdicts_.questions.size(), 1u);
  const v1::EvaluateRequest& question = verdicts_.questions.front();
  EXPECT_EQ(question.tenant_id(), "contoso");
  EXPECT_EQ(question.user_upn(), "alice@contoso.example");
  EXPECT_EQ(question.device_id(), "laptop-1");
  EXPECT_EQ(question.public_key_sha256().size(), 32u);
  EXPECT_GE(question.nonce().size(), 16u);
}

// Promise 2, by what the compliance service itself says.
TEST_F(PipelineTest, AVerdictForAnybodyElseIssuesNothing) {
  const auto refuses = [this](const char* field, std::function<void(v1::Verdict*)> change) {
    verdicts_.on_answer = std::move(change);
    EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kComplianceAnswerInvalid, field));
    EXPECT_THAT(Recorded(), testing::IsEmpty());
  };
  refuses("tenant_id", [](v1::Verdict* verdict) { verdict->set_tenant_id("fabrikam"); });
  refuses("user_id", [](v1::Verdict* verdict) { verdict->set_user_id("u-2"); });
  refuses("user_upn", [](v1::Verdict* verdict) { verdict->clear_user_upn(); });
  refuses("device_id", [](v1::Verdict* verdict) { verdict->set_device_id("laptop-2"); });
  refuses("public_key_sha256",
          [](v1::Verdict* verdict) { verdict->set_public_key_sha256(std::string(32, 'k')); });
  verdicts_.on_answer = nullptr;
  EXPECT_OK(Issue().status);
}

// Before anybody is asked for a verdict, and so before anything is recorded.
TEST_F(PipelineTest, AUserOfAnotherDomainIsRefused) {
  std::map<std::string, IssuingConfig> overrides;
  ASSERT_EQ(overrides["contoso"].upn_domains.Add("contoso.example"), std::nullopt);
  tenants_.emplace(&*store_, keys_.get(), IssuingConfig(), overrides);
  pipeline_.emplace(&*tenants_, &*compliance_, &*journal_, &entropy_, &clock_);
  for (const char* upn : {"admin@fabrikam.example", "a@sub.contoso.example",
                          "alice_contoso.example#EXT#@fabrikam.example"}) {
    request_.mutable_user()->set_upn(upn);
    EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kUpnNotOfTenant, "user.upn")) << upn;
  }
  EXPECT_TRUE(verdicts_.questions.empty());
  EXPECT_TRUE(Recorded().empty());
  for (const char* upn : {"alice@Contoso.EXAMPLE", "bob_fabrikam.example#EXT#@contoso.example"}) {
    request_.mutable_user()->set_upn(upn);
    request_.set_request_id(upn);
    EXPECT_OK(Issue().status) << upn;
  }
  EXPECT_EQ(Recorded().size(), 2u);
}

TEST_F(PipelineTest, WithoutARecordedIntentNothingIsSigned) {
  store_->before_intent = [] { return kDiskFull; };
  const IssueOutcome outcome = Issue();
  EXPECT_THAT(outcome.status, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_EQ(outcome.response.ByteSizeLong(), 0u);
  EXPECT_TRUE(Recorded().empty());
  EXPECT_OK(Issue().status);
}

TEST_F(PipelineTest, WithoutARecordedReleaseNothingLeaves) {
  store_->before_release = [] { return kDiskFull; };
  const IssueOutcome outcome = Issue();
  EXPECT_THAT(outcome.status, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_EQ(outcome.response.ByteSizeLong(), 0u);
  ASSERT_EQ(Recorded().size(), 1u);
  EXPECT_FALSE(Recorded().front().released_at.has_value());
}

TEST_F(PipelineTest, AChangeOfThePrimaryBeforeTheIntentIsAFence) {
  store_->before_intent = [this] {
    MakePrimary();
    return absl::OkStatus();
  };
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_TRUE(Recorded().empty());
  // Nothing was recorded under this id, so that it is still good.
  const IssueOutcome outcome = Issue();
  ASSERT_OK(outcome.status);
  EXPECT_EQ(Recorded().front().intent.root_id, "r2");
}

TEST_F(PipelineTest, AChangeOfThePrimaryBeforeTheReleaseIsAFence) {
  store_->before_release = [this] {
    MakePrimary();
    return absl::OkStatus();
  };
  const IssueOutcome outcome = Issue();
  EXPECT_THAT(outcome.status, FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_EQ(outcome.response.ByteSizeLong(), 0u);
  EXPECT_FALSE(Recorded().front().released_at.has_value());
  // Its intent is of the old primary for ever.
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kPrimaryChanged, "request_id"));
  request_.set_request_id("request-2");
  EXPECT_OK(Issue().status);
}

// On the same store and keys, with a feed of changes of its own: nobody tells it of what this
// process does.
struct OtherProcess {
  OtherProcess(const std::string& database, hsm::KeyStore* keys, ComplianceClient* compliance,
               Entropy* entropy, const Clock* clock)
      : sqlite(OpenSqliteStore(database).value()),
        store(sqlite.get()),
        tenants(&store, keys, IssuingConfig(), {}),
        journal(&store, &store),
        pipeline(&tenants, compliance, &journal, entropy, clock) {}

  std::unique_ptr<Store> sqlite;
  InterruptibleStore store;
  Tenants tenants;
  GroupCommit journal;
  Pipeline pipeline;
};

class TwoProcessesTest : public PipelineTest {
 protected:
  void SetUp() override {
    PipelineTest::SetUp();
    other_.emplace(directory_.File("store.sqlite"), keys_.get(), &*compliance_, &entropy_, &clock_);
  }

  IssueOutcome IssueByTheOther(const std::string& request_id) {
    request_.set_request_id(request_id);
    return other_->pipeline.Issue(broker_, request_);
  }

  std::optional<OtherProcess> other_;
};

TEST_F(TwoProcessesTest, WhoMissedASwitchIsFencedAndThenEndsRight) {
  ASSERT_OK(Issue().status);
  // Its own picture of the tenant, taken before this process changes the primary.
  ASSERT_OK(IssueByTheOther("request-2").status);
  const RootRecord second = MakePrimary();
  EXPECT_THAT(IssueByTheOther("request-3").status, FailsWith(ErrorReason::kPrimaryChanged));
  // A certificate of the old primary is not handed out again either.
  EXPECT_THAT(IssueByTheOther("request-2").status, FailsWith(ErrorReason::kPrimaryChanged));
  const IssueOutcome outcome = IssueByTheOther("request-4");
  ASSERT_OK(outcome.status);
  EXPECT_EQ(outcome.response.chain(0), second.certificate);
  EXPECT_EQ(Recorded().size(), 3u) << "nothing of request-3";
}

TEST_F(TwoProcessesTest, AReleasedCertificateIsNotRepeatedByWhoMissedTheSwitch) {
  ASSERT_OK(Issue().status);
  ASSERT_OK(IssueByTheOther("request-1").status);
  // The switch comes after the other has found its intent recorded, when only the release's fence
  // is left.
  other_->store.before_release = [this] {
    MakePrimary();
    return absl::OkStatus();
  };
  const IssueOutcome outcome = IssueByTheOther("request-1");
  EXPECT_THAT(outcome.status, FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_EQ(outcome.response.ByteSizeLong(), 0u);
}

// Where nothing is written, no fence tells that another process has moved on.
TEST_F(TwoProcessesTest, WhoSawNoPrimaryLearnsOfTheFirst) {
  TenantRecord tenant;
  tenant.tenant_id = "fabrikam";
  tenant.display_name = "Fabrikam";
  ASSERT_OK(store_->CreateTenant(tenant));
  broker_.tenants = {"fabrikam"};
  request_.set_tenant_id("fabrikam");
  ASSERT_THAT(IssueByTheOther("request-1").status, FailsWith(ErrorReason::kNoPrimaryRoot));
  const RootRecord first = MakePrimary("fabrikam");
  const IssueOutcome outcome = IssueByTheOther("request-1");
  ASSERT_OK(outcome.status);
  EXPECT_EQ(outcome.response.chain(0), first.certificate);
}

TEST_F(TwoProcessesTest, WhosePrimaryIsExpiringLearnsOfTheNext) {
  ASSERT_OK(IssueByTheOther("request-1").status);
  clock_.Advance(std::chrono::hours(24 * 365) - std::chrono::minutes(30));
  const RootRecord second = MakePrimary();
  EXPECT_THAT(IssueByTheOther("request-2").status, FailsWith(ErrorReason::kRootExpiring));
  const IssueOutcome outcome = IssueByTheOther("request-2");
  ASSERT_OK(outcome.status);
  EXPECT_EQ(outcome.response.chain(0), second.certificate);
}

TEST_F(PipelineTest, WhereAKeyIsStaysInTheHouse) {
  ASSERT_OK_AND_ASSIGN(const RootRecord root, store_->GetRoot("contoso", "r1"));
  ASSERT_OK(keys_->Destroy(root.key_uri));
  store_->changes().Publish("contoso");
  Tenants fresh(&*store_, keys_.get(), IssuingConfig(), {});
  Pipeline pipeline(&fresh, &*compliance_, &*journal_, &entropy_, &clock_);
  const absl::Status status = pipeline.Issue(broker_, request_).status;
  EXPECT_THAT(status, FailsWith(ErrorReason::kKeyNotFound, ""));
  EXPECT_EQ(std::string(status.message()), "the primary root's key cannot be used");
  EXPECT_TRUE(Recorded().empty());
}

TEST_F(PipelineTest, TheTenantsKeyPolicyNarrowsWhatIsCertified) {
  IssuingConfig rsa_only;
  rsa_only.key_policy.allow_ec_p256 = false;
  Tenants strict_tenants(&*store_, keys_.get(), IssuingConfig(), {{"contoso", rsa_only}});
  Pipeline strict(&strict_tenants, &*compliance_, &*journal_, &entropy_, &clock_);
  EXPECT_THAT(strict.Issue(broker_, request_).status,
              FailsWith(ErrorReason::kKeySizeRefused, "pkcs10"));
  request_.set_pkcs10(MakePkcs10({"-newkey", "rsa:2048"}));
  EXPECT_OK(strict.Issue(broker_, request_).status);
}

TEST_F(SubKeyPipelineTest, AChangeOfThePrimaryBeforeTheReleaseIsAFence) {
  store_->before_release = [this] {
    RootOrder order;
    order.tenant_id = "contoso";
    order.duration = std::chrono::hours(24 * 365);
    order.key_type = hsm::KeyType::kEcP256;
    order.issuing_sub_keys = true;
    const auto root = roots_->Create(order);
    if (!root.ok()) return root.status();
    return roots_
        ->Promote(
            {.tenant_id = "contoso", .root_id = root->root_id, .without_relying_parties = true})
        .status();
  };
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_TRUE(Recorded().at(0).certificate.empty());
  request_.set_request_id("request-2");
  EXPECT_OK(Issue().status);
}

}  // namespace
}  // namespace hourglass::issuance
