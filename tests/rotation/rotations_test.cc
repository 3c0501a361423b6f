// Rotations in a row on simulated time, under load, with FreeRADIUS following through
// hourglass-bundle: a client certificate fresh from the service is never refused by the gateway.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/pem.h"
#include "hourglass/v1/rotation.grpc.pb.h"
#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "issuance/config/config.h"
#include "issuance/identity/caller.h"
#include "issuance/wire/status_detail.h"
#include "tests/relying_parties/openssl_ca.h"
#include "tests/relying_parties/radius_server.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/pkcs10.h"
#include "tests/support/service_in_process.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr char kGateway[] = "gateway";
constexpr char kUser[] = "alice@contoso.example";
// Only what is broken takes so long.
constexpr minutes kNever(2);

// How many rotations: tools/rotations says it.
int Rotations() {
  const char* const text = std::getenv("HOURGLASS_ROTATIONS");
  int rotations = 3;
  if (text != nullptr) {
    EXPECT_TRUE(absl::SimpleAtoi(text, &rotations)) << text;
  }
  return rotations;
}

void AddGateway(issuance::Config& config) {
  issuance::Caller& gateway = config.callers.emplace_back();
  gateway.name = kGateway;
  gateway.identity = "uri:spiffe://contoso.example/gateway";
  gateway.roles = {issuance::Role::kRelyingParty};
  gateway.tenants = {"contoso"};
}

// FreeRADIUS behind hourglass-bundle, whose hook restarts it: the hook asks through one named pipe,
// and goes on when it is told through another that the server is up.
class Gateway {
 public:
  Gateway(ServiceInProcess* service, const std::string& first_roots_pem)
      : service_(service), trusted_file_(directory_.File("roots.pem")) {
    directory_.Write("roots.pem", first_roots_pem);
    EXPECT_EQ(mkfifo(ask_.c_str(), 0600), 0);
    EXPECT_EQ(mkfifo(done_.c_str(), 0600), 0);
    Restart();
    restarter_ = std::thread([this] { ServeHook(); });
    Follow(first_roots_pem);
  }

  ~Gateway() {
    follower_.reset();
    stopping_ = true;
    // Wakes whoever waits for a hook.
    const int descriptor = open(ask_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    EXPECT_EQ(write(descriptor, "stop\n", 5), 5);
    restarter_.join();
    close(descriptor);
  }

  // The server anew, with the file that hourglass-bundle wrote, at the service's time.
  void Restart() {
    const std::lock_guard lock(mutex_);
    server_.reset();
    const auto shift = std::chrono::duration_cast<seconds>(service_->clock().Now() -
                                                           std::chrono::system_clock::now());
    auto server = RadiusServer::Start(ReadFileOrDie(trusted_file_), shift);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    ++restarts_;
  }

  void ExpectAccepted(const CertificateAndKey& credential, const std::string& when) {
    const std::lock_guard lock(mutex_);
    ASSERT_NE(server_, nullptr);
    const AccessAnswer answer = server_->Authenticate(kUser, credential);
    EXPECT_TRUE(answer.accepted) << when << ": " << answer.server_log << Log();
  }

  std::string Log() const { return follower_ == nullptr ? "" : follower_->Log(); }
  int restarts() const { return restarts_; }

  int RootsOnDisk() const {
    const std::string pem = ReadFileOrDie(trusted_file_);
    int roots = 0;
    for (std::size_t at = 0; (at = pem.find("BEGIN CERTIFICATE", at)) != std::string::npos; ++at) {
      ++roots;
    }
    return roots;
  }

 private:
  void Follow(const std::string& first_roots_pem) {
    const std::string config = directory_.Write("bundle.yaml", service_->ConfigOf(kGateway));
    const std::string hook = absl::StrCat("echo restart > ", ask_, " && read answer < ", done_,
                                          " && test \"$answer\" = up");
    follower_ = std::make_unique<BackgroundProcess>(
        std::vector<std::string>{"tools/bundle/hourglass-bundle", "sync", "--config", config,
                                 "--tenant", "contoso", "--trust",
                                 directory_.Write("first.pem", first_roots_pem), "--out",
                                 trusted_file_, "--on-change", hook},
        directory_.File("follower.log"));
  }

  void ServeHook() {
    for (;;) {
      const std::string asked = ReadPipe();
      if (stopping_) return;
      if (asked.empty()) continue;
      Restart();
      const int descriptor = open(done_.c_str(), O_WRONLY | O_CLOEXEC);
      EXPECT_EQ(write(descriptor, "up\n", 3), 3);
      close(descriptor);
    }
  }

  // Waits until somebody writes.
  std::string ReadPipe() const {
    const int descriptor = open(ask_.c_str(), O_RDONLY | O_CLOEXEC);
    char text[64];
    const ssize_t size = read(descriptor, text, sizeof(text));
    close(descriptor);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "";
  }

  ServiceInProcess* const service_;
  const TemporaryDirectory directory_;
  const std::string trusted_file_;
  const std::string ask_ = directory_.File("ask");
  const std::string done_ = directory_.File("done");
  std::atomic<bool> stopping_ = false;
  std::atomic<int> restarts_ = 0;
  std::mutex mutex_;  // the server
  std::unique_ptr<RadiusServer> server_;
  std::unique_ptr<BackgroundProcess> follower_;
  std::thread restarter_;
};

// Callers that ask without a pause. What a switch of the primary refuses is asked again, as brokers
// do; anything else that is refused is a failure.
class Load {
 public:
  explicit Load(ServiceInProcess* service)
      : stub_(service->As<v1::CertificateIssuer>(kBroker)), request_(service->Request()) {
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this, i] { Run(i); });
  }
  ~Load() { Stop(); }

  void Stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  int issued() const { return issued_; }
  std::vector<std::string> failures() const { return failures_; }

 private:
  void Run(int caller) {
    for (int i = 0; !stopping_; ++i) {
      v1::IssueCertificateRequest request = request_;
      request.set_request_id(absl::StrCat("load-", caller, "-", i));
      v1::IssueCertificateResponse response;
      grpc::ClientContext context;
      const grpc::Status status = stub_->IssueCertificate(&context, request, &response);
      const auto detail = issuance::ErrorDetailOf(status);
      if (status.ok()) {
        ++issued_;
      } else if (!detail.has_value() || detail->reason() != v1::PRIMARY_CHANGED) {
        const std::lock_guard lock(mutex_);
        failures_.push_back(status.error_message());
      }
    }
  }

  const std::unique_ptr<v1::CertificateIssuer::Stub> stub_;
  const v1::IssueCertificateRequest request_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> issued_ = 0;
  std::mutex mutex_;
  std::vector<std::string> failures_;
  std::vector<std::thread> threads_;
};

class RotationsTest : public testing::Test {
 protected:
  void SetUp() override {
    service_.CreateTenant();
    primary_ = service_.CreateRoot();
    v1::RegisterRelyingPartyRequest request;
    request.set_tenant_id("contoso");
    request.set_name("vpn-1");
    request.set_identity(kGateway);
    request.set_kind("freeradius");
    v1::RelyingParty party;
    grpc::ClientContext context;
    ASSERT_THAT(service_.As<v1::RotationService>(kAdministrator)
                    ->RegisterRelyingParty(&context, request, &party),
                Succeeded());
    service_.ReportDevice("contoso", "laptop-1", true);
  }

  CertificateAndKey Issue() {
    const TemporaryDirectory directory;
    const std::string key = directory.File("key.pem"), csr = directory.File("csr.der");
    const CommandResult made = RunCommand({"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                                           "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                                           "-outform", "DER", "-out", csr, "-subj", "/CN=ignored"});
    EXPECT_EQ(made.exit_code, 0) << made.output;
    v1::IssueCertificateRequest request = service_.Request();
    request.set_pkcs10(ReadFileOrDie(csr));
    v1::IssueCertificateResponse response;
    EXPECT_THAT(service_.Issue(request, &response), Succeeded());
    return {ca::EncodePem(ca::kCertificateLabel, response.certificate()), ReadFileOrDie(key)};
  }

  // The gate opens by itself once the gateway has acknowledged the root.
  void PromoteWhenAcknowledged(const std::string& root_id, Gateway& gateway) {
    v1::PromoteRootRequest request;
    request.set_tenant_id("contoso");
    request.set_root_id(root_id);
    const auto stub = service_.As<v1::RootService>(kAdministrator);
    const auto end = std::chrono::steady_clock::now() + kNever;
    for (;;) {
      v1::Root root;
      grpc::ClientContext context;
      const grpc::Status status = stub->PromoteRoot(&context, request, &root);
      if (status.ok()) return;
      ASSERT_THAT(status, RefusedWith(v1::PROMOTION_BLOCKED));
      ASSERT_LT(std::chrono::steady_clock::now(), end) << gateway.Log();
    }
  }

  void WaitUntilTheGatewayHas(int roots, const Gateway& gateway) {
    const auto end = std::chrono::steady_clock::now() + kNever;
    v1::GetRotationRequest request;
    request.set_tenant_id("contoso");
    const auto stub = service_.As<v1::RotationService>(kAdministrator);
    for (;;) {
      v1::Rotation rotation;
      grpc::ClientContext context;
      ASSERT_THAT(stub->GetRotation(&context, request, &rotation), Succeeded());
      ASSERT_EQ(rotation.relying_parties_size(), 1);
      const std::uint64_t acknowledged = rotation.relying_parties(0).acknowledged_version();
      if (acknowledged == rotation.bundle_version() && gateway.RootsOnDisk() == roots) return;
      ASSERT_LT(std::chrono::steady_clock::now(), end) << gateway.Log();
    }
  }

  void Retire(const std::string& root_id) {
    v1::MoveRootRequest request;
    request.set_tenant_id("contoso");
    request.set_root_id(root_id);
    request.set_destroy_key(true);
    v1::Root root;
    grpc::ClientContext context;
    ASSERT_THAT(service_.As<v1::RootService>(kAdministrator)->RetireRoot(&context, request, &root),
                Succeeded());
  }

  ServiceInProcess service_{AddGateway};
  v1::Root primary_;
};

TEST_F(RotationsTest, NoFreshCertificateIsEverRefused) {
  Gateway gateway(&service_, ca::EncodePem(ca::kCertificateLabel, primary_.certificate()));
  WaitUntilTheGatewayHas(1, gateway);
  gateway.ExpectAccepted(Issue(), "before the first rotation");
  Load load(&service_);
  const int rotations = Rotations();
  for (int rotation = 1; rotation <= rotations && !HasFailure(); ++rotation) {
    const std::string of = absl::StrCat("rotation ", rotation);
    const v1::Root next = service_.CreateRoot("contoso", false);
    gateway.ExpectAccepted(Issue(), of + ", staged");
    PromoteWhenAcknowledged(next.root_id(), gateway);
    gateway.ExpectAccepted(Issue(), of + ", promoted");
    WaitUntilTheGatewayHas(2, gateway);
    // The last leaf of the old root ends. Time moves for the gateway as well.
    service_.clock().Advance(minutes(66));
    gateway.Restart();
    service_.ReportDevice("contoso", "laptop-1", true);
    Retire(primary_.root_id());
    WaitUntilTheGatewayHas(1, gateway);
    gateway.ExpectAccepted(Issue(), of + ", the old root retired");
    primary_ = next;
  }
  load.Stop();
  EXPECT_THAT(load.failures(), testing::IsEmpty());
  EXPECT_GT(load.issued(), rotations);
  EXPECT_GE(gateway.restarts(), 1 + 3 * rotations);
  std::printf("%d rotations, %d certificates meanwhile, %zu failures, %d restarts\n", rotations,
              load.issued(), load.failures().size(), gateway.restarts());
}

}  // namespace
}  // namespace hourglass
