// A tenant with a primary root, a store that a test can interrupt, and the pipeline over them.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_TESTING_PIPELINE_FIXTURE_H_
#define HOURGLASS_ISSUANCE_PIPELINE_TESTING_PIPELINE_FIXTURE_H_

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/v1/compliance.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/store/key_store.h"
#include "issuance/compliance/question.h"
#include "issuance/pipeline/pipeline.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/wire/proto_time.h"
#include "tests/support/manual_clock.h"
#include "tests/support/pkcs10.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {

// What a write to the store is refused with for which there is no room.
inline const absl::Status kDiskFull =
    Error(ErrorReason::kJournalUnavailable, "", "the disk is full");

// Lets a test step in before each write of a kind.
class InterruptibleStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::StatusOr<std::vector<absl::Status>> AppendToJournal(
      absl::Span<const JournalWrite> writes) override {
    const bool is_release = std::holds_alternative<Release>(writes.front());
    std::function<absl::Status()>& interruption = is_release ? before_release : before_intent;
    if (interruption) {
      const absl::Status status = std::exchange(interruption, nullptr)();
      if (!status.ok()) return status;
    }
    return ForwardingStore::AppendToJournal(writes);
  }

  // Called once; an error takes the place of the write.
  std::function<absl::Status()> before_intent;
  std::function<absl::Status()> before_release;
};

// Allows, but for some devices.
class ScriptedVerdicts final : public v1::ComplianceService::Service {
 public:
  explicit ScriptedVerdicts(const Clock* clock) : clock_(clock) {}
  grpc::Status Evaluate(grpc::ServerContext*, const v1::EvaluateRequest* request,
                        v1::Verdict* verdict) override {
    if (on_question) on_question(*request);
    const std::lock_guard lock(mutex_);
    questions.push_back(*request);
    verdict->set_verdict_id("verdict-" + std::to_string(questions.size()));
    NameQuestion(*request, verdict);
    verdict->set_policy_version("1");
    *verdict->mutable_evaluated_at() = ToProto(clock_->Now());
    if (denied_devices.contains(request->device_id())) {
      v1::DenyReason* reason = verdict->mutable_deny()->add_reasons();
      reason->set_setting("disk_encryption.enabled");
      reason->set_message("disk encryption is off");
    } else {
      verdict->mutable_allow();
    }
    if (on_answer) on_answer(verdict);
    return grpc::Status::OK;
  }

  std::vector<v1::EvaluateRequest> questions;
  std::set<std::string> denied_devices;
  std::function<void(const v1::EvaluateRequest&)> on_question;
  std::function<void(v1::Verdict*)> on_answer;  // of one thread at a time

 private:
  const Clock* const clock_;
  std::mutex mutex_;
};

class PipelineTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(sqlite_, OpenSqliteStore(directory_.File("store.sqlite")));
    store_.emplace(sqlite_.get());
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    ASSERT_EQ(mkdir(options.software_directory.c_str(), 0700), 0);
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(options));
    grpc::ServerBuilder builder;
    builder.RegisterService(&verdicts_);
    server_ = builder.BuildAndStart();
    compliance_.emplace(
        v1::ComplianceService::NewStub(server_->InProcessChannel(grpc::ChannelArguments())),
        ComplianceClientOptions(), &clock_);
    journal_.emplace(&*store_, &*store_);
    tenants_.emplace(&*store_, keys_.get(), IssuingConfig(),
                     std::map<std::string, IssuingConfig>());
    roots_.emplace(&*store_, keys_.get(), &*tenants_, &entropy_, &clock_);
    pipeline_.emplace(&*tenants_, &*compliance_, &*journal_, &entropy_, &clock_);
    broker_.name = "broker";
    broker_.roles = {Role::kBroker};
    broker_.tenants = {"contoso"};

    TenantRecord tenant;
    tenant.tenant_id = "contoso";
    tenant.display_name = "Contoso";
    tenant.created_at = clock_.Now();
    ASSERT_OK(store_->CreateTenant(tenant));
    MakePrimary();
    request_.set_tenant_id("contoso");
    request_.mutable_user()->set_upn("alice@contoso.example");
    request_.set_device_id("laptop-1");
    request_.set_request_id("request-1");
    request_.set_pkcs10(MakeEcPkcs10());
  }

  RootRecord MakePrimary(const std::string& tenant_id = "contoso") {
    RootOrder order;
    order.tenant_id = tenant_id;
    order.duration = std::chrono::hours(24 * 365);
    order.key_type = hsm::KeyType::kEcP256;
    auto root = roots_->Create(order);
    EXPECT_OK(root);
    auto promoted = roots_->Promote(
        {.tenant_id = tenant_id, .root_id = root->root_id, .without_relying_parties = true});
    EXPECT_OK(promoted);
    return *promoted;
  }

  IssueOutcome Issue() { return pipeline_->Issue(broker_, request_); }

  std::vector<JournalRecord> Recorded() {
    auto page = store_->ListJournal("contoso", {}, 100, "");
    EXPECT_OK(page);
    return page->records;
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  SystemEntropy entropy_;
  ScriptedVerdicts verdicts_{&clock_};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Store> sqlite_;
  std::optional<InterruptibleStore> store_;
  std::unique_ptr<hsm::KeyStore> keys_;
  std::optional<ComplianceClient> compliance_;
  std::optional<GroupCommit> journal_;
  std::optional<Tenants> tenants_;
  std::optional<RootAdministration> roots_;
  std::optional<Pipeline> pipeline_;
  Caller broker_;
  v1::IssueCertificateRequest request_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_TESTING_PIPELINE_FIXTURE_H_
