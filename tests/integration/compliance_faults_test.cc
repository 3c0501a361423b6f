// Whatever the compliance service does but allow this very request: nothing is issued (promise 2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "hourglass/v1/compliance.grpc.pb.h"
#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "issuance/compliance/question.h"
#include "issuance/wire/proto_time.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"

namespace hourglass {
namespace {

// A compliance service of its own, over mutual TLS, which answers as the test says.
class ScriptedCompliance final : public v1::ComplianceService::Service {
 public:
  enum class Answer {
    kAllow,
    kUnset,
    kDenyWithoutReasons,
    kOtherNonce,
    kOtherDevice,
    kStale,
    kNever,
    kError
  };

  ScriptedCompliance(const TlsCredential& credential, const std::string& trusted_roots_file,
                     const issuance::Clock* clock)
      : clock_(clock) {
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = ReadFileOrDie(trusted_roots_file);
    options.pem_key_cert_pairs.push_back(
        {ReadFileOrDie(credential.private_key_file), ReadFileOrDie(credential.certificate_file)});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~ScriptedCompliance() override { Stop(); }

  // Calls under way are cut off.
  void Stop() {
    stopped_.notify_all();
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_ = nullptr;
  }

  std::string endpoint() const { return "localhost:" + std::to_string(port_); }
  std::future<void> NextCall() { return (called_ = std::promise<void>()).get_future(); }
  void Say(Answer answer) { answer_ = answer; }

  grpc::Status Evaluate(grpc::ServerContext* context, const v1::EvaluateRequest* request,
                        v1::Verdict* verdict) override {
    verdict->set_verdict_id("verdict-1");
    issuance::NameQuestion(*request, verdict);
    verdict->set_policy_version("scripted");
    *verdict->mutable_evaluated_at() = issuance::ToProto(clock_->Now());
    switch (answer_.load()) {
      case Answer::kAllow:
        verdict->mutable_allow();
        break;
      case Answer::kUnset:
        break;
      case Answer::kDenyWithoutReasons:
        verdict->mutable_deny();
        break;
      case Answer::kOtherNonce:
        verdict->mutable_allow();
        verdict->set_nonce("another request's nonce");
        break;
      case Answer::kOtherDevice:
        verdict->mutable_allow();
        verdict->set_device_id("laptop-2");
        break;
      case Answer::kStale:
        verdict->mutable_allow();
        *verdict->mutable_evaluated_at() =
            issuance::ToProto(clock_->Now() - std::chrono::minutes(10));
        break;
      case Answer::kNever: {
        called_.set_value();
        std::unique_lock lock(mutex_);
        // Until the caller gives up or the test says otherwise; the time is only a bound.
        while (!context->IsCancelled() && answer_ == Answer::kNever) {
          stopped_.wait_for(lock, std::chrono::milliseconds(20));
        }
        verdict->mutable_allow();
        break;
      }
      case Answer::kError:
        return grpc::Status(grpc::StatusCode::INTERNAL, "scripted");
    }
    return grpc::Status::OK;
  }

 private:
  const issuance::Clock* const clock_;
  int port_ = 0;
  std::atomic<Answer> answer_ = Answer::kAllow;
  std::promise<void> called_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  std::unique_ptr<grpc::Server> server_;
};

using Answer = ScriptedCompliance::Answer;

class ComplianceFaultsTest : public testing::Test {
 protected:
  explicit ComplianceFaultsTest(const std::function<void(issuance::Config&)>& adjust = {})
      : credential_(tls_.Server()),
        compliance_(credential_, tls_.trusted_roots_file(), &clock_),
        service_([this, &adjust](issuance::Config& config) {
          const TlsCredential client = tls_.Client("URI:spiffe://contoso.example/hourglassd");
          config.compliance.policy_directory.clear();
          config.compliance.endpoint = compliance_.endpoint();
          config.compliance.tls = {client.certificate_file, client.private_key_file,
                                   tls_.trusted_roots_file()};
          config.compliance.deadline = std::chrono::milliseconds(1500);
          if (adjust) adjust(config);
        }) {
    service_.CreateTenant();
    service_.CreateRoot();
  }

  grpc::Status Issue() { return service_.Issue(service_.Request()); }

  issuance::SystemClock clock_;
  MutualTls tls_;
  TlsCredential credential_;
  ScriptedCompliance compliance_;
  ServiceInProcess service_;
};

TEST_F(ComplianceFaultsTest, AnAllowOfAServiceElsewhereIssues) {
  EXPECT_THAT(Issue(), Succeeded());
  EXPECT_EQ(service_.JournalSize(), 1);
}

TEST_F(ComplianceFaultsTest, MalformedAnswersIssueNothing) {
  ASSERT_THAT(Issue(), Succeeded());
  for (const Answer answer : {Answer::kUnset, Answer::kDenyWithoutReasons, Answer::kOtherNonce,
                              Answer::kOtherDevice, Answer::kStale}) {
    compliance_.Say(answer);
    const grpc::Status status = Issue();
    EXPECT_THAT(status, RefusedWith(v1::COMPLIANCE_ANSWER_INVALID));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  }
  EXPECT_EQ(service_.JournalSize(), 1);
  compliance_.Say(Answer::kAllow);
  EXPECT_THAT(Issue(), Succeeded());
}

TEST_F(ComplianceFaultsTest, ErrorsIssueNothing) {
  compliance_.Say(Answer::kError);
  EXPECT_THAT(Issue(), RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  EXPECT_EQ(service_.JournalSize(), 0);
}

TEST_F(ComplianceFaultsTest, ASlowServiceIssuesNothing) {
  compliance_.Say(Answer::kNever);
  auto called = compliance_.NextCall();
  EXPECT_THAT(Issue(), RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  called.wait();
  EXPECT_EQ(service_.JournalSize(), 0);
}

TEST_F(ComplianceFaultsTest, AServiceThatDiesInMidCallIssuesNothing) {
  compliance_.Say(Answer::kNever);
  auto called = compliance_.NextCall();
  auto issued = std::async(std::launch::async, [this] { return Issue(); });
  called.wait();
  compliance_.Stop();
  EXPECT_THAT(issued.get(), RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  EXPECT_EQ(service_.JournalSize(), 0);
}

TEST_F(ComplianceFaultsTest, AServiceThatIsDownIssuesNothing) {
  compliance_.Stop();
  EXPECT_THAT(Issue(), RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  EXPECT_EQ(service_.JournalSize(), 0);
}

class OpenCircuitTest : public ComplianceFaultsTest {
 protected:
  OpenCircuitTest()
      : ComplianceFaultsTest([](issuance::Config& config) {
          config.compliance.circuit = {.failures = 3, .open_for = std::chrono::milliseconds(200)};
        }) {}
};

TEST_F(OpenCircuitTest, AfterFailuresInARowItIsNotAskedForAWhileAndThenServesAgain) {
  compliance_.Say(Answer::kError);
  grpc::Status refused;
  do {
    refused = Issue();
    ASSERT_THAT(refused, RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  } while (!issuance::ErrorDetailOf(refused)->has_retry_delay());
  compliance_.Say(Answer::kAllow);
  grpc::Status status;
  do {
    status = Issue();
    if (status.ok()) break;
    ASSERT_THAT(status, RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  } while (true);
  EXPECT_EQ(service_.JournalSize(), 1);
}

// A worker that waits for its verdict as long as the test wants.
class BusyServiceTest : public ComplianceFaultsTest {
 protected:
  explicit BusyServiceTest(int workers)
      : ComplianceFaultsTest([workers](issuance::Config& config) {
          config.compliance.deadline = std::chrono::seconds(60);
          config.limits.workers = workers;
          config.limits.queue_length = 1;
        }) {
    compliance_.Say(Answer::kNever);
    auto called = compliance_.NextCall();
    waiting_ = IssueLater();
    called.wait();
  }
  ~BusyServiceTest() override { compliance_.Say(Answer::kAllow); }

  // `finished` is told the first status of those that share it.
  std::future<grpc::Status> IssueLater(std::function<void(const grpc::Status&)> finished = {}) {
    return std::async(
        std::launch::async, [stub = service_.As<v1::CertificateIssuer>(kBroker),
                             request = service_.Request(), finished = std::move(finished)] {
          v1::IssueCertificateResponse response;
          grpc::ClientContext context;
          const grpc::Status status = stub->IssueCertificate(&context, request, &response);
          if (finished) finished(status);
          return status;
        });
  }

  std::future<grpc::Status> waiting_;
};

class OneWorkerTest : public BusyServiceTest {
 protected:
  OneWorkerTest() : BusyServiceTest(1) {}
};

class TwoWorkersTest : public BusyServiceTest {
 protected:
  TwoWorkersTest() : BusyServiceTest(2) {}
};

TEST_F(OneWorkerTest, WhatTheQueueCannotHoldIsRefusedAtOnce) {
  std::promise<grpc::Status> first;
  std::atomic<bool> told = false;
  const auto tell = [&](const grpc::Status& status) {
    if (!told.exchange(true)) first.set_value(status);
  };
  // One waits in the queue; the other finds it full.
  std::vector<std::future<grpc::Status>> answers;
  for (int i = 0; i < 2; ++i) answers.push_back(IssueLater(tell));
  const grpc::Status refused = first.get_future().get();
  EXPECT_THAT(refused, RefusedWith(v1::OVERLOADED));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(issuance::ErrorDetailOf(refused)->has_retry_delay());

  compliance_.Say(Answer::kAllow);
  EXPECT_THAT(waiting_.get(), Succeeded());
  int issued = 0;
  for (std::future<grpc::Status>& answer : answers) issued += answer.get().ok();
  EXPECT_EQ(issued, 1);
  EXPECT_EQ(service_.JournalSize(), 2);
}

TEST_F(TwoWorkersTest, AStopFinishesWhatWaitsAndRefusesWhatComes) {
  auto stub = service_.As<v1::TrustBundleService>(kBroker);
  auto restarted = std::async(std::launch::async, [this] { service_.Restart(); });
  grpc::Status status;
  do {
    v1::GetTrustBundleRequest request;
    request.set_tenant_id("contoso");
    v1::TrustBundle bundle;
    grpc::ClientContext context;
    status = stub->GetTrustBundle(&context, request, &bundle);
  } while (status.ok());
  EXPECT_THAT(status, RefusedWith(v1::STOPPING));
  compliance_.Say(Answer::kAllow);
  EXPECT_THAT(waiting_.get(), Succeeded());
  restarted.get();
  EXPECT_EQ(service_.JournalSize(), 1);
}

}  // namespace
}  // namespace hourglass
