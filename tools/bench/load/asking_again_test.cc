// What load that asks again does and counts, beside an issuer that answers as it is told.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tools/bench/load/load_generator.h"

namespace hourglass::bench {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using Errors = std::map<std::string, std::uint64_t>;

// Refuses the first requests, so many, with this reason, and issues from then on. Answers nothing
// before Begin.
class RefusingIssuer final : public v1::CertificateIssuer::Service {
 public:
  RefusingIssuer(std::size_t refusals, ErrorReason reason) : refusals_(refusals), reason_(reason) {}

  void Begin() { begun_.Notify(); }

  grpc::Status IssueCertificate(grpc::ServerContext*, const v1::IssueCertificateRequest* request,
                                v1::IssueCertificateResponse* response) override {
    begun_.WaitForNotification();
    const std::lock_guard lock(mutex_);
    ids_.push_back(request->request_id());
    if (ids_.size() <= refusals_) {
      return issuance::ToGrpcStatus(Error(reason_, "request_id", "refused"));
    }
    response->set_certificate("certificate");
    return grpc::Status::OK;
  }

  std::vector<std::string> ids() const {
    const std::lock_guard lock(mutex_);
    return ids_;
  }

 private:
  const std::size_t refusals_;
  const ErrorReason reason_;
  absl::Notification begun_;
  mutable std::mutex mutex_;
  std::vector<std::string> ids_;
};

class AskingAgainTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(
        pool_, PreparedRequests::Make(
                   {.tenant_ids = {"contoso"}, .devices_per_tenant = 1, .keys = 1, .requests = 1}));
  }

  // Of a window that has all answers in it, until one is a certificate or more.
  LoadResult ResultOf(RefusingIssuer& issuer, LoadOptions options) {
    const TlsCredential own = tls_.Server();
    grpc::SslServerCredentialsOptions credentials;
    credentials.pem_key_cert_pairs.push_back(
        {ReadFileOrDie(own.private_key_file), ReadFileOrDie(own.certificate_file)});
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(credentials), &port);
    builder.RegisterService(&issuer);
    const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    const TlsCredential client = tls_.Client("URI:spiffe://contoso.example/broker");
    const LoadTarget target = {
        "127.0.0.1:" + std::to_string(port), ReadFileOrDie(tls_.trusted_roots_file()),
        ReadFileOrDie(client.certificate_file), ReadFileOrDie(client.private_key_file)};
    LoadResult result;
    // What belongs to a closed loop's window is known by when it was answered.
    options.arrivals = ClosedLoop{.outstanding = 1};
    options.connections = 1;
    auto load = StartLoad(target, pool_, options);
    EXPECT_OK(load);
    if (!load.ok()) return result;
    (*load)->Begin();
    issuer.Begin();
    while ((*load)->Certificates() == 0) std::this_thread::yield();
    result = (*load)->End();
    load->reset();
    server->Shutdown();
    return result;
  }

  MutualTls tls_;
  PreparedRequests pool_;
};

TEST_F(AskingAgainTest, ARefusalForAnotherPrimaryIsAskedAgainUnderANewId) {
  RefusingIssuer issuer(1, ErrorReason::kPrimaryChanged);
  const LoadResult result = ResultOf(issuer, {.asks_again = true});
  EXPECT_THAT(result.errors, IsEmpty()) << result.ErrorText();
  EXPECT_EQ(result.asked_again, 1u);
  EXPECT_GE(result.certificates, 1u);
  EXPECT_EQ(result.latencies.count(), result.certificates);
  const std::vector<std::string> ids = issuer.ids();
  EXPECT_THAT(std::set<std::string>(ids.begin(), ids.end()), SizeIs(ids.size()));
}

TEST_F(AskingAgainTest, RefusedASecondTimeItHasFailed) {
  RefusingIssuer issuer(2, ErrorReason::kPrimaryChanged);
  const LoadResult result = ResultOf(issuer, {.asks_again = true});
  EXPECT_EQ(result.asked_again, 1u);
  EXPECT_EQ(result.errors, (Errors{{"PRIMARY_CHANGED", 1}})) << result.ErrorText();
  EXPECT_GE(result.certificates, 1u);
}

TEST_F(AskingAgainTest, OnlyLoadThatIsToDoesSo) {
  RefusingIssuer issuer(1, ErrorReason::kPrimaryChanged);
  const LoadResult result = ResultOf(issuer, {});
  EXPECT_EQ(result.asked_again, 0u);
  EXPECT_EQ(result.errors, (Errors{{"PRIMARY_CHANGED", 1}})) << result.ErrorText();
}

TEST_F(AskingAgainTest, AnotherRefusalIsNotAskedAgain) {
  RefusingIssuer issuer(1, ErrorReason::kOverloaded);
  const LoadResult result = ResultOf(issuer, {.asks_again = true});
  EXPECT_EQ(result.asked_again, 0u);
  EXPECT_EQ(result.errors, (Errors{{"OVERLOADED", 1}})) << result.ErrorText();
}

TEST_F(AskingAgainTest, StreamsDoNot) {
  const auto code = [this](const LoadOptions& options) {
    return StartLoad({"127.0.0.1:1", "", "", ""}, pool_, options).status().code();
  };
  EXPECT_EQ(code({.transport = LoadTransport::kStream, .connections = 0, .asks_again = true}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.transport = LoadTransport::kConnectionEach,
                  .arrivals = ClosedLoop{.outstanding = 0},
                  .asks_again = true}),
            absl::StatusCode::kOk);
}

}  // namespace
}  // namespace hourglass::bench
