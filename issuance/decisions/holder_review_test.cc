#include "issuance/decisions/holder_review.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/decisions.pb.h"
#include "hourglass/v1/devices.pb.h"
#include "hsm/base/error.h"
#include "issuance/log/testing/captured_log.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "issuance/timekeeping/testing/doubted_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using std::chrono::minutes;
using testing::AllOf;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class WatchedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<Page<JournalRecord>> ListJournal(absl::string_view tenant_id,
                                                  const JournalFilter& filter, int page_size,
                                                  absl::string_view page_token) override {
    asked_for += page_size;
    if (fails) return Error(ErrorReason::kJournalUnavailable, "", "the disk is away");
    return ForwardingStore::ListJournal(tenant_id, filter, page_size, page_token);
  }
  bool fails = false;
  int asked_for = 0;
};

std::string Policy(const std::string& control,
                   const std::string& users = R"("includeUsers": ["All"])") {
  return absl::StrCat(R"({"id": "a", "displayName": "VPN", "state": "enabled",
    "conditions": {"users": {)",
                      users, R"(}, "applications": {"includeApplications": ["All"]}},
    "grantControls": {"operator": "AND", "builtInControls": [")",
                      control, "\"]}}");
}

class HolderReviewTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(directory_.File("policies"));
    directory_.Write("policies/contoso.yaml",
                     "version: v1\nreport_validity: 1h\ndisk_encryption: {enabled: true}\n");
    ASSERT_OK_AND_ASSIGN(file_, OpenSqliteStore(directory_.File("store.sqlite")));
    store_.emplace(file_.get());
    ASSERT_OK(AddSamplePrimary(*store_));
    engine_.emplace(directory_.File("policies"), &*store_, &clock_, EventLog::Silent(),
                    ComplianceEngine::Access{&*store_, {}});
    BeginAgain();
    Report();
  }

  // As another process, or after a restart.
  void BeginAgain() {
    review_.emplace(HolderReview::Means{&*store_, &*store_, &*store_, &*engine_, &clock_},
                    *log_.log(), limits_);
  }
  void Step(int steps = 1) {
    for (int i = 0; i < steps; ++i) review_->Step({std::string(kSampleTenant)});
  }
  // Ends after a round.
  void Round() { Step(limits_.steps_between + 1); }

  void Report(const std::string& device_id = "laptop-1") {
    v1::DeviceState state;
    state.mutable_disk_encryption()->set_enabled(true);
    DeviceRecord device = SampleDevice(device_id);
    device.state = state.SerializeAsString();
    device.reported_at = clock_.now;
    ASSERT_OK(store_->PutDevice(device));
  }
  void Issue(const std::string& request_id, absl::string_view identity = kAccessToken,
             const std::string& device_id = "laptop-1") {
    Intent intent = SampleIntent(request_id);
    intent.user_id = "u-1";
    intent.user_upn = "u-1@contoso.example";
    intent.device_id = device_id;
    intent.identity = std::string(identity);
    intent.intended_at = clock_.now;
    intent.not_after = floor<std::chrono::seconds>(clock_.now + minutes(60));
    ASSERT_OK(Append(*store_, intent));
    ASSERT_OK(Append(*store_, ReleaseOf(intent)));
  }
  void PutPolicy(const std::string& document) {
    PolicyRecord record = SamplePolicy("a");
    record.document = document;
    ASSERT_OK(store_->ChangePolicies(kSampleTenant, std::nullopt, {&record, 1}, {}, SampleCause()));
  }
  void PutUser(const std::vector<std::string>& groups) {
    DirectoryUser user = SampleUser("u-1");
    user.groups = groups;
    ASSERT_OK(store_->PutUsers(kSampleTenant, {&user, 1}, SampleCause()));
  }

  // `DEVICE: SETTING…` of each.
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    const std::vector<DecisionEvent> events = store_->ListEvents(kSampleTenant, 0, 100).value();
    for (const DecisionEvent& event : events) {
      EXPECT_EQ(event.kind, DecisionEvent::Kind::kAccessLost);
      EXPECT_EQ(event.user_id, "u-1");
      EXPECT_EQ(event.user_upn, "u-1@contoso.example");
      v1::DenyReasons reasons;
      EXPECT_TRUE(reasons.ParseFromString(event.reasons));
      told.push_back(absl::StrCat(event.device_id, ":"));
      for (const v1::DenyReason& reason : reasons.reasons()) {
        absl::StrAppend(&told.back(), " ", reason.setting());
      }
    }
    return told;
  }

  const TemporaryDirectory directory_;
  DoubtedClock clock_{SampleTime(10)};
  CapturedLog log_;
  std::unique_ptr<Store> file_;
  std::optional<WatchedStore> store_;
  std::optional<ComplianceEngine> engine_;
  ReviewLimits limits_ = {.steps_between = 3};
  std::optional<HolderReview> review_;
};

TEST_F(HolderReviewTest, WhoWouldBeBlockedByANewPolicyIsToldOfOnceForHisCertificates) {
  Issue("r-1");
  Issue("r-2");
  Round();
  EXPECT_THAT(Told(), IsEmpty());
  clock_.now += minutes(1);
  PutPolicy(Policy("block"));
  Step();
  EXPECT_THAT(Told(), ElementsAre("laptop-1: block"));
  Round();
  Round();
  BeginAgain();
  Round();
  EXPECT_THAT(Told(), SizeIs(1)) << "whatever process looks, and however often";
  PutPolicy(Policy("compliantDevice"));
  clock_.now += minutes(1);
  Issue("r-3");
  Round();
  EXPECT_THAT(Told(), SizeIs(1));
  clock_.now += minutes(1);
  PutPolicy(Policy("block"));
  Step();
  EXPECT_THAT(Told(), SizeIs(2)) << "he has got another certificate since";
}

TEST_F(HolderReviewTest, APolicyThatChangedWhileNobodyLookedIsFound) {
  Issue("r-1");
  clock_.now += minutes(1);
  PutPolicy(Policy("block"));
  Step(limits_.steps_between - 1);
  EXPECT_THAT(Told(), IsEmpty()) << "not all at once when a process begins";
  Round();
  EXPECT_THAT(Told(), ElementsAre("laptop-1: block"));
}

TEST_F(HolderReviewTest, AReportThatBecomesTooOldIsTold) {
  clock_.now += minutes(30);
  Issue("r-1");
  clock_.now += minutes(30);
  Round();
  EXPECT_THAT(Told(), IsEmpty()) << "at exactly its limit";
  clock_.now += minutes(1);
  Round();
  EXPECT_THAT(Told(), ElementsAre("laptop-1: report_validity"));
}

TEST_F(HolderReviewTest, AGracePeriodThatEndsIsTold) {
  PolicyRecord record = SamplePolicy("c");
  record.kind = PolicyKind::kDeviceCompliance;
  record.document = R"({"@odata.type": "#microsoft.graph.windows10CompliancePolicy", "id": "c",
    "displayName": "Windows", "tpmRequired": true, "scheduledActionsForRule": [{"ruleName": null,
    "scheduledActionConfigurations": [{"actionType": "block", "gracePeriodHours": 1}]}]})";
  ASSERT_OK(store_->ChangePolicies(kSampleTenant, std::nullopt, {&record, 1}, {}, SampleCause()));
  v1::DeviceState state;
  state.mutable_disk_encryption()->set_enabled(true);
  state.mutable_directory()->set_operating_system("Windows");
  state.mutable_management()->mutable_noncompliant_since()->set_seconds(
      floor<std::chrono::seconds>(clock_.now - minutes(30)).time_since_epoch().count());
  DeviceRecord device = SampleDevice("laptop-1");
  device.state = state.SerializeAsString();
  device.reported_at = clock_.now;
  ASSERT_OK(store_->PutDevice(device));
  Issue("r-1");
  clock_.now += minutes(29);
  Round();
  EXPECT_THAT(Told(), IsEmpty());
  clock_.now += minutes(2);
  Round();
  EXPECT_THAT(Told(), ElementsAre("laptop-1: tpmRequired"));
}

TEST_F(HolderReviewTest, WhoseCertificateHasExpiredIsNotToldOf) {
  Issue("r-1");
  clock_.now += minutes(61);
  Round();
  EXPECT_THAT(Told(), IsEmpty());
}

// How somebody signed in may be why he was allowed.
TEST_F(HolderReviewTest, WhatATokenMayHaveSaidIsNoLoss) {
  for (const char* const device : {"laptop-2", "laptop-3", "laptop-4"}) Report(device);
  Issue("r-1");
  Issue("r-2", kAssertedByBroker, "laptop-2");
  Issue("r-3", kAccessTokenAndDeviceKey, "laptop-3");
  Issue("r-4", kDeviceKey, "laptop-4");
  clock_.now += minutes(1);
  PutPolicy(Policy("mfa"));
  Round();
  EXPECT_THAT(Told(), UnorderedElementsAre("laptop-2: mfa", "laptop-4: mfa"))
      << "no broker's word says that he did";
}

TEST_F(HolderReviewTest, GroupsCountWhereTheyChangeAfterTheCertificateWasSeen) {
  Report("laptop-2");
  PutPolicy(Policy("compliantDevice", R"("includeGroups": ["staff"])"));
  PutUser({"staff"});
  Issue("r-1");
  Issue("r-2", kAssertedByBroker, "laptop-2");
  Round();
  EXPECT_THAT(Told(), IsEmpty());
  clock_.now += minutes(1);
  ASSERT_OK(store_->RemoveUser(kSampleTenant, "u-1", SampleCause()));
  Round();
  EXPECT_THAT(Told(),
              testing::UnorderedElementsAre("laptop-1: policy policy", "laptop-2: policy policy"));
}

TEST_F(HolderReviewTest, GroupsOfATokenThatTheDirectoryDoesNotHaveAreNoLoss) {
  Report("laptop-2");
  PutPolicy(Policy("block", R"("includeUsers": ["All"], "excludeGroups": ["staff"])"));
  PutUser({"guests"});
  Issue("r-1");
  Round();
  EXPECT_THAT(Told(), IsEmpty()) << "the token may have had it";
  Issue("r-2", kAssertedByBroker, "laptop-2");
  Round();
  EXPECT_THAT(Told(), ElementsAre("laptop-2: block"));
}

TEST_F(HolderReviewTest, WhoIsBlockedWasToldOf) {
  Issue("r-1");
  PutPolicy(Policy("block"));
  ASSERT_OK(store_->Block(SampleBlock(BlockRecord::Kind::kDevice, "laptop-1"), SampleCause()));
  Round();
  EXPECT_THAT(store_->ListEvents(kSampleTenant, 0, 100).value(), SizeIs(1));
}

TEST_F(HolderReviewTest, PoliciesThatCannotBeReadOrAreGoneAreNoLoss) {
  Issue("r-1");
  PutPolicy("{");
  Round();
  directory_.Write("policies/contoso.yaml", "version: [");
  Round();
  std::filesystem::remove(directory_.File("policies/contoso.yaml"));
  const std::string deleted = "a";
  ASSERT_OK(store_->ChangePolicies(kSampleTenant, std::nullopt, {}, {&deleted, 1}, SampleCause()));
  Round();
  EXPECT_THAT(Told(), IsEmpty());
  PutPolicy(Policy("block"));
  Round();
  EXPECT_THAT(Told(), SizeIs(1));
}

TEST_F(HolderReviewTest, OnlyWhatIsWatchedIsLookedAtAndOnlyByAClockThatIsBelieved) {
  Issue("r-1");
  PutPolicy(Policy("block"));
  for (int i = 0; i < 10; ++i) review_->Step({});
  clock_.believed = false;
  Round();
  EXPECT_EQ(store_->asked_for, 0);
  EXPECT_THAT(Told(), IsEmpty());
  clock_.believed = true;
  Round();
  EXPECT_THAT(Told(), SizeIs(1));
  // Nobody there, nobody harmed.
  for (int i = 0; i < 10; ++i) review_->Step({"tailspin"});
}

TEST_F(HolderReviewTest, WhoComesBackSoonGoesOnAndWhoDoesNotBeginsAnew) {
  Issue("r-1");
  Step();
  clock_.now += minutes(1);
  PutPolicy(Policy("block"));
  review_->Step({});
  EXPECT_THAT(Told(), ElementsAre("laptop-1: block")) << "though nobody watches just now";
  clock_.now += minutes(1);
  Issue("r-2");
  for (int i = 0; i <= limits_.steps_between; ++i) review_->Step({});
  const int asked_for = store_->asked_for;
  for (int i = 0; i < 10; ++i) review_->Step({});
  EXPECT_EQ(store_->asked_for, asked_for);
}

TEST_F(HolderReviewTest, AStepIsBoundedAndTheNextGoesOn) {
  limits_.most_certificates = 2;
  BeginAgain();
  for (int i = 0; i < 5; ++i)
    Issue(absl::StrCat("r-", i), kAccessToken, absl::StrCat("laptop-", i));
  PutPolicy(Policy("block"));
  Step(limits_.steps_between);
  EXPECT_THAT(Told(), SizeIs(2));
  EXPECT_EQ(store_->asked_for, 2);
  Step();
  EXPECT_THAT(Told(), SizeIs(4));
  Step(2);
  EXPECT_THAT(Told(), SizeIs(5));
}

TEST_F(HolderReviewTest, WhatFailsIsSaidOnceAndTriedAgain) {
  Issue("r-1");
  PutPolicy(Policy("block"));
  store_->fails = true;
  Round();
  Round();
  store_->fails = false;
  Round();
  Round();
  EXPECT_THAT(Told(), SizeIs(1));
  review_.reset();
  std::vector<LoggedLine> lines = log_.Take();
  ASSERT_THAT(lines, AllOf(SizeIs(testing::Ge(1)), SizeIs(Le(2))));
  EXPECT_EQ(lines[0]["event"], "holders_not_reviewed");
}

}  // namespace
}  // namespace hourglass::issuance
