#include "issuance/compliance/blocks.h"

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hourglass/v1/devices.pb.h"
#include "issuance/compliance/callback_stub.h"
#include "issuance/compliance/compliance_client.h"
#include "issuance/compliance/embedded_stub.h"
#include "issuance/compliance/engine.h"
#include "issuance/compliance/guarded_stub.h"
#include "issuance/compliance/question.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "issuance/timekeeping/testing/doubted_clock.h"
#include "issuance/wire/proto_time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using Stub = v1::ComplianceService::StubInterface;
using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> InWords(const std::vector<v1::DenyReason>& reasons) {
  std::vector<std::string> words;
  for (const v1::DenyReason& reason : reasons) {
    words.push_back(reason.setting() + ": " + reason.message());
  }
  return words;
}

TEST(BlockReasonsTest, SayWhatIsBlockedAndWhy) {
  DecisionFacts facts;
  facts.device = SampleDevice("laptop-1");
  facts.user = SampleUser("u-1");
  EXPECT_THAT(BlockReasons(facts), IsEmpty());
  facts.device_block = SampleBlock(BlockRecord::Kind::kDevice, "laptop-1");
  facts.device_block->reason = "stolen on a train";
  EXPECT_THAT(InWords(BlockReasons(facts)),
              ElementsAre("device_blocked: this device is blocked: stolen on a train"));
  facts.user_block = SampleBlock(BlockRecord::Kind::kUser, "u-1");
  facts.user_block->reason = "on leave";
  facts.user_block->until = Timestamp(std::chrono::seconds(1767323045));
  facts.user->is_enabled = false;
  EXPECT_THAT(
      InWords(BlockReasons(facts)),
      ElementsAre("device_blocked: this device is blocked: stolen on a train",
                  "user_blocked: this user is blocked until 2026-01-02 03:04:05 UTC: on leave",
                  "user_disabled: the directory has this user's account disabled"));
}

// Stands for a service elsewhere: allows everything, and counts.
class AllowingStub final : public CallbackStub<Stub> {
 public:
  AllowingStub(const Clock* clock, int* asked) : clock_(clock), asked_(asked) {}

  void Ask(grpc::ClientContext*, const v1::EvaluateRequest* request, v1::Verdict* verdict,
           Done done) override {
    ++*asked_;
    verdict->set_verdict_id("elsewhere");
    NameQuestion(*request, verdict);
    *verdict->mutable_evaluated_at() = ToProto(clock_->Now());
    verdict->mutable_allow();
    done(grpc::Status::OK);
  }

 private:
  const Clock* const clock_;
  int* const asked_;
};

class FailingFactsStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<DecisionFacts> ReadDecisionFacts(const DecisionSubject& subject,
                                                  Timestamp now) override {
    ++reads;
    if (fails) return Error(ErrorReason::kJournalUnavailable, "", "the disk is gone");
    return ForwardingStore::ReadDecisionFacts(subject, now);
  }

  bool fails = false;
  int reads = 0;
};

// Both who may decide, over one store: the embedded engine, and a service elsewhere behind the
// guard.
class BlocksTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(inner_, OpenSqliteStore(directory_.File("store.db")));
    store_ = std::make_unique<FailingFactsStore>(inner_.get());
    std::filesystem::create_directory(directory_.File("policies"));
    directory_.Write("policies/contoso.yaml",
                     "version: v1\nreport_validity: 24h\ndisk_encryption: {enabled: true}\n");
    ASSERT_OK(store_->CreateTenant(SampleTenant()));
    ReportInOrder();
    engine_ =
        std::make_unique<ComplianceEngine>(directory_.File("policies"), store_.get(), &clock_);
    std::unique_ptr<DirectoryStub> stub =
        GetParam() ? EmbeddedComplianceStub(engine_.get())
                   : GuardedComplianceStub(std::make_unique<AllowingStub>(&clock_, &asked_),
                                           store_.get(), &clock_);
    client_ =
        std::make_unique<ComplianceClient>(std::move(stub), ComplianceClientOptions(), &clock_);
  }

  // As compliant as it can be.
  void ReportInOrder() {
    v1::DeviceState state;
    state.mutable_disk_encryption()->set_enabled(true);
    DeviceRecord device = SampleDevice("laptop-1");
    device.state = state.SerializeAsString();
    device.reported_at = clock_.now;
    ASSERT_OK(store_->PutDevice(device));
  }

  static ComplianceQuestion Question(const std::string& user_id = "",
                                     const std::string& upn = "alice@contoso.example",
                                     const std::string& device_id = "laptop-1") {
    // A certificate takes a UPN; administrators ask without.
    return {"contoso", user_id, upn, device_id, upn.empty() ? "" : std::string(32, 'k')};
  }

  // The settings that it is denied for; empty where it is allowed.
  std::vector<std::string> Denied(const ComplianceQuestion& question = Question()) {
    const absl::StatusOr<ComplianceVerdict> verdict = client_->Ask(question);
    EXPECT_OK(verdict);
    std::vector<std::string> settings;
    if (!verdict.ok()) return {"error"};
    for (const v1::DenyReason& reason : verdict->deny_reasons) settings.push_back(reason.setting());
    return settings;
  }

  void Block(BlockRecord::Kind kind, const std::string& subject,
             std::optional<Timestamp> until = std::nullopt) {
    BlockRecord block = SampleBlock(kind, subject);
    block.until = until;
    ASSERT_OK(store_->Block(block, {clock_.now, "cli", "stolen"}));
  }

  void PutUser(const std::string& id, const std::string& upn, bool is_enabled = true) {
    DirectoryUser user = SampleUser(id);
    user.upn = upn;
    user.is_enabled = is_enabled;
    ASSERT_OK(store_->PutUsers("contoso", {&user, 1}, {clock_.now, "cli", ""}));
  }

  TemporaryDirectory directory_;
  DoubtedClock clock_{SampleTime()};
  std::unique_ptr<Store> inner_;
  std::unique_ptr<FailingFactsStore> store_;
  std::unique_ptr<ComplianceEngine> engine_;
  int asked_ = 0;  // of the service elsewhere
  std::unique_ptr<ComplianceClient> client_;
};

TEST_P(BlocksTest, WhatIsNotBlockedIsForTheOthersToDecide) {
  EXPECT_THAT(Denied(), IsEmpty());
  EXPECT_EQ(asked_, GetParam() ? 0 : 1);
  Block(BlockRecord::Kind::kDevice, "laptop-2");
  Block(BlockRecord::Kind::kUser, "bob@contoso.example");
  EXPECT_THAT(Denied(), IsEmpty());
}

TEST_P(BlocksTest, ABlockedDeviceIsDeniedAtOnceAndNobodyIsAsked) {
  Block(BlockRecord::Kind::kDevice, "laptop-1");
  ASSERT_OK_AND_ASSIGN(const ComplianceVerdict verdict, client_->Ask(Question()));
  ASSERT_EQ(verdict.deny_reasons.size(), 1u);
  EXPECT_EQ(verdict.deny_reasons[0].setting(), "device_blocked");
  EXPECT_EQ(verdict.deny_reasons[0].message(), "this device is blocked: stolen");
  EXPECT_EQ(verdict.policy_version, "blocks");
  EXPECT_EQ(asked_, 0);
  // A fresh report is of no use.
  ReportInOrder();
  EXPECT_THAT(Denied(), ElementsAre("device_blocked"));
  ASSERT_OK(store_->Unblock("contoso", BlockRecord::Kind::kDevice, "laptop-1", {}));
  EXPECT_THAT(Denied(), IsEmpty());
}

TEST_P(BlocksTest, ADeviceIsBlockedWithoutAPolicyAndUnknown) {
  std::filesystem::remove(directory_.File("policies/contoso.yaml"));
  Block(BlockRecord::Kind::kDevice, "laptop-9");
  EXPECT_THAT(Denied(Question("", "alice@contoso.example", "laptop-9")),
              ElementsAre("device_blocked"));
}

TEST_P(BlocksTest, ABlockEndsByItself) {
  Block(BlockRecord::Kind::kDevice, "laptop-1", clock_.now + hours(1));
  EXPECT_THAT(Denied(), ElementsAre("device_blocked"));
  clock_.now += hours(1) - std::chrono::microseconds(1);
  EXPECT_THAT(Denied(), ElementsAre("device_blocked"));
  clock_.now += std::chrono::microseconds(1);
  EXPECT_THAT(Denied(), IsEmpty());
}

TEST_P(BlocksTest, AUserIsBlockedByHisUpnWhateverItsCase) {
  Block(BlockRecord::Kind::kUser, "ALICE@contoso.example");
  EXPECT_THAT(Denied(), ElementsAre("user_blocked"));
  EXPECT_THAT(Denied(Question("", "Alice@CONTOSO.example")), ElementsAre("user_blocked"));
  EXPECT_THAT(Denied(Question("u-1")), ElementsAre("user_blocked"));
  EXPECT_THAT(Denied(Question("", "bob@contoso.example")), IsEmpty());
}

TEST_P(BlocksTest, AUserIsBlockedByTheIdThatTheDirectoryHasForHisUpn) {
  Block(BlockRecord::Kind::kUser, "u-1");
  EXPECT_THAT(Denied(), IsEmpty()) << "nobody knows that alice is u-1";
  EXPECT_THAT(Denied(Question("u-1")), ElementsAre("user_blocked"));
  PutUser("u-1", "alice@contoso.example");
  EXPECT_THAT(Denied(), ElementsAre("user_blocked"));
}

TEST_P(BlocksTest, AUserIsBlockedByTheUpnThatTheDirectoryHasForHisId) {
  PutUser("u-1", "alice@contoso.example");
  Block(BlockRecord::Kind::kUser, "alice@contoso.example");
  EXPECT_THAT(Denied(Question("u-1", "alias@contoso.example")), ElementsAre("user_blocked"));
}

// The certificate has both names.
TEST_P(BlocksTest, WhoIsAskedForByTheNamesOfTwoIsJudgedAsBoth) {
  PutUser("u-1", "alice@contoso.example");
  PutUser("u-2", "bob@contoso.example", /*is_enabled=*/false);
  EXPECT_THAT(Denied(Question("u-1", "bob@contoso.example")), ElementsAre("user_disabled"));
  EXPECT_THAT(Denied(Question("u-9", "bob@contoso.example")), ElementsAre("user_disabled"));
  EXPECT_THAT(Denied(Question("u-1", "alice@contoso.example")), IsEmpty());
  Block(BlockRecord::Kind::kUser, "u-1");
  Block(BlockRecord::Kind::kUser, "u-2");
  EXPECT_THAT(Denied(Question("u-1", "bob@contoso.example")),
              ElementsAre("user_blocked", "user_disabled"));
}

TEST_P(BlocksTest, WhomTheDirectoryHasDisabledIsDenied) {
  PutUser("u-1", "alice@contoso.example", /*is_enabled=*/false);
  EXPECT_THAT(Denied(), ElementsAre("user_disabled"));
  EXPECT_THAT(Denied(Question("u-1", "")), ElementsAre("user_disabled"));
  PutUser("u-1", "alice@contoso.example");
  EXPECT_THAT(Denied(), IsEmpty());
}

TEST_P(BlocksTest, TheStoreIsReadOnceForWhoIsOnlyOne) {
  PutUser("u-1", "alice@contoso.example");
  for (const ComplianceQuestion& question :
       {Question(), Question("u-1", ""), Question("u-1"), Question("", "")}) {
    store_->reads = 0;
    EXPECT_THAT(Denied(question), IsEmpty());
    EXPECT_EQ(store_->reads, 1);
  }
  store_->reads = 0;
  EXPECT_THAT(Denied(Question("u-1", "alias@contoso.example")), IsEmpty());
  EXPECT_EQ(store_->reads, 2);
}

TEST_P(BlocksTest, NothingIsDecidedWithoutTheStoreOrTheClock) {
  store_->fails = true;
  EXPECT_THAT(client_->Ask(Question()), FailsWith(ErrorReason::kComplianceUnavailable));
  store_->fails = false;
  EXPECT_THAT(Denied(), IsEmpty());
  const int asked = asked_;
  clock_.believed = false;
  EXPECT_THAT(client_->Ask(Question()), FailsWith(ErrorReason::kComplianceUnavailable));
  EXPECT_EQ(asked_, asked);
}

TEST_P(BlocksTest, OneOfManyIsDenied) {
  Block(BlockRecord::Kind::kUser, "bob@contoso.example");
  const std::vector<ComplianceQuestion> questions = {
      Question(), Question("", "bob@contoso.example"), Question()};
  const auto verdicts = client_->AskAll(questions);
  ASSERT_EQ(verdicts.size(), 3u);
  EXPECT_TRUE(verdicts[0].value().allowed());
  EXPECT_FALSE(verdicts[1].value().allowed());
  EXPECT_TRUE(verdicts[2].value().allowed());
}

// In the read that finds blocks; and whoever answers, it is this service's directory that says it.
TEST_P(BlocksTest, TheDirectorySaysTheSidAndIsReadNoMoreForIt) {
  DirectoryUser user = SampleUser("u-1");
  user.upn = "bob@contoso.example";
  user.onprem_sid = "S-1-5-21-1-2-3-1105";
  ASSERT_OK(store_->PutUsers("contoso", {&user, 1}, {clock_.now, "cli", ""}));
  for (const char* user_id : {"", "u-1"}) {
    store_->reads = 0;
    ASSERT_OK_AND_ASSIGN(const ComplianceVerdict verdict,
                         client_->Ask(Question(user_id, "Bob@contoso.example")));
    EXPECT_TRUE(verdict.allowed());
    EXPECT_EQ(verdict.directory_sid, user.onprem_sid);
    EXPECT_EQ(store_->reads, 1);
  }
  for (const ComplianceQuestion& other :
       {Question(), Question("u-1"), Question("u-2", "bob@contoso.example")}) {
    ASSERT_OK_AND_ASSIGN(const ComplianceVerdict verdict, client_->Ask(other));
    EXPECT_EQ(verdict.directory_sid, "") << other.user_id << " " << other.user_upn;
  }
}

INSTANTIATE_TEST_SUITE_P(WhoeverDecides, BlocksTest, testing::Values(true, false),
                         [](const auto& is_embedded) {
                           return is_embedded.param ? "Embedded" : "Elsewhere";
                         });

// The other ways to call a stub.
TEST(GuardedStubTest, AnswersOrAsksHoweverItIsCalled) {
  TemporaryDirectory directory;
  const DoubtedClock clock{SampleTime()};
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                       OpenSqliteStore(directory.File("store.db")));
  ASSERT_OK(store->CreateTenant(SampleTenant()));
  ASSERT_OK(store->Block(SampleBlock(BlockRecord::Kind::kDevice, "laptop-1"), {}));
  int asked = 0;
  const std::unique_ptr<Stub> stub =
      GuardedComplianceStub(std::make_unique<AllowingStub>(&clock, &asked), store.get(), &clock);
  struct Reactor final : grpc::ClientUnaryReactor {
    void OnDone(const grpc::Status& given) override { status = given; }
    grpc::Status status{grpc::StatusCode::UNKNOWN, "not called"};
  };
  for (const char* device : {"laptop-1", "laptop-2"}) {
    const bool is_blocked = device == std::string("laptop-1");
    v1::EvaluateRequest request;
    request.set_tenant_id("contoso");
    request.set_device_id(device);
    request.set_nonce("0123456789abcdef");
    v1::Verdict verdict;
    grpc::ClientContext context;
    EXPECT_TRUE(stub->Evaluate(&context, request, &verdict).ok());
    EXPECT_EQ(verdict.has_deny(), is_blocked);
    EXPECT_EQ(verdict.nonce(), request.nonce());
    verdict.Clear();
    Reactor reactor;
    stub->async()->Evaluate(&context, &request, &verdict, &reactor);
    EXPECT_TRUE(reactor.status.ok());
    EXPECT_EQ(verdict.has_deny(), is_blocked);
  }
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace hourglass::issuance
