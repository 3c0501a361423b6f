// Streams of requests as their client's log has them, of a service in this process.
#include "tests/chaos/request_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/base/clock.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/timekeeping/kernel_time.h"
#include "tests/history/checker.h"
#include "tests/history/history_folder.h"
#include "tests/history/service/store_history.h"
#include "tests/support/service_in_process.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::chaos {
namespace {

using history::Received;
using history::Refused;
using history::Unanswered;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using testing::VariantWith;

constexpr char kTenant[] = "contoso";

std::vector<std::string> IdsOf(const std::vector<history::IssueCall>& calls) {
  std::vector<std::string> ids;
  for (const history::IssueCall& call : calls) ids.push_back(call.request_id);
  return ids;
}

class RequestStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_.File(history::kClientsFolder));
    ASSERT_OK_AND_ASSIGN(
        recorder_,
        history::Recorder::Open(
            folder_.File(absl::StrCat(history::kClientsFolder, "/broker", history::kLogSuffix)),
            "broker", &machine_, &clock_));
    request_ = service_.Request();
  }

  RequestStream Begin() {
    return RequestStream(*stub_, {request_, "here", recorder_.get(), std::chrono::seconds(60)});
  }

  // What the client's log says.
  std::vector<history::IssueCall> Recorded() {
    EXPECT_OK(recorder_->Close());
    const auto store =
        issuance::OpenSqliteStore(issuance::SqliteStorePath(service_.config().data_directory));
    const auto tenant = history::ReadTenantHistory(**store, kTenant);
    EXPECT_OK(tenant);
    EXPECT_OK(history::WriteJournal(folder_.path(), {*tenant}));
    auto read = history::ReadHistory(folder_.path());
    EXPECT_OK(read);
    history_ = *std::move(read);
    return history_.issuing;
  }

  ServiceInProcess service_;
  const std::unique_ptr<v1::CertificateIssuer::Stub> stub_ =
      service_.As<v1::CertificateIssuer>(kBroker);
  const TemporaryDirectory folder_;
  const issuance::LinuxKernelTime machine_{};
  const issuance::SystemClock clock_{};
  std::unique_ptr<history::Recorder> recorder_;
  v1::IssueCertificateRequest request_;
  history::History history_;
};

TEST_F(RequestStreamTest, RecordsEachRequestWithItsCertificate) {
  service_.MakeReady();
  RequestStream stream = Begin();
  for (const char* id : {"a", "b", "c"}) stream.Send(id);
  EXPECT_EQ(stream.under_way(), 3U);
  stream.EndRequests();
  std::map<std::string, std::string> received;
  while (const auto answer = stream.Receive()) {
    ASSERT_THAT(answer->outcome, VariantWith<Received>(testing::_));
    received[answer->request_id] = std::get<Received>(answer->outcome).certificate;
  }
  EXPECT_THAT(received, SizeIs(3));
  EXPECT_EQ(stream.under_way(), 0U);
  const RequestStream::End end = stream.Finish();
  EXPECT_THAT(end.unanswered, IsEmpty());
  EXPECT_EQ(end.fault, "");

  const std::vector<history::IssueCall> recorded = Recorded();
  EXPECT_THAT(IdsOf(recorded), UnorderedElementsAre("a", "b", "c"));
  for (const history::IssueCall& call : recorded) {
    ASSERT_THAT(call.outcome, VariantWith<Received>(testing::_));
    EXPECT_EQ(std::get<Received>(call.outcome).certificate, received[call.request_id]);
    EXPECT_EQ(call.call.tenant_id, kTenant);
    EXPECT_EQ(call.call.replica, "here");
    EXPECT_LE(call.call.sent, call.call.answered);
  }
  EXPECT_EQ(history_.tenants[0].certificates.size(), 3U);
}

TEST_F(RequestStreamTest, RecordsWhatIsRefused) {
  service_.CreateTenant();
  service_.ReportDevice(kTenant, "laptop-1", true);
  RequestStream stream = Begin();
  stream.Send("a");
  stream.EndRequests();
  const auto answer = stream.Receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(answer->outcome, VariantWith<Refused>(Field(&Refused::reason, "NO_PRIMARY_ROOT")));
  EXPECT_FALSE(stream.Receive().has_value());
  EXPECT_THAT(stream.Finish().unanswered, IsEmpty());
  const std::vector<history::IssueCall> recorded = Recorded();
  ASSERT_THAT(recorded, SizeIs(1));
  EXPECT_EQ(recorded[0].outcome, answer->outcome);
}

// Nobody knows what became of them: asked again, each has its one certificate.
TEST_F(RequestStreamTest, WhatAStreamThatIsCutLeavesMayBeAskedForAgain) {
  service_.MakeReady();
  std::size_t answered = 0;
  std::vector<RequestStream::Answer> unanswered;
  {
    RequestStream stream = Begin();
    for (int i = 0; i < 20; ++i) stream.Send(absl::StrCat("r-", i));
    ASSERT_TRUE(stream.Receive().has_value());
    ++answered;
    stream.Cut();
    while (stream.Receive().has_value()) ++answered;
    RequestStream::End end = stream.Finish();
    EXPECT_EQ(end.fault, "");
    unanswered = std::move(end.unanswered);
  }
  EXPECT_EQ(answered + unanswered.size(), 20U);
  for (const RequestStream::Answer& one : unanswered) {
    EXPECT_THAT(one.outcome, VariantWith<Unanswered>(Field(&Unanswered::code, "CANCELLED")));
  }
  RequestStream again = Begin();
  for (int i = 0; i < 20; ++i) again.Send(absl::StrCat("r-", i));
  again.EndRequests();
  while (const auto answer = again.Receive()) {
    EXPECT_THAT(answer->outcome, VariantWith<Received>(testing::_)) << answer->request_id;
  }
  EXPECT_THAT(again.Finish().unanswered, IsEmpty());

  EXPECT_THAT(Recorded(), SizeIs(40));
  EXPECT_EQ(history_.tenants[0].certificates.size(), 20U);
  EXPECT_TRUE(history_.logs_are_whole);
  for (const history::Violation& violation : history::Check(history_)) {
    ADD_FAILURE() << history::InWords(violation);
  }
}

TEST_F(RequestStreamTest, WhereNobodyIsThereAllIsUnanswered) {
  const auto nobody = v1::CertificateIssuer::NewStub(
      grpc::CreateChannel("127.0.0.1:1", grpc::InsecureChannelCredentials()));
  RequestStream stream(*nobody, {request_, "nobody", recorder_.get(), std::chrono::seconds(60)});
  stream.Send("a");
  stream.Send("b");
  EXPECT_FALSE(stream.Receive().has_value());
  const RequestStream::End end = stream.Finish();
  ASSERT_THAT(end.unanswered, SizeIs(2));
  EXPECT_EQ(end.fault, "");
  service_.CreateTenant();
  const std::vector<history::IssueCall> recorded = Recorded();
  EXPECT_THAT(IdsOf(recorded), UnorderedElementsAre("a", "b"));
  for (const history::IssueCall& call : recorded) {
    EXPECT_THAT(call.outcome, VariantWith<Unanswered>(Field(&Unanswered::code, "UNAVAILABLE")));
  }
}

}  // namespace
}  // namespace hourglass::chaos
