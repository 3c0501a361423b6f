#include "issuance/compliance/engine.h"

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "hourglass/v1/devices.pb.h"
#include "issuance/compliance/compliance_client.h"
#include "issuance/compliance/embedded_stub.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

constexpr char kPolicy[] = R"(version: v1
report_validity: 1h
remediation_url: https://h.example/vpn
disk_encryption: {enabled: true}
)";

// A real store, a folder of policies, and the engine over both.
class ComplianceEngineTest : public testing::Test {
 protected:
  ComplianceEngineTest() {
    std::filesystem::create_directory(directory_.File("policies"));
    directory_.Write("policies/contoso.yaml", kPolicy);
    auto store = OpenSqliteStore(directory_.File("store.db"));
    EXPECT_OK(store);
    store_ = *std::move(store);
    engine_ =
        std::make_unique<ComplianceEngine>(directory_.File("policies"), store_.get(), &clock_);
    for (const char* tenant : {"contoso", "fabrikam"}) {
      TenantRecord record;
      record.tenant_id = tenant;
      record.display_name = tenant;
      record.created_at = clock_.Now();
      EXPECT_OK(store_->CreateTenant(record));
    }
    Report("contoso", "laptop-1", true);
    Report("contoso", "laptop-2", false);
  }

  void Put(const std::string& tenant, const std::string& device, const std::string& state) {
    DeviceRecord record;
    record.tenant_id = tenant;
    record.device_id = device;
    record.state = state;
    record.reported_at = clock_.Now();
    record.reported_by = "test";
    ASSERT_OK(store_->PutDevice(record));
  }

  void Report(const std::string& tenant, const std::string& device, bool encrypted) {
    v1::DeviceState state;
    state.mutable_disk_encryption()->set_enabled(encrypted);
    Put(tenant, device, state.SerializeAsString());
  }

  static v1::EvaluateRequest Question(const std::string& device) {
    v1::EvaluateRequest request;
    request.set_tenant_id("contoso");
    request.set_user_upn("user@contoso.example");
    request.set_device_id(device);
    request.set_public_key_sha256(std::string(32, 'k'));
    request.set_nonce(std::string(16, 'n'));
    return request;
  }

  // The settings that the verdict denies for; fails the test if there is none.
  std::vector<std::string> Denied(const v1::EvaluateRequest& request) {
    const auto verdict = engine_->Evaluate(request);
    EXPECT_OK(verdict);
    if (!verdict.ok()) return {};
    EXPECT_EQ(verdict->outcome_case(), v1::Verdict::kDeny);
    std::vector<std::string> settings;
    for (const v1::DenyReason& reason : verdict->deny().reasons()) {
      EXPECT_NE(reason.message(), "");
      settings.push_back(reason.setting());
    }
    return settings;
  }

  bool Allowed(const v1::EvaluateRequest& request) {
    const auto verdict = engine_->Evaluate(request);
    EXPECT_OK(verdict);
    return verdict.ok() && verdict->outcome_case() == v1::Verdict::kAllow;
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<ComplianceEngine> engine_;
};

TEST_F(ComplianceEngineTest, AllowsACompliantDevice) {
  ASSERT_OK_AND_ASSIGN(const v1::Verdict verdict, engine_->Evaluate(Question("laptop-1")));
  EXPECT_EQ(verdict.outcome_case(), v1::Verdict::kAllow);
  EXPECT_EQ(verdict.nonce(), std::string(16, 'n'));
  EXPECT_THAT(verdict.policy_version(), StartsWith("v1 (sha256:"));
  EXPECT_EQ(FromProto(verdict.evaluated_at(), "").value(), clock_.Now());
  EXPECT_EQ(verdict.verdict_id().size(), 32u);
}

TEST_F(ComplianceEngineTest, EveryVerdictNamesWhomItIsFor) {
  for (const char* device : {"laptop-1", "laptop-2", "laptop-3"}) {
    v1::EvaluateRequest question = Question(device);
    question.set_user_id("u-1");
    ASSERT_OK_AND_ASSIGN(const v1::Verdict verdict, engine_->Evaluate(question));
    EXPECT_EQ(verdict.tenant_id(), question.tenant_id());
    EXPECT_EQ(verdict.user_id(), "u-1");
    EXPECT_EQ(verdict.user_upn(), question.user_upn());
    EXPECT_EQ(verdict.device_id(), device);
    EXPECT_EQ(verdict.public_key_sha256(), question.public_key_sha256());
  }
}

TEST_F(ComplianceEngineTest, DeniesWithReasonsAndRemediation) {
  ASSERT_OK_AND_ASSIGN(const v1::Verdict verdict, engine_->Evaluate(Question("laptop-2")));
  ASSERT_EQ(verdict.outcome_case(), v1::Verdict::kDeny);
  ASSERT_EQ(verdict.deny().reasons_size(), 1);
  EXPECT_EQ(verdict.deny().reasons(0).setting(), "disk_encryption.enabled");
  EXPECT_EQ(verdict.deny().reasons(0).message(), "disk encryption is off");
  EXPECT_EQ(verdict.deny().reasons(0).remediation_url(), "https://h.example/vpn");
  EXPECT_THAT(verdict.policy_version(), StartsWith("v1 (sha256:"));
}

// Of what the policy file has no page for, nor a block.
TEST_F(ComplianceEngineTest, TheTenantSaysHowToMendWhatNobodyElseDoes) {
  AccessConfig config;
  config.remediation_url = "https://h.example/desk";
  config.remediation_urls["device_blocked"] = "https://h.example/stolen";
  ComplianceEngine engine(directory_.File("policies"), store_.get(), &clock_, EventLog::Silent(),
                          {store_.get(), {{"contoso", config}}});
  BlockRecord block;
  block.tenant_id = "contoso";
  block.subject = "laptop-2";
  block.reason = "lost";
  ASSERT_OK_AND_ASSIGN(v1::Verdict verdict, engine.Evaluate(Question("laptop-2")));
  EXPECT_EQ(verdict.deny().reasons(0).remediation_url(), "https://h.example/vpn");
  ASSERT_OK(store_->Block(block, {clock_.Now(), "cli", "lost"}));
  ASSERT_OK_AND_ASSIGN(verdict, engine.Evaluate(Question("laptop-2")));
  EXPECT_EQ(verdict.deny().reasons(0).setting(), "device_blocked");
  EXPECT_EQ(verdict.deny().reasons(0).remediation_url(), "https://h.example/stolen");
  v1::EvaluateRequest fabrikam = Question("laptop-2");
  fabrikam.set_tenant_id("fabrikam");
  ASSERT_OK_AND_ASSIGN(verdict, engine.Evaluate(fabrikam));
  EXPECT_EQ(verdict.deny().reasons(0).remediation_url(), "");
}

TEST_F(ComplianceEngineTest, NoTwoVerdictsShareAnId) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.insert(engine_->Evaluate(Question("laptop-1")).value().verdict_id());
  }
  EXPECT_EQ(ids.size(), 1000u);
}

TEST_F(ComplianceEngineTest, DeniesUnknownDevices) {
  EXPECT_THAT(Denied(Question("laptop-3")), ElementsAre("device"));
  EXPECT_TRUE(Allowed(Question("laptop-1")));
  ASSERT_OK(store_->RemoveDevice("contoso", "laptop-1"));
  EXPECT_THAT(Denied(Question("laptop-1")), ElementsAre("device"));
}

TEST_F(ComplianceEngineTest, ADeviceOfAnotherTenantIsUnknown) {
  directory_.Write("policies/fabrikam.yaml", kPolicy);
  v1::EvaluateRequest question = Question("laptop-1");
  question.set_tenant_id("fabrikam");
  EXPECT_THAT(Denied(question), ElementsAre("device"));
  Report("fabrikam", "laptop-1", true);
  EXPECT_TRUE(Allowed(question));
}

TEST_F(ComplianceEngineTest, DeniesWithoutAReadablePolicy) {
  v1::EvaluateRequest question = Question("laptop-1");
  question.set_tenant_id("fabrikam");
  Report("fabrikam", "laptop-1", true);
  EXPECT_THAT(Denied(question), ElementsAre("policy"));

  EXPECT_TRUE(Allowed(Question("laptop-1")));
  directory_.Write("policies/contoso.yaml", "version: v2\n");
  ASSERT_OK_AND_ASSIGN(const v1::Verdict verdict, engine_->Evaluate(Question("laptop-1")));
  ASSERT_EQ(verdict.deny().reasons_size(), 1);
  EXPECT_EQ(verdict.deny().reasons(0).setting(), "policy");
  EXPECT_EQ(verdict.deny().reasons(0).message(), "the policy of this tenant cannot be read");
  EXPECT_EQ(verdict.policy_version(), "none");
}

TEST_F(ComplianceEngineTest, APolicyThatCouldNotBeReadGivesNoVerdict) {
  EXPECT_TRUE(Allowed(Question("laptop-1")));
  std::filesystem::rename(directory_.File("policies"), directory_.File("away"));
  EXPECT_THAT(engine_->Evaluate(Question("laptop-1")),
              FailsWith(ErrorReason::kComplianceUnavailable));
  ComplianceClient client(EmbeddedComplianceStub(engine_.get()), {}, &clock_);
  ComplianceQuestion question;
  question.tenant_id = "contoso";
  question.user_upn = "user@contoso.example";
  question.device_id = "laptop-1";
  question.public_key_sha256 = std::string(32, 'k');
  EXPECT_THAT(client.Ask(question), FailsWith(ErrorReason::kComplianceUnavailable));
}

TEST_F(ComplianceEngineTest, FollowsThePolicyFile) {
  EXPECT_TRUE(Allowed(Question("laptop-1")));
  directory_.Write("policies/contoso.yaml", "version: v2\nantivirus: {enabled: true}\n");
  EXPECT_THAT(Denied(Question("laptop-1")), ElementsAre("antivirus.enabled"));
}

TEST_F(ComplianceEngineTest, GivesNoVerdictOnAnOldReport) {
  clock_.Advance(std::chrono::hours(1));
  EXPECT_TRUE(Allowed(Question("laptop-1")));
  clock_.Advance(std::chrono::microseconds(1));
  EXPECT_THAT(Denied(Question("laptop-1")), ElementsAre("report_validity"));
  EXPECT_THAT(Denied(Question("laptop-2")), ElementsAre("report_validity"));
}

TEST_F(ComplianceEngineTest, RefusesUnsoundQuestions) {
  const auto refuses = [&](ErrorReason reason, const char* field, auto change) {
    v1::EvaluateRequest question = Question("laptop-1");
    change(question);
    EXPECT_THAT(engine_->Evaluate(question), FailsWith(reason, field));
  };
  using Q = v1::EvaluateRequest;
  const auto missing = ErrorReason::kFieldMissing;
  const auto invalid = ErrorReason::kFieldInvalid;
  refuses(missing, "tenant_id", [](Q& q) { q.clear_tenant_id(); });
  refuses(invalid, "tenant_id", [](Q& q) { q.set_tenant_id("../contoso"); });
  refuses(missing, "device_id", [](Q& q) { q.clear_device_id(); });
  refuses(invalid, "device_id", [](Q& q) { q.set_device_id("a b"); });
  refuses(invalid, "device_id", [](Q& q) { q.set_device_id(std::string(129, 'd')); });
  refuses(missing, "nonce", [](Q& q) { q.clear_nonce(); });
  refuses(invalid, "nonce", [](Q& q) { q.set_nonce(std::string(15, 'n')); });
  refuses(invalid, "nonce", [](Q& q) { q.set_nonce(std::string(65, 'n')); });
  refuses(invalid, "public_key_sha256", [](Q& q) { q.set_public_key_sha256("short"); });
  refuses(missing, "user_upn", [](Q& q) { q.clear_user_upn(); });

  Q dry = Question("laptop-1");
  dry.clear_public_key_sha256();
  dry.clear_user_upn();
  EXPECT_TRUE(Allowed(dry));
}

TEST_F(ComplianceEngineTest, ADamagedRecordGivesNoVerdict) {
  Put("contoso", "laptop-1", "\xff\xff\xff");
  EXPECT_THAT(engine_->Evaluate(Question("laptop-1")), FailsWith(ErrorReason::kJournalUnavailable));
}

// The way of every certificate request: the client, the interface that gRPC generates, the engine.
TEST_F(ComplianceEngineTest, AnswersTheClientThroughItsGrpcInterface) {
  ComplianceClient client(EmbeddedComplianceStub(engine_.get()), {}, &clock_);
  ComplianceQuestion question;
  question.tenant_id = "contoso";
  question.user_upn = "user@contoso.example";
  question.device_id = "laptop-1";
  question.public_key_sha256 = std::string(32, 'k');
  ASSERT_OK_AND_ASSIGN(const ComplianceVerdict allowed, client.Ask(question));
  EXPECT_TRUE(allowed.allowed());
  EXPECT_EQ(allowed.evaluated_at, clock_.Now());
  question.device_id = "laptop-2";
  ASSERT_OK_AND_ASSIGN(const ComplianceVerdict denied, client.Ask(question));
  ASSERT_EQ(denied.deny_reasons.size(), 1u);
  EXPECT_EQ(denied.deny_reasons[0].setting(), "disk_encryption.enabled");

  question.device_id = "";
  EXPECT_THAT(client.Ask(question), FailsWith(ErrorReason::kComplianceUnavailable));
  grpc::ClientContext context;
  v1::Verdict verdict;
  const grpc::Status status =
      EmbeddedComplianceStub(engine_.get())->Evaluate(&context, Question(""), &verdict);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ASSERT_TRUE(ErrorDetailOf(status).has_value());
  EXPECT_EQ(ErrorDetailOf(status)->reason(), v1::FIELD_MISSING);
  EXPECT_EQ(ErrorDetailOf(status)->field(), "device_id");
}

}  // namespace
}  // namespace hourglass::issuance
