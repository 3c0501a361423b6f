#include "issuance/compliance/remote_stub.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "issuance/log/testing/captured_log.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/manual_clock.h"

namespace hourglass::issuance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

// A compliance service on a loopback port: allows, or answers with an error.
class Server final : public v1::ComplianceService::Service {
 public:
  // Port 0 takes a free one.
  explicit Server(int port = 0) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~Server() override { Stop(); }

  grpc::Status Evaluate(grpc::ServerContext* context, const v1::EvaluateRequest*,
                        v1::Verdict* verdict) override {
    ++asked;
    if (hangs) {
      called.set_value();
      while (!context->IsCancelled()) std::this_thread::yield();
    }
    verdict->mutable_allow();
    return grpc::Status(code.load(), "the server's words");
  }

  void Stop() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_ = nullptr;
  }
  int port() const { return port_; }

  std::atomic<int> asked = 0;
  std::atomic<grpc::StatusCode> code = grpc::StatusCode::OK;
  std::atomic<bool> hangs = false;
  std::promise<void> called;  // with hangs

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class RemoteStubTest : public testing::Test {
 protected:
  void Connect(int port) {
    grpc::ChannelArguments arguments;
    // A test waits for no longer than it must.
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
    RemoteComplianceOptions options;
    options.circuit = {.failures = 3, .open_for = seconds(2)};
    options.deadline = seconds(2);
    options.now = [this] { return CircuitBreaker::Time(now_.load()); };
    stub_ = RemoteComplianceStub(
        v1::ComplianceService::NewStub(grpc::CreateCustomChannel(
            absl::StrCat("localhost:", port), grpc::InsecureChannelCredentials(), arguments)),
        options, *log_.log(), &wall_, &counts_);
  }

  grpc::Status Ask(const std::string& tenant = "contoso", milliseconds within = seconds(60)) {
    v1::EvaluateRequest request;
    request.set_tenant_id(tenant);
    v1::Verdict verdict;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + within);
    return stub_->Evaluate(&context, request, &verdict);
  }

  // What was logged, by event, and of which tenant. Nobody can be asked afterwards.
  std::vector<std::pair<std::string, std::string>> Logged() {
    stub_ = nullptr;
    std::vector<std::pair<std::string, std::string>> events;
    for (LoggedLine& line : log_.Take()) events.emplace_back(line["event"], line["tenant"]);
    return events;
  }

  CapturedLog log_;
  ManualClock wall_;
  ComplianceCounts counts_;
  std::atomic<CircuitBreaker::Time::duration> now_ = CircuitBreaker::Time::duration(seconds(1000));
  std::unique_ptr<v1::ComplianceService::StubInterface> stub_;
};

TEST_F(RemoteStubTest, HandsOnVerdictsAndErrors) {
  Server server;
  Connect(server.port());
  EXPECT_THAT(Ask(), Succeeded());
  server.code = grpc::StatusCode::NOT_FOUND;
  const grpc::Status status = Ask();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "the server's words");
  EXPECT_EQ(counts_.answered, 1u);
  EXPECT_EQ(counts_.failed, 1u);
  EXPECT_THAT(Logged(), IsEmpty());
}

TEST_F(RemoteStubTest, WaitsForAConnectionThatWasNeverMade) {
  const int port = Server().port();
  Connect(port);
  auto answer = std::async(std::launch::async, [this] { return Ask(); });
  while (counts_.asked_again == 0) std::this_thread::yield();
  const Server server(port);
  EXPECT_THAT(answer.get(), Succeeded());
  EXPECT_EQ(server.asked, 1);
  EXPECT_EQ(counts_.asked_again, 1u);
  EXPECT_EQ(counts_.answered, 1u);
}

TEST_F(RemoteStubTest, WaitsForAConnectionNoLongerThanTheDeadlineAndSaysWhyThereWasNone) {
  Connect(Server().port());
  const grpc::Status status = Ask("contoso", milliseconds(200));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("refused"));
  EXPECT_EQ(counts_.asked_again, 1u);
}

// An answer may have been on its way.
TEST_F(RemoteStubTest, WhatWasSentIsNotSentAgain) {
  Server server;
  server.hangs = true;
  Connect(server.port());
  auto answer = std::async(std::launch::async, [this] { return Ask(); });
  server.called.get_future().wait();
  server.Stop();
  EXPECT_FALSE(answer.get().ok());
  EXPECT_EQ(server.asked, 1);
  EXPECT_EQ(counts_.asked_again, 0u);
}

TEST_F(RemoteStubTest, AnErrorIsNotAskedAboutAgain) {
  for (int code = 1; code <= 16; ++code) {
    Server server;
    server.code = static_cast<grpc::StatusCode>(code);
    Connect(server.port());
    EXPECT_EQ(Ask().error_code(), code);
    EXPECT_EQ(server.asked, 1) << code;
  }
  EXPECT_EQ(counts_.asked_again, 0u);
}

TEST_F(RemoteStubTest, AfterFailuresInARowATenantIsRefusedAtOnceAndOthersAreAsked) {
  Server server;
  Connect(server.port());
  server.code = grpc::StatusCode::INTERNAL;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask().error_code(), grpc::StatusCode::INTERNAL);
  const grpc::Status refused = Ask();
  EXPECT_THAT(refused, RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ErrorDetailOf(refused)->retry_delay().seconds(), 2);
  EXPECT_EQ(server.asked, 3);
  EXPECT_EQ(counts_.not_asked, 1u);
  EXPECT_EQ(counts_.open, 1u);
  ASSERT_EQ(counts_.circuits.List().size(), 1u);
  EXPECT_EQ(counts_.circuits.List()[0].tenant_id, "contoso");
  EXPECT_EQ(counts_.circuits.List()[0].since, wall_.Now());
  EXPECT_EQ(counts_.circuits.List()[0].failure, "gRPC status 13: the server's words");

  server.code = grpc::StatusCode::OK;
  EXPECT_THAT(Ask("fabrikam"), Succeeded());
  EXPECT_THAT(Ask(), RefusedWith(v1::COMPLIANCE_UNAVAILABLE));

  now_ = now_.load() + seconds(2);
  EXPECT_THAT(Ask(), Succeeded());
  EXPECT_THAT(Ask(), Succeeded());
  EXPECT_EQ(counts_.open, 0u);
  EXPECT_THAT(counts_.circuits.List(), IsEmpty());
  EXPECT_EQ(counts_.opened, 1u);
  EXPECT_THAT(Logged(),
              testing::ElementsAre(testing::Pair("compliance_circuit_opened", "contoso"),
                                   testing::Pair("compliance_circuit_closed", "contoso")));
}

TEST_F(RemoteStubTest, OneProbeAtATime) {
  Server server;
  Connect(server.port());
  server.code = grpc::StatusCode::UNAVAILABLE;
  for (int i = 0; i < 3; ++i) Ask();
  server.code = grpc::StatusCode::OK;
  now_ = now_.load() + seconds(2);
  server.hangs = true;
  auto probe = std::async(std::launch::async, [this] { return Ask("contoso", seconds(2)); });
  server.called.get_future().wait();
  EXPECT_THAT(Ask(), RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  EXPECT_EQ(probe.get().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(server.asked, 4);
}

TEST_F(RemoteStubTest, ErrorsThatSpeakOfTheQuestionOpenNothing) {
  Server server;
  Connect(server.port());
  for (const grpc::StatusCode code :
       {grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::PERMISSION_DENIED,
        grpc::StatusCode::NOT_FOUND, grpc::StatusCode::FAILED_PRECONDITION}) {
    server.code = code;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask().error_code(), code);
  }
  EXPECT_EQ(counts_.opened, 0u);
}

// A caller who cannot wait says nothing of the service.
TEST_F(RemoteStubTest, WhoHasNoTimeOpensNothing) {
  Server server;
  Connect(server.port());
  ASSERT_THAT(Ask(), Succeeded());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Ask("contoso", milliseconds(-1)).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  EXPECT_EQ(counts_.opened, 0u);
  EXPECT_THAT(Ask(), Succeeded());
}

}  // namespace
}  // namespace hourglass::issuance
