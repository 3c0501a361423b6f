// A service behind mutual TLS on a free port of the loopback, with a runner of calls, and who calls
// it.
#ifndef HOURGLASS_ISSUANCE_CALLS_TESTING_CALL_SERVER_H_
#define HOURGLASS_ISSUANCE_CALLS_TESTING_CALL_SERVER_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "issuance/calls/call_runner.h"
#include "issuance/log/testing/captured_log.h"
#include "tests/support/manual_clock.h"
#include "tests/support/service_client.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {

class CallServer : public ServiceClient {
 public:
  explicit CallServer(std::vector<Caller> callers)
      : callers_(CallerDirectory::Create(std::move(callers), &clock_).value()) {
    Limit({}, {});
  }
  ~CallServer() { Stop(); }

  // Makes the runner of calls anew, with these limits; nothing is served then.
  void Limit(const CallLimits& limits, const CallPoolOptions& options) {
    Stop();
    calls_.reset();
    pool_.emplace(options);
    calls_.emplace(&callers_, &*pool_, limits, &open_calls_, &failures_, log_.log());
  }

  // Which must outlive it, or Stop.
  void Serve(grpc::Service* service) {
    const TlsCredential own = tls().Server();
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = ReadFileOrDie(tls().trusted_roots_file());
    options.pem_key_cert_pairs = {
        {ReadFileOrDie(own.private_key_file), ReadFileOrDie(own.certificate_file)}};
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
    builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    Connect("127.0.0.1:" + std::to_string(port));
  }

  // When all calls have ended.
  void Stop() {
    if (server_ == nullptr) return;
    calls_->StopTakingCalls(std::chrono::hours(1));
    server_->Shutdown();
    server_.reset();
  }

  // A call of one message with these octets for it; `method` as `/hourglass.v1.SERVICE/METHOD`.
  grpc::Status Send(absl::string_view caller, const std::string& method,
                    const std::string& octets) {
    grpc::GenericStub stub(ChannelAs(caller));
    grpc::ClientContext context;
    const grpc::Slice slice(octets);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> answered;
    stub.UnaryCall(&context, method, grpc::StubOptions(), &request, &response,
                   [&](grpc::Status status) { answered.set_value(std::move(status)); });
    return answered.get_future().get();
  }

  CallRunner* calls() { return &*calls_; }
  ManualClock& clock() { return clock_; }
  const EventLog* log() { return log_.log(); }
  // While nobody calls.
  std::vector<LoggedLine> TakeLog() { return log_.Take(); }
  const IssuanceCounters& failures() const { return failures_; }

 private:
  ManualClock clock_;
  CapturedLog log_;
  OpenCalls open_calls_;
  IssuanceCounters failures_;
  CallerDirectory callers_;
  std::optional<CallPool> pool_;
  std::optional<CallRunner> calls_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_TESTING_CALL_SERVER_H_
