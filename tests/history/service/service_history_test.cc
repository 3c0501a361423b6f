// What clients of the service itself experience while its primary changes, recorded and judged: the
// records of the service are what the checker takes them for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/config/config.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/timekeeping/kernel_time.h"
#include "tests/history/checker.h"
#include "tests/history/history_folder.h"
#include "tests/history/recorder.h"
#include "tests/history/service/call_outcome.h"
#include "tests/history/service/store_history.h"
#include "tests/history/summary.h"
#include "tests/support/service_in_process.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::history {
namespace {

constexpr char kTenant[] = "contoso";
constexpr int kBrokers = 3;
constexpr int kPromotions = 6;
constexpr int kAnswersEach = 15;  // between two promotions

class ServiceHistoryTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_.File(kClientsFolder));
    service_.CreateTenant();
    service_.ReportDevice(kTenant, "laptop-1", true);
  }

  std::unique_ptr<Recorder> Record(const std::string& client) {
    auto recorder =
        Recorder::Open(folder_.File(absl::StrCat(kClientsFolder, "/", client, kLogSuffix)), client,
                       &machine_, &clock_);
    EXPECT_OK(recorder);
    return *std::move(recorder);
  }

  // Each request id is asked for twice, the second time by whoever comes first.
  void Ask(const std::string& client) {
    const auto recorder = Record(client);
    v1::IssueCertificateRequest request = request_;
    while (!stopping_) {
      request.set_request_id(absl::StrCat("r-", asked_++ / 2));
      IssueCall call;
      call.request_id = request.request_id();
      v1::IssueCertificateResponse response;
      grpc::ClientContext context;
      call.call = recorder->Begin(kTenant, service_.address());
      const grpc::Status status = brokers_->IssueCertificate(&context, request, &response);
      call.outcome = OutcomeOf(status, response);
      ASSERT_OK(recorder->Write(call));
      ++answers_;
    }
    ASSERT_OK(recorder->Close());
  }

  // What `act` answers is recorded. Each change has a time of its own.
  template <typename Act>
  v1::Root Change(Recorder& recorder, AdministrativeMethod method, const std::string& root_id,
                  const Act& act) {
    service_.clock().Advance(std::chrono::milliseconds(5));
    AdministrativeCall call;
    call.method = method;
    v1::Root root;
    grpc::ClientContext context;
    call.call = recorder.Begin(kTenant, service_.address());
    const grpc::Status status = act(*roots_, &context, &root);
    call.root_id = root_id.empty() ? root.root_id() : root_id;
    call.outcome = OutcomeOf(status, root);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_OK(recorder.Write(call));
    return root;
  }

  v1::Root Create(Recorder& recorder) {
    v1::CreateRootRequest request;
    request.set_tenant_id(kTenant);
    request.mutable_duration()->set_seconds(365 * 86400);
    request.set_key_type(v1::EC_P256);
    request.set_issuing_sub_keys(GetParam());
    return Change(recorder, AdministrativeMethod::kCreateRoot, "",
                  [&](auto& stub, auto* context, auto* root) {
                    return stub.CreateRoot(context, request, root);
                  });
  }

  void Promote(Recorder& recorder, const v1::Root& root) {
    const v1::PromoteRootRequest request = ServiceClient::PromotionOf(root);
    Change(recorder, AdministrativeMethod::kPromoteRoot, root.root_id(),
           [&](auto& stub, auto* context, auto* answer) {
             return stub.PromoteRoot(context, request, answer);
           });
  }

  void RollBack(Recorder& recorder, const v1::Root& root) {
    v1::RollBackRootRequest request;
    request.set_tenant_id(kTenant);
    request.set_root_id(root.root_id());
    Change(recorder, AdministrativeMethod::kRollBackRoot, root.root_id(),
           [&](auto& stub, auto* context, auto* answer) {
             return stub.RollBackRoot(context, request, answer);
           });
  }

  void WaitForAnswers() {
    for (const int enough = answers_ + kAnswersEach; answers_ < enough;) std::this_thread::yield();
  }

  void Administer() {
    const auto recorder = Record("administrator");
    v1::Root primary = Create(*recorder);
    Promote(*recorder, primary);
    std::vector<std::thread> brokers;
    for (int i = 0; i < kBrokers; ++i) {
      brokers.emplace_back([this, i] { Ask(absl::StrCat("broker-", i)); });
    }
    for (int i = 1; i < kPromotions; ++i) {
      WaitForAnswers();
      if (i % 3 == 0) {
        RollBack(*recorder, before_);
        std::swap(before_, primary);
      } else {
        before_ = primary;
        primary = Create(*recorder);
        Promote(*recorder, primary);
      }
    }
    WaitForAnswers();
    stopping_ = true;
    for (std::thread& broker : brokers) broker.join();
    EXPECT_OK(recorder->Close());
  }

  ServiceInProcess service_{[](issuance::Config& config) {
    if (GetParam()) config.issuing.sub_key.enabled = true;
  }};
  const std::unique_ptr<v1::RootService::Stub> roots_ =
      service_.As<v1::RootService>(kAdministrator);
  const std::unique_ptr<v1::CertificateIssuer::Stub> brokers_ =
      service_.As<v1::CertificateIssuer>(kBroker);
  const v1::IssueCertificateRequest request_ = service_.Request();
  const TemporaryDirectory folder_;
  const issuance::LinuxKernelTime machine_{};
  const issuance::SystemClock clock_{};
  v1::Root before_;
  std::atomic<int> asked_ = 0;
  std::atomic<int> answers_ = 0;
  std::atomic<bool> stopping_ = false;
};

TEST_P(ServiceHistoryTest, KeepsAllRules) {
  Administer();
  ASSERT_OK_AND_ASSIGN(
      const auto store,
      issuance::OpenSqliteStore(issuance::SqliteStorePath(service_.config().data_directory)));
  ASSERT_OK_AND_ASSIGN(const TenantHistory tenant, ReadTenantHistory(*store, kTenant));
  ASSERT_OK(WriteJournal(folder_.path(), {tenant}));
  ASSERT_OK_AND_ASSIGN(History history, ReadHistory(folder_.path()));

  const std::vector<Violation> violations = Check(history);
  const Summary summary = Summarize(history, violations);
  std::fputs(InWords(summary).c_str(), stdout);
  for (const Violation& violation : violations) ADD_FAILURE() << InWords(violation);
  EXPECT_EQ(summary.promotions, kPromotions);
  EXPECT_GT(summary.received, kPromotions * kAnswersEach / 2);
  EXPECT_GT(summary.received_again, 0);
  EXPECT_TRUE(summary.logs_are_whole);
  EXPECT_EQ(history.tenants[0].intermediates.empty(), !GetParam());

  // And what is lost is missed.
  history.tenants[0].actions.pop_back();
  history.tenants[0].certificates.pop_back();
  EXPECT_GE(Check(history).size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutSubKeys, ServiceHistoryTest, testing::Bool());

}  // namespace
}  // namespace hourglass::history
