#include "tests/support/service_client.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "tests/support/pkcs10.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

void DieUnless(const grpc::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.error_message().c_str());
  std::abort();
}

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

std::vector<issuance::Caller> TestCallers() {
  using issuance::Role;
  return {MakeCaller(kAdministrator, Role::kAdministrator, {}),
          MakeCaller(kBroker, Role::kBroker, {"contoso"}),
          MakeCaller(kWideBroker, Role::kBroker, {}),
          MakeCaller(kOtherBroker, Role::kBroker, {"fabrikam"}),
          MakeCaller(kAuditor, Role::kAuditor, {}),
          MakeCaller(kDeviceReporter, Role::kDeviceReporter, {"contoso"}),
          MakeCaller(kWideReporter, Role::kDeviceReporter, {})};
}

std::shared_ptr<grpc::Channel> ServiceClient::ChannelAs(absl::string_view caller) {
  std::shared_ptr<grpc::Channel>& channel = channels_[std::string(caller)];
  if (channel != nullptr) return channel;
  const TlsCredential& credential = CredentialOf(caller);
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadFileOrDie(tls_.trusted_roots_file());
  options.pem_cert_chain = ReadFileOrDie(credential.certificate_file);
  options.pem_private_key = ReadFileOrDie(credential.private_key_file);
  channel = grpc::CreateChannel(address_, grpc::SslCredentials(options));
  return channel;
}

const TlsCredential& ServiceClient::CredentialOf(absl::string_view caller) {
  const auto [credential, is_new] = credentials_.try_emplace(std::string(caller));
  if (is_new) credential->second = tls_.Client(absl::StrCat("URI:", IdentityOf(caller)));
  return credential->second;
}

std::string ServiceClient::TlsSectionOf(absl::string_view caller) {
  const TlsCredential& credential = CredentialOf(caller);
  return absl::StrCat("tls:\n  certificate: ", credential.certificate_file,
                      "\n  private_key: ", credential.private_key_file,
                      "\n  trusted_roots: ", tls_.trusted_roots_file(), "\n");
}

std::string ServiceClient::ConfigOf(absl::string_view caller) {
  return absl::StrCat("server: ", address_, "\n", TlsSectionOf(caller));
}

void ServiceClient::Connect(const std::string& address) {
  channels_.clear();
  address_ = address;
}

void ServiceClient::CreateTenant(absl::string_view tenant_id) {
  v1::CreateTenantRequest request;
  request.set_tenant_id(std::string(tenant_id));
  v1::Tenant tenant;
  grpc::ClientContext context;
  DieUnless(As<v1::TenantService>(kAdministrator)->CreateTenant(&context, request, &tenant));
}

v1::Root ServiceClient::CreateRoot(absl::string_view tenant_id, bool make_primary,
                                   v1::KeyType key_type) {
  v1::CreateRootRequest request;
  request.set_tenant_id(std::string(tenant_id));
  request.mutable_duration()->set_seconds(365 * 86400);
  request.set_key_type(key_type);
  v1::Root root;
  const auto roots = As<v1::RootService>(kAdministrator);
  {
    grpc::ClientContext context;
    DieUnless(roots->CreateRoot(&context, request, &root));
  }
  if (!make_primary) return root;
  grpc::ClientContext context;
  DieUnless(roots->PromoteRoot(&context, PromotionOf(root), &root));
  return root;
}

v1::PromoteRootRequest ServiceClient::PromotionOf(const v1::Root& root) {
  v1::PromoteRootRequest request;
  request.set_tenant_id(root.tenant_id());
  request.set_root_id(root.root_id());
  request.set_without_relying_parties(true);
  return request;
}

void ServiceClient::ReportDevice(absl::string_view tenant_id, absl::string_view device_id,
                                 bool encrypted) {
  v1::ReportDeviceRequest request;
  request.set_tenant_id(std::string(tenant_id));
  request.set_device_id(std::string(device_id));
  request.mutable_state()->mutable_disk_encryption()->set_enabled(encrypted);
  v1::Device device;
  grpc::ClientContext context;
  DieUnless(As<v1::DeviceService>(kWideReporter)->ReportDevice(&context, request, &device));
}

void ServiceClient::MakeReady() {
  CreateTenant();
  CreateRoot();
  ReportDevice("contoso", "laptop-1", true);
}

v1::IssueCertificateRequest ServiceClient::Request() {
  v1::IssueCertificateRequest request;
  request.set_tenant_id("contoso");
  request.mutable_user()->set_id("8d3a1c1e-0000-4000-8000-000000000001");
  request.mutable_user()->set_upn("alice@contoso.example");
  request.set_device_id("laptop-1");
  request.set_pkcs10(MakeEcPkcs10());
  request.set_request_id(absl::StrCat("request-", ++requests_));
  return request;
}

grpc::Status ServiceClient::Issue(const v1::IssueCertificateRequest& request,
                                  v1::IssueCertificateResponse* response,
                                  absl::string_view caller) {
  v1::IssueCertificateResponse unused;
  grpc::ClientContext context;
  return As<v1::CertificateIssuer>(caller)->IssueCertificate(
      &context, request, response != nullptr ? response : &unused);
}

std::vector<v1::JournalEntry> ServiceClient::Journal(absl::string_view tenant_id) {
  v1::ListCertificatesRequest request;
  request.set_tenant_id(std::string(tenant_id));
  request.set_page_size(1000);
  std::vector<v1::JournalEntry> entries;
  do {
    v1::ListCertificatesResponse page;
    grpc::ClientContext context;
    DieUnless(As<v1::JournalService>(kAuditor)->ListCertificates(&context, request, &page));
    entries.insert(entries.end(), page.entries().begin(), page.entries().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return entries;
}

}  // namespace hourglass
