#include "issuance/server/testing/test_service.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/pem.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/compliance/question.h"
#include "issuance/config/config.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/service_client.h"
#include "tests/support/service_in_process.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

// Longer than any machine is busy: what is scripted is the answer, not its delay.
constexpr std::chrono::seconds kComplianceDeadline(60);

constexpr char kTenant[] = "contoso";

absl::string_view NameOf(TestCaller caller) {
  switch (caller) {
    case TestCaller::kAdministrator:
      return kAdministrator;
    case TestCaller::kBroker:
      return kBroker;
    case TestCaller::kAuditor:
      return kAuditor;
    case TestCaller::kDeviceReporter:
      return kDeviceReporter;
    case TestCaller::kStranger:
      break;
  }
  return kStranger;
}

void DieUnless(bool succeeded, const std::string& what) {
  if (succeeded) return;
  std::fprintf(stderr, "TestService: %s\n", what.c_str());
  std::abort();
}

// A compliance service as any other: elsewhere, over mutual TLS.
class ScriptedCompliance final : public v1::ComplianceService::Service {
 public:
  explicit ScriptedCompliance(MutualTls& tls) {
    const TlsCredential credential = tls.Server();
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = ReadFileOrDie(tls.trusted_roots_file());
    options.pem_key_cert_pairs.push_back(
        {ReadFileOrDie(credential.private_key_file), ReadFileOrDie(credential.certificate_file)});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    DieUnless(server_ != nullptr, "the compliance service does not start");
  }

  // Returns when nothing is under way any more.
  void Stop() { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string endpoint() const { return absl::StrCat("localhost:", port_); }

  // Whose time verdicts are dated in; must stay until Stop.
  void DateBy(const Clock* clock) { clock_ = clock; }

  void AnswerBy(TestService::Script script) {
    const MutexLock lock(mutex_);
    script_ = std::move(script);
  }

  std::vector<v1::EvaluateRequest> questions() const {
    const MutexLock lock(mutex_);
    return questions_;
  }

  grpc::Status Evaluate(grpc::ServerContext*, const v1::EvaluateRequest* question,
                        v1::Verdict* verdict) override {
    TestService::Script script;
    std::size_t number = 0;
    {
      const MutexLock lock(mutex_);
      questions_.push_back(*question);
      number = questions_.size();
      script = script_;
    }
    NameQuestion(*question, verdict);
    const grpc::Status status = script(*question, verdict);
    if (verdict->verdict_id().empty()) verdict->set_verdict_id(absl::StrCat("verdict-", number));
    if (!verdict->has_evaluated_at()) {
      *verdict->mutable_evaluated_at() = ToProto(clock_.load()->Now());
    }
    return status;
  }

 private:
  const SystemClock machine_;
  std::atomic<const Clock*> clock_ = &machine_;
  int port_ = 0;
  mutable Mutex mutex_;
  TestService::Script script_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::EvaluateRequest> questions_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

struct TestService::Parts {
  explicit Parts(const TestServiceOptions& options)
      : compliance(compliance_tls), service([this, &options](Config& config) {
          const TlsCredential client =
              compliance_tls.Client("URI:spiffe://contoso.example/hourglassd");
          config.compliance.policy_directory.clear();
          config.compliance.endpoint = compliance.endpoint();
          config.compliance.tls = {client.certificate_file, client.private_key_file,
                                   compliance_tls.trusted_roots_file()};
          config.compliance.deadline = kComplianceDeadline;
          config.issuing.profile.lifetime = options.lifetime;
          config.issuing.sub_key.enabled = options.issuing_sub_key;
        }) {
    compliance.DateBy(&service.clock());
  }
  // Before the clock goes.
  ~Parts() { compliance.Stop(); }

  MutualTls compliance_tls;
  ScriptedCompliance compliance;
  ServiceInProcess service;
};

TestService::TestService(const TestServiceOptions& options)
    : parts_(std::make_unique<Parts>(options)) {
  Allow();
  parts_->service.CreateTenant(kTenant);
  v1::CreateRootRequest request;
  request.set_tenant_id(kTenant);
  request.mutable_duration()->set_seconds(365 * 86400);
  request.set_key_type(v1::EC_P256);
  request.set_make_primary(true);
  request.set_issuing_sub_keys(options.issuing_sub_key);
  v1::Root root;
  grpc::ClientContext context;
  const grpc::Status status =
      parts_->service.As<v1::RootService>(kAdministrator)->CreateRoot(&context, request, &root);
  DieUnless(status.ok(), status.error_message());
}

TestService::~TestService() = default;

const std::string& TestService::address() const { return parts_->service.address(); }

TestCredential TestService::CredentialOf(TestCaller caller) {
  const TlsCredential& files = parts_->service.CredentialOf(NameOf(caller));
  return {ReadFileOrDie(files.certificate_file), ReadFileOrDie(files.private_key_file),
          ReadFileOrDie(parts_->service.tls().trusted_roots_file())};
}

std::shared_ptr<grpc::Channel> TestService::ChannelAs(TestCaller caller) {
  return parts_->service.ChannelAs(NameOf(caller));
}

std::string TestService::trust_bundle_pem() {
  v1::GetTrustBundleRequest request;
  request.set_tenant_id(kTenant);
  v1::TrustBundle bundle;
  grpc::ClientContext context;
  const grpc::Status status = parts_->service.As<v1::TrustBundleService>(kBroker)->GetTrustBundle(
      &context, request, &bundle);
  DieUnless(status.ok(), status.error_message());
  std::string pem;
  for (const std::string& root : bundle.roots()) pem += ca::EncodePem(ca::kCertificateLabel, root);
  return pem;
}

v1::IssueCertificateRequest TestService::SampleRequest() { return parts_->service.Request(); }

std::chrono::system_clock::time_point TestService::now() const {
  return parts_->service.clock().Now();
}

void TestService::Advance(std::chrono::microseconds by) {
  DieUnless(by.count() >= 0, "time does not go back");
  parts_->service.clock().Advance(by);
}

void TestService::Allow() {
  AnswerBy([](const v1::EvaluateRequest&, v1::Verdict* verdict) {
    verdict->mutable_allow();
    return grpc::Status::OK;
  });
}

void TestService::Deny(absl::string_view setting, absl::string_view message,
                       absl::string_view remediation_url) {
  v1::DenyReason reason;
  reason.set_setting(std::string(setting));
  reason.set_message(std::string(message));
  reason.set_remediation_url(std::string(remediation_url));
  AnswerBy([reason](const v1::EvaluateRequest&, v1::Verdict* verdict) {
    *verdict->mutable_deny()->add_reasons() = reason;
    return grpc::Status::OK;
  });
}

void TestService::AnswerBy(Script script) { parts_->compliance.AnswerBy(std::move(script)); }

std::vector<v1::EvaluateRequest> TestService::Questions() const {
  return parts_->compliance.questions();
}

void TestService::Restart() { parts_->service.Restart(); }

std::optional<v1::ErrorDetail> TestService::DetailOf(const grpc::Status& status) {
  return ErrorDetailOf(status);
}

}  // namespace hourglass::issuance
