// The engine with policies of the store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/devices.pb.h"
#include "issuance/compliance/engine.h"
#include "issuance/log/testing/captured_log.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

constexpr char kFile[] = "version: v1\ndisk_encryption: {enabled: true}\n";

std::string Policy(const std::string& state, const std::string& controls,
                   const std::string& users = R"("includeUsers": ["All"])") {
  return absl::StrCat(R"({"id": "a", "displayName": "VPN", "state": ")", state,
                      R"(", "conditions": {"users": {)", users,
                      R"(}, "applications": {"includeApplications": ["All"]}},
    "grantControls": {"operator": "AND", "builtInControls": [)",
                      controls, "]}}");
}

class CountedFacts final : public DecisionFactsStore {
 public:
  explicit CountedFacts(DecisionFactsStore* facts) : facts_(facts) {}

  absl::StatusOr<DecisionFacts> ReadDecisionFacts(const DecisionSubject& subject,
                                                  Timestamp now) override {
    ++reads;
    return facts_->ReadDecisionFacts(subject, now);
  }

  int reads = 0;

 private:
  DecisionFactsStore* const facts_;
};

class EngineAccessTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(directory_.File("policies"));
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("store.db")));
    ASSERT_OK(store_->CreateTenant(SampleTenant()));
    facts_ = std::make_unique<CountedFacts>(store_.get());
    MakeEngine();
    Report(true);
  }

  void MakeEngine() {
    engine_ =
        std::make_unique<ComplianceEngine>(directory_.File("policies"), facts_.get(), &clock_,
                                           *log_.log(), ComplianceEngine::Access{store_.get(), {}});
  }

  // What was logged since; the engine is another then, since all is written when the last copy of
  // its log goes.
  std::vector<LoggedLine> Lines() {
    engine_.reset();
    std::vector<LoggedLine> lines = log_.Take();
    MakeEngine();
    return lines;
  }

  void Put(const std::string& document, const std::string& state = "enabled") {
    PolicyRecord record = SamplePolicy("a");
    record.state = state;
    record.document = document;
    ASSERT_OK(store_->ChangePolicies(kSampleTenant, std::nullopt, {&record, 1}, {}, SampleCause()));
  }

  void Report(bool encrypted) {
    v1::DeviceState state;
    state.mutable_disk_encryption()->set_enabled(encrypted);
    ASSERT_OK(store_->PutDevice(
        {std::string(kSampleTenant), "laptop-1", state.SerializeAsString(), clock_.Now(), "mdm"}));
  }

  static v1::EvaluateRequest Question() {
    v1::EvaluateRequest request;
    request.set_tenant_id(std::string(kSampleTenant));
    request.set_user_id("u-1");
    request.set_user_upn("u-1@contoso.example");
    request.set_device_id("laptop-1");
    request.set_public_key_sha256(std::string(32, 'k'));
    request.set_nonce(std::string(16, 'n'));
    return request;
  }

  // Empty of an allowance.
  std::vector<std::string> Denied() {
    const auto verdict = engine_->Evaluate(Question());
    EXPECT_OK(verdict);
    if (!verdict.ok()) return {"no verdict"};
    version_ = verdict->policy_version();
    std::vector<std::string> settings;
    for (const auto& reason : verdict->deny().reasons()) settings.push_back(reason.setting());
    EXPECT_EQ(settings.empty(), verdict->has_allow());
    return settings;
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  CapturedLog log_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<CountedFacts> facts_;
  std::unique_ptr<ComplianceEngine> engine_;
  std::string version_;
};

TEST_F(EngineAccessTest, ATenantWithoutPoliciesIsJudgedByItsFileAlone) {
  EXPECT_THAT(Denied(), ElementsAre("policy"));
  directory_.Write("policies/contoso.yaml", kFile);
  EXPECT_THAT(Denied(), IsEmpty());
  EXPECT_THAT(version_, MatchesRegex("v1 \\(sha256:[0-9a-f]{12}\\)"));
}

TEST_F(EngineAccessTest, PoliciesDecideFromTheNextRequestOn) {
  directory_.Write("policies/contoso.yaml", kFile);
  EXPECT_THAT(Denied(), IsEmpty());
  Put(Policy("enabled", R"("compliantDevice")"));
  EXPECT_THAT(Denied(), IsEmpty());
  EXPECT_THAT(version_, MatchesRegex("v1 \\(sha256:[0-9a-f]{12}\\) ca:1"));
  Report(false);
  EXPECT_THAT(Denied(), ElementsAre("disk_encryption.enabled", "compliantDevice"));
  Report(true);
  EXPECT_THAT(Denied(), IsEmpty());
  Put(Policy("enabled", R"("block")"));
  EXPECT_THAT(Denied(), ElementsAre("block"));
  EXPECT_THAT(version_, testing::EndsWith("ca:2"));
}

TEST_F(EngineAccessTest, ReportOnlyPoliciesChangeNothingAndAreTold) {
  directory_.Write("policies/contoso.yaml", kFile);
  EXPECT_THAT(Denied(), IsEmpty());
  const std::string version = version_;
  Put(Policy("enabledForReportingButNotEnforced", R"("block")"));
  EXPECT_THAT(Denied(), IsEmpty());
  EXPECT_EQ(version_, version);
  const std::vector<LoggedLine> lines = Lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("event"), "report_only_policy");
  EXPECT_EQ(lines[0].at("policy"), "a");
  // Nor does one give what a file does not.
  std::filesystem::remove(directory_.File("policies/contoso.yaml"));
  Put(Policy("enabledForReportingButNotEnforced", R"("compliantDevice")"));
  EXPECT_THAT(Denied(), ElementsAre("policy"));
}

TEST_F(EngineAccessTest, TheFileIsDemandedWhateverPoliciesSay) {
  directory_.Write("policies/contoso.yaml", kFile);
  Put(Policy("enabled", R"("domainJoinedDevice")"));
  Report(false);
  EXPECT_THAT(Denied(), ElementsAre("disk_encryption.enabled", "domainJoinedDevice"));
}

TEST_F(EngineAccessTest, PoliciesThatCannotBeReadDeny) {
  directory_.Write("policies/contoso.yaml", kFile);
  EXPECT_THAT(Denied(), IsEmpty());
  Put("{");
  EXPECT_THAT(Denied(), ElementsAre("policy"));
  EXPECT_EQ(version_, "ca:1");
  EXPECT_THAT(Denied(), ElementsAre("policy"));
  EXPECT_EQ(Lines().size(), 1U) << "told once";
  // An engine that cannot read policies of the store has no verdict for who has some.
  ComplianceEngine without(directory_.File("policies"), store_.get(), &clock_);
  EXPECT_THAT(without.Evaluate(Question()), FailsWith(ErrorReason::kComplianceUnavailable));
}

TEST_F(EngineAccessTest, GroupsAreThoseOfTheDirectory) {
  directory_.Write("policies/contoso.yaml", kFile);
  DirectoryUser user = SampleUser("u-1");
  user.groups = {"staff"};
  ASSERT_OK(store_->PutUsers(kSampleTenant, {&user, 1}, SampleCause()));
  // Who is known to be excluded is; who is not known to be is not.
  Put(Policy("enabled", R"("block")", R"("includeUsers": ["All"], "excludeGroups": ["Staff"])"));
  EXPECT_THAT(Denied(), ElementsAre("policy")) << "no policy applies";
  Put(Policy("enabled", R"("compliantDevice")", R"("includeGroups": ["Staff"])"));
  EXPECT_THAT(Denied(), IsEmpty());
  ASSERT_OK(store_->RemoveUser(kSampleTenant, "u-1", SampleCause()));
  EXPECT_THAT(Denied(), testing::Contains("policy")) << "it is not known whether it applies";
}

// A broker that has the id of one and the name of another gets the better of neither.
TEST_F(EngineAccessTest, AnIdSaysNothingOfAnothersName) {
  directory_.Write("policies/contoso.yaml", kFile);
  Put(Policy("enabled", R"("block")", R"("includeUsers": ["All"], "excludeUsers": ["u-1"])"));
  EXPECT_THAT(Denied(), ElementsAre("policy")) << "excluded by the id that was given";
  DirectoryUser other = SampleUser("u-2");
  other.upn = "u-1@contoso.example";
  ASSERT_OK(store_->PutUsers(kSampleTenant, {&other, 1}, SampleCause()));
  facts_->reads = 0;
  EXPECT_THAT(Denied(), ElementsAre("block"));
  EXPECT_EQ(facts_->reads, 2) << "by the id, and by the name";
}

TEST_F(EngineAccessTest, OfWhoHoldsACertificateOnlyWhatIsCertainStands) {
  directory_.Write("policies/contoso.yaml", kFile);
  const auto settings = [](const std::vector<v1::DenyReason>& reasons) {
    std::vector<std::string> names;
    for (const v1::DenyReason& reason : reasons) names.push_back(reason.setting());
    return names;
  };
  v1::EvaluateRequest by_broker = Question();
  v1::EvaluateRequest by_token = Question();
  by_token.mutable_sign_in();
  const auto review = [&](const v1::EvaluateRequest& question) {
    const auto standing = engine_->Review(question, clock_.Now());
    EXPECT_OK(standing);
    return standing.ok() ? std::pair(settings(standing->certain), settings(standing->by_directory))
                         : std::pair(settings({}), settings({}));
  };
  const auto stands = [](std::vector<std::string> certain, std::vector<std::string> by_directory) {
    return testing::Pair(certain, by_directory);
  };
  EXPECT_THAT(review(by_token), stands({}, {}));
  Put(Policy("enabled", R"("mfa", "domainJoinedDevice")"));
  EXPECT_THAT(Denied(), ElementsAre("mfa", "domainJoinedDevice"));
  EXPECT_THAT(review(by_broker), stands({"mfa", "domainJoinedDevice"}, {}));
  EXPECT_THAT(review(by_token), stands({"domainJoinedDevice"}, {}))
      << "it is refused for the device, whatever the user did";
  Put(Policy("enabled", R"("mfa")"));
  EXPECT_THAT(review(by_token), stands({}, {}));
  Put(Policy("enabled", R"("block")", R"("includeGroups": ["staff"])"));
  DirectoryUser user = SampleUser("u-1");
  user.groups = {"staff"};
  ASSERT_OK(store_->PutUsers(kSampleTenant, {&user, 1}, SampleCause()));
  EXPECT_THAT(review(by_broker), stands({"block"}, {}));
  EXPECT_THAT(review(by_token), stands({}, {"block"})) << "a token may know his groups better";
  Put(Policy("enabled", R"("block")", R"("includeRoles": ["r-1"])"));
  EXPECT_THAT(review(by_token), stands({"block"}, {})) << "no token tells roles";
  Report(false);
  EXPECT_THAT(review(by_token), stands({"disk_encryption.enabled", "block"}, {}));
  // Who is blocked was told of, and what is wrong with policies is nobody's loss.
  ASSERT_OK(store_->Block(SampleBlock(BlockRecord::Kind::kDevice, "laptop-1"), SampleCause()));
  EXPECT_THAT(review(by_token), stands({}, {}));
  ASSERT_OK(store_->Unblock(kSampleTenant, BlockRecord::Kind::kDevice, "laptop-1", SampleCause()));
  Put("{");
  EXPECT_THAT(review(by_token), stands({}, {}));
}

TEST_F(EngineAccessTest, WhatIsBlockedIsToldBeforeAnyPolicy) {
  directory_.Write("policies/contoso.yaml", kFile);
  Put(Policy("enabled", R"("compliantDevice")"));
  EXPECT_THAT(Denied(), IsEmpty());
  ASSERT_OK(store_->Block(SampleBlock(BlockRecord::Kind::kDevice, "laptop-1"), SampleCause()));
  EXPECT_THAT(Denied(), ElementsAre("device_blocked"));
  ASSERT_OK_AND_ASSIGN(const auto explained, engine_->Explain(Question(), {}, clock_.Now()));
  EXPECT_EQ(explained.reasons.size(), 1U);
  EXPECT_TRUE(explained.judgement.has_value());
}

}  // namespace
}  // namespace hourglass::issuance
