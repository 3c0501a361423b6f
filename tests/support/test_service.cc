#include "tests/support/test_service.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "tests/support/pkcs10.h"

namespace hourglass {
namespace {

constexpr char kPolicy[] =
    "version: \"1\"\n"
    "report_validity: 24h\n"
    "remediation_url: https://help.contoso.example/vpn\n"
    "disk_encryption: {enabled: true}\n";

void DieUnless(bool ok, const std::string& message) {
  if (ok) return;
  std::fprintf(stderr, "%s\n", message.c_str());
  std::abort();
}

void DieUnless(const grpc::Status& status) { DieUnless(status.ok(), status.error_message()); }

std::string IdentityOf(absl::string_view caller) {
  return absl::StrCat("spiffe://contoso.example/", caller);
}

issuance::Caller MakeCaller(absl::string_view name, issuance::Role role,
                            const std::vector<std::string>& tenants) {
  issuance::Caller caller;
  caller.name = std::string(name);
  caller.identity = absl::StrCat("uri:", IdentityOf(name));
  caller.roles = {role};
  caller.tenants = tenants;
  caller.all_tenants = tenants.empty();
  return caller;
}

}  // namespace

TestService::TestService(std::function<void(issuance::Config&)> adjust)
    : log_(issuance::EventLog::Silent()) {
  using issuance::Role;
  const TlsCredential server = tls_.Server();
  config_.listen = "127.0.0.1:0";
  config_.data_directory = directory_.File("data");
  config_.tls = {server.certificate_file, server.private_key_file, tls_.trusted_roots_file()};
  config_.callers = {MakeCaller(kAdministrator, Role::kAdministrator, {}),
                     MakeCaller(kBroker, Role::kBroker, {"contoso"}),
                     MakeCaller(kWideBroker, Role::kBroker, {}),
                     MakeCaller(kOtherBroker, Role::kBroker, {"fabrikam"}),
                     MakeCaller(kAuditor, Role::kAuditor, {}),
                     MakeCaller(kDeviceReporter, Role::kDeviceReporter, {"contoso"})};
  config_.keys.software_directory = directory_.File("keys");
  mkdir(config_.keys.software_directory.c_str(), 0700);
  config_.compliance.policy_directory = directory_.File("policies");
  mkdir(config_.compliance.policy_directory.c_str(), 0700);
  WritePolicy("contoso", kPolicy);
  WritePolicy("fabrikam", kPolicy);
  if (adjust) adjust(config_);
  Start();
}

TestService::~TestService() = default;

void TestService::Start() {
  auto server = issuance::Server::Start(config_, &clock_, &entropy_, &log_);
  DieUnless(server.ok(), server.status().ToString());
  server_ = *std::move(server);
}

void TestService::Restart() {
  channels_.clear();
  server_->Stop(std::chrono::seconds(30));
  server_.reset();
  Start();
}

std::shared_ptr<grpc::Channel> TestService::ChannelAs(absl::string_view caller) {
  std::shared_ptr<grpc::Channel>& channel = channels_[std::string(caller)];
  if (channel != nullptr) return channel;
  const auto [credential, is_new] = credentials_.try_emplace(std::string(caller));
  if (is_new) credential->second = tls_.Client(absl::StrCat("URI:", IdentityOf(caller)));
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadFileOrDie(tls_.trusted_roots_file());
  options.pem_cert_chain = ReadFileOrDie(credential->second.certificate_file);
  options.pem_private_key = ReadFileOrDie(credential->second.private_key_file);
  channel = grpc::CreateChannel(server_->address(), grpc::SslCredentials(options));
  return channel;
}

void TestService::WritePolicy(absl::string_view tenant_id, absl::string_view yaml) {
  directory_.Write(absl::StrCat("policies/", tenant_id, ".yaml"), yaml);
}

void TestService::CreateTenant(absl::string_view tenant_id) {
  v1::CreateTenantRequest request;
  request.set_tenant_id(std::string(tenant_id));
  v1::Tenant tenant;
  grpc::ClientContext context;
  DieUnless(As<v1::TenantService>(kAdministrator)->CreateTenant(&context, request, &tenant));
}

v1::Root TestService::CreateRoot(absl::string_view tenant_id, bool make_primary,
                                 v1::KeyType key_type) {
  v1::CreateRootRequest request;
  request.set_tenant_id(std::string(tenant_id));
  request.mutable_duration()->set_seconds(365 * 86400);
  request.set_key_type(key_type);
  request.set_make_primary(make_primary);
  v1::Root root;
  grpc::ClientContext context;
  DieUnless(As<v1::RootService>(kAdministrator)->CreateRoot(&context, request, &root));
  return root;
}

void TestService::ReportDevice(absl::string_view tenant_id, absl::string_view device_id,
                               bool encrypted) {
  v1::ReportDeviceRequest request;
  request.set_tenant_id(std::string(tenant_id));
  request.set_device_id(std::string(device_id));
  request.mutable_state()->mutable_disk_encryption()->set_enabled(encrypted);
  v1::Device device;
  grpc::ClientContext context;
  DieUnless(As<v1::DeviceService>(kAdministrator)->ReportDevice(&context, request, &device));
}

void TestService::MakeReady() {
  CreateTenant();
  CreateRoot();
  ReportDevice("contoso", "laptop-1", true);
}

v1::IssueCertificateRequest TestService::Request() {
  v1::IssueCertificateRequest request;
  request.set_tenant_id("contoso");
  request.mutable_user()->set_id("8d3a1c1e-0000-4000-8000-000000000001");
  request.mutable_user()->set_upn("alice@contoso.example");
  request.set_device_id("laptop-1");
  request.set_pkcs10(MakeEcPkcs10());
  request.set_request_id(absl::StrCat("request-", ++requests_));
  return request;
}

int TestService::JournalSize(absl::string_view tenant_id) {
  v1::ListCertificatesRequest request;
  request.set_tenant_id(std::string(tenant_id));
  request.set_page_size(1000);
  v1::ListCertificatesResponse response;
  grpc::ClientContext context;
  DieUnless(As<v1::JournalService>(kAuditor)->ListCertificates(&context, request, &response));
  return response.entries_size();
}

}  // namespace hourglass
