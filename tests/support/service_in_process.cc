#include "tests/support/service_in_process.h"

#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/clock.grpc.pb.h"
#include "issuance/wire/proto_time.h"

namespace hourglass {

ServiceInProcess::ServiceInProcess(const std::function<void(issuance::Config&)>& adjust)
    : log_(issuance::EventLog::Silent()) {
  const TlsCredential server = tls().Server();
  config_.listen = "127.0.0.1:0";
  config_.data_directory = directory_.File("data");
  mkdir(config_.data_directory.c_str(), 0700);
  config_.tls = {server.certificate_file, server.private_key_file, tls().trusted_roots_file()};
  config_.callers = TestCallers();
  config_.keys.software_directory = directory_.File("keys");
  mkdir(config_.keys.software_directory.c_str(), 0700);
  config_.compliance.policy_directory = directory_.File("policies");
  mkdir(config_.compliance.policy_directory.c_str(), 0700);
  WritePolicy("contoso", kTestPolicy);
  WritePolicy("fabrikam", kTestPolicy);
  if (adjust) adjust(config_);
  Start();
}

void ServiceInProcess::Start() {
  auto server = issuance::Server::Start(config_, &clock_, &machine_, &entropy_, &log_);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    std::abort();
  }
  server_ = *std::move(server);
  Connect(server_->address());
}

void ServiceInProcess::AcceptClock() {
  v1::AcceptClockRequest request;
  *request.mutable_time() = issuance::ToProto(clock_.Now());
  v1::Clock clock;
  grpc::ClientContext context;
  const grpc::Status status =
      As<v1::ClockService>(kAdministrator)->AcceptClock(&context, request, &clock);
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.error_message().c_str());
  std::abort();
}

void ServiceInProcess::Restart() {
  server_->Stop(std::chrono::seconds(30));
  server_.reset();
  Start();
}

void ServiceInProcess::WritePolicy(absl::string_view tenant_id, absl::string_view yaml) {
  directory_.Write(absl::StrCat("policies/", tenant_id, ".yaml"), yaml);
}

}  // namespace hourglass
