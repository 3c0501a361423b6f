// Walls between tenants and between roles (promise 7).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"

namespace hourglass {
namespace {

class TenancyTest : public testing::Test {
 protected:
  TenancyTest() {
    service_.MakeReady();
    service_.CreateTenant("fabrikam");
    service_.CreateRoot("fabrikam");
    service_.ReportDevice("fabrikam", "laptop-1", true);
  }

  grpc::Status Issue(absl::string_view caller, absl::string_view tenant_id) {
    v1::IssueCertificateRequest request = service_.Request();
    request.set_tenant_id(std::string(tenant_id));
    return service_.Issue(request, nullptr, caller);
  }

  ServiceInProcess service_;
};

TEST_F(TenancyTest, ABrokerIssuesInItsOwnTenantOnly) {
  EXPECT_THAT(Issue(kBroker, "contoso"), Succeeded());
  EXPECT_THAT(Issue(kOtherBroker, "fabrikam"), Succeeded());
  EXPECT_THAT(Issue(kBroker, "fabrikam"), RefusedWith(v1::TENANT_NOT_PERMITTED, "tenant_id"));
  EXPECT_THAT(Issue(kOtherBroker, "contoso"), RefusedWith(v1::TENANT_NOT_PERMITTED, "tenant_id"));
  EXPECT_EQ(service_.JournalSize("contoso"), 1);
  EXPECT_EQ(service_.JournalSize("fabrikam"), 1);
}

TEST_F(TenancyTest, WhetherAnotherTenantExistsIsNotSaid) {
  EXPECT_THAT(Issue(kBroker, "no-such-tenant"), RefusedWith(v1::TENANT_NOT_PERMITTED, "tenant_id"));
  EXPECT_THAT(Issue(kWideBroker, "no-such-tenant"), RefusedWith(v1::TENANT_UNKNOWN));
  EXPECT_THAT(Issue(kWideBroker, "fabrikam"), Succeeded());
  EXPECT_THAT(Issue(kBroker, ""), RefusedWith(v1::FIELD_MISSING, "tenant_id"));
}

TEST_F(TenancyTest, OnlyBrokersIssue) {
  for (const char* caller : {kAdministrator, kAuditor, kDeviceReporter}) {
    EXPECT_THAT(Issue(caller, "contoso"), RefusedWith(v1::ROLE_NOT_PERMITTED)) << caller;
  }
  // Turned away in the TLS handshake.
  EXPECT_EQ(Issue(kStranger, "contoso").error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(service_.JournalSize("contoso"), 0);
}

TEST_F(TenancyTest, BrokersAdministerNothing) {
  grpc::ClientContext contexts[5];
  v1::PromoteRootRequest move;
  move.set_tenant_id("contoso");
  move.set_root_id("r1");
  v1::Root root;
  auto roots = service_.As<v1::RootService>(kBroker);
  EXPECT_THAT(roots->PromoteRoot(&contexts[0], move, &root), RefusedWith(v1::ROLE_NOT_PERMITTED));
  v1::CreateTenantRequest creation;
  creation.set_tenant_id("mine");
  v1::Tenant tenant;
  EXPECT_THAT(
      service_.As<v1::TenantService>(kBroker)->CreateTenant(&contexts[1], creation, &tenant),
      RefusedWith(v1::ROLE_NOT_PERMITTED));
  v1::ListCertificatesRequest list;
  list.set_tenant_id("contoso");
  v1::ListCertificatesResponse certificates;
  EXPECT_THAT(
      service_.As<v1::JournalService>(kBroker)->ListCertificates(&contexts[2], list, &certificates),
      RefusedWith(v1::ROLE_NOT_PERMITTED));
  v1::ReportDeviceRequest report;
  report.set_tenant_id("contoso");
  report.set_device_id("laptop-2");
  report.mutable_state();
  v1::Device device;
  EXPECT_THAT(service_.As<v1::DeviceService>(kBroker)->ReportDevice(&contexts[3], report, &device),
              RefusedWith(v1::ROLE_NOT_PERMITTED));
  report.set_tenant_id("fabrikam");
  EXPECT_THAT(
      service_.As<v1::DeviceService>(kDeviceReporter)->ReportDevice(&contexts[4], report, &device),
      RefusedWith(v1::TENANT_NOT_PERMITTED));
}

// Who makes roots and promotes them does not also say which devices are in order.
TEST_F(TenancyTest, OnlyDeviceReportersReport) {
  const auto report = [this](absl::string_view caller) {
    v1::ReportDeviceRequest request;
    request.set_tenant_id("contoso");
    request.set_device_id("laptop-2");
    request.mutable_state();
    v1::Device device;
    grpc::ClientContext context;
    return service_.As<v1::DeviceService>(caller)->ReportDevice(&context, request, &device);
  };
  for (const char* caller : {kAdministrator, kAuditor, kBroker}) {
    EXPECT_THAT(report(caller), RefusedWith(v1::ROLE_NOT_PERMITTED)) << caller;
  }
  EXPECT_THAT(report(kDeviceReporter), Succeeded());
}

TEST_F(TenancyTest, AnAuditorReadsAndChangesNothing) {
  grpc::ClientContext contexts[3];
  v1::ListRootsRequest list;
  list.set_tenant_id("contoso");
  v1::ListRootsResponse roots;
  auto stub = service_.As<v1::RootService>(kAuditor);
  EXPECT_THAT(stub->ListRoots(&contexts[0], list, &roots), Succeeded());
  EXPECT_EQ(roots.roots_size(), 1);
  v1::CreateRootRequest creation;
  creation.set_tenant_id("contoso");
  creation.mutable_duration()->set_seconds(365 * 86400);
  creation.set_key_type(v1::EC_P256);
  v1::Root root;
  EXPECT_THAT(stub->CreateRoot(&contexts[1], creation, &root), RefusedWith(v1::ROLE_NOT_PERMITTED));
  v1::RemoveDeviceRequest removal;
  removal.set_tenant_id("contoso");
  removal.set_device_id("laptop-1");
  v1::RemoveDeviceResponse unused;
  EXPECT_THAT(
      service_.As<v1::DeviceService>(kAuditor)->RemoveDevice(&contexts[2], removal, &unused),
      RefusedWith(v1::ROLE_NOT_PERMITTED));
}

TEST_F(TenancyTest, WithoutAClientCertificateNobodyGetsIn) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadFileOrDie(service_.tls().trusted_roots_file());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  v1::IssueCertificateResponse response;
  auto stub = v1::CertificateIssuer::NewStub(
      grpc::CreateChannel(service_.address(), grpc::SslCredentials(options)));
  EXPECT_EQ(stub->IssueCertificate(&context, service_.Request(), &response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  auto plain = v1::CertificateIssuer::NewStub(
      grpc::CreateChannel(service_.address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext plain_context;
  plain_context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  EXPECT_EQ(plain->IssueCertificate(&plain_context, service_.Request(), &response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(service_.JournalSize("contoso"), 0);
  EXPECT_THAT(Issue(kBroker, "contoso"), Succeeded());
}

TEST_F(TenancyTest, TenantsAreListedToThoseBoundToThem) {
  grpc::ClientContext contexts[2];
  v1::ListTenantsResponse tenants;
  ASSERT_THAT(service_.As<v1::TenantService>(kAuditor)->ListTenants(
                  &contexts[0], v1::ListTenantsRequest(), &tenants),
              Succeeded());
  ASSERT_EQ(tenants.tenants_size(), 2);
  EXPECT_EQ(tenants.tenants(0).tenant_id(), "contoso");
  EXPECT_EQ(tenants.tenants(0).primary_root_id(), "r1");
  EXPECT_THAT(service_.As<v1::TenantService>(kBroker)->ListTenants(
                  &contexts[1], v1::ListTenantsRequest(), &tenants),
              RefusedWith(v1::ROLE_NOT_PERMITTED));
}

}  // namespace
}  // namespace hourglass
