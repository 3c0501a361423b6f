// Whatever the compliance service does but allow this very request: nothing is issued (promise 2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "hourglass/v1/compliance.grpc.pb.h"
#include "issuance/proto_time.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/test_service.h"

namespace hourglass {
namespace {

// A compliance service of its own, over mutual TLS, which answers as the test says.
class ScriptedCompliance final : public v1::ComplianceService::Service {
 public:
  enum class Answer { kAllow, kUnset, kDenyWithoutReasons, kOtherNonce, kStale, kNever, kError };

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
    verdict->set_nonce(request->nonce());
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
      case Answer::kStale:
        verdict->mutable_allow();
        *verdict->mutable_evaluated_at() =
            issuance::ToProto(clock_->Now() - std::chrono::minutes(10));
        break;
      case Answer::kNever: {
        called_.set_value();
        std::unique_lock lock(mutex_);
        // Until the caller or the test gives up; the time is only a bound.
        while (!context->IsCancelled()) stopped_.wait_for(lock, std::chrono::milliseconds(20));
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
  ComplianceFaultsTest()
      : credential_(tls_.Server()),
        compliance_(credential_, tls_.trusted_roots_file(), &clock_),
        service_([this](issuance::Config& config) {
          const TlsCredential client = tls_.Client("URI:spiffe://contoso.example/hourglassd");
          config.compliance.policy_directory.clear();
          config.compliance.endpoint = compliance_.endpoint();
          config.compliance.tls = {client.certificate_file, client.private_key_file,
                                   tls_.trusted_roots_file()};
          config.compliance.deadline = std::chrono::milliseconds(1500);
        }) {
    service_.CreateTenant();
    service_.CreateRoot();
  }

  grpc::Status Issue() { return service_.Issue(service_.Request()); }

  issuance::SystemClock clock_;
  MutualTls tls_;
  TlsCredential credential_;
  ScriptedCompliance compliance_;
  TestService service_;
};

TEST_F(ComplianceFaultsTest, AnAllowOfAServiceElsewhereIssues) {
  EXPECT_THAT(Issue(), Succeeded());
  EXPECT_EQ(service_.JournalSize(), 1);
}

TEST_F(ComplianceFaultsTest, MalformedAnswersIssueNothing) {
  ASSERT_THAT(Issue(), Succeeded());
  for (const Answer answer :
       {Answer::kUnset, Answer::kDenyWithoutReasons, Answer::kOtherNonce, Answer::kStale}) {
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

}  // namespace
}  // namespace hourglass
