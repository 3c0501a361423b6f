// Every malformed request gets a typed error that names the field, and changes nothing (promise 8).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "hourglass/v1/compliance.grpc.pb.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/pkcs10.h"
#include "tests/support/subprocess.h"
#include "tests/support/test_service.h"

namespace hourglass {
namespace {

using testing::HasSubstr;
using testing::Not;

class BadRequestTest : public testing::Test {
 protected:
  BadRequestTest() { service_.MakeReady(); }

  // Whatever the test did, the journal is as it was, and a sound request is served.
  ~BadRequestTest() override {
    EXPECT_EQ(service_.JournalSize(), issued_);
    EXPECT_THAT(Issue(service_.Request()), Succeeded());
  }

  grpc::Status Issue(const v1::IssueCertificateRequest& request,
                     v1::IssueCertificateResponse* response = nullptr) {
    const grpc::Status status = service_.Issue(request, response);
    if (status.ok()) ++issued_;
    return status;
  }

  grpc::Status IssueFor(const std::string& pkcs10) {
    v1::IssueCertificateRequest request = service_.Request();
    request.set_pkcs10(pkcs10);
    return Issue(request);
  }

  TestService service_;
  int issued_ = 0;
};

TEST_F(BadRequestTest, Pkcs10ThatIsNotOne) {
  EXPECT_THAT(IssueFor(""), RefusedWith(v1::FIELD_MISSING, "pkcs10"));
  EXPECT_THAT(IssueFor("hello"), RefusedWith(v1::REQUEST_MALFORMED, "pkcs10"));
  EXPECT_THAT(IssueFor(MakeEcPkcs10() + '\0'), RefusedWith(v1::REQUEST_MALFORMED, "pkcs10"));
  EXPECT_THAT(IssueFor(std::string(1 << 20, '\x30')), RefusedWith(v1::REQUEST_MALFORMED, "pkcs10"));
  const std::string sound = MakeEcPkcs10();
  EXPECT_THAT(IssueFor(sound.substr(0, sound.size() - 1)),
              RefusedWith(v1::REQUEST_MALFORMED, "pkcs10"));
}

TEST_F(BadRequestTest, Pkcs10OfAnotherKey) {
  // The last octets belong to the signature's second integer: still DER, no longer a signature.
  std::string forged = MakeEcPkcs10();
  forged.back() = static_cast<char>(forged.back() ^ 1);
  EXPECT_THAT(IssueFor(forged), RefusedWith(v1::REQUEST_SIGNATURE_INVALID, "pkcs10"));
}

TEST_F(BadRequestTest, KeysThatAreNotCertified) {
  EXPECT_THAT(IssueFor(MakePkcs10({"-newkey", "rsa:1024"})),
              RefusedWith(v1::KEY_SIZE_REFUSED, "pkcs10"));
  EXPECT_THAT(IssueFor(MakePkcs10({"-newkey", "rsa:2048", "-pkeyopt", "rsa_keygen_pubexp:3"})),
              RefusedWith(v1::KEY_INVALID, "pkcs10"));
  EXPECT_THAT(IssueFor(MakePkcs10({"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"})),
              RefusedWith(v1::KEY_UNSUPPORTED, "pkcs10"));
  EXPECT_THAT(IssueFor(MakePkcs10({"-newkey", "ed25519"})),
              RefusedWith(v1::KEY_UNSUPPORTED, "pkcs10"));
}

TEST_F(BadRequestTest, PointThatIsNotOnItsCurve) {
  std::string request = MakeEcPkcs10();
  // The public key is the uncompressed point behind 03 42 00 04: change its last octet.
  const std::size_t point = request.find(std::string("\x03\x42\x00\x04", 4));
  ASSERT_NE(point, std::string::npos);
  request[point + 3 + 64] = static_cast<char>(request[point + 3 + 64] ^ 1);
  EXPECT_THAT(IssueFor(request), RefusedWith(v1::KEY_INVALID, "pkcs10"));
}

TEST_F(BadRequestTest, NothingLeaksFromARequestIntoTheLeaf) {
  v1::IssueCertificateRequest request = service_.Request();
  request.set_pkcs10(MakePkcs10(
      {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"},
      {"-addext", "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:root@evil.example",
       "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
       "crlDistributionPoints=URI:http://evil.example/crl", "-addext",
       "1.3.6.1.4.1.311.25.2=ASN1:UTF8String:S-1-5-21-666"}));
  v1::IssueCertificateResponse response;
  ASSERT_THAT(Issue(request, &response), Succeeded());
  const TemporaryDirectory directory;
  const std::string file = directory.Write("leaf.der", response.certificate());
  const std::string text =
      RunCommand({"openssl", "x509", "-inform", "DER", "-in", file, "-noout", "-text"}).output;
  EXPECT_THAT(text, HasSubstr("CN = alice@contoso.example"));
  EXPECT_THAT(text, HasSubstr("1.3.6.1.4.1.311.87"));
  for (const char* leaked :
       {"CN = ignored", "CA:TRUE", "CRL Distribution", "1.3.6.1.4.1.311.25.2"}) {
    EXPECT_THAT(text, Not(HasSubstr(leaked)));
  }
  EXPECT_THAT(response.certificate(), Not(HasSubstr("evil")));
  EXPECT_THAT(response.certificate(), Not(HasSubstr("S-1-5-21-666")));
}

TEST_F(BadRequestTest, NamesThatMustNotBeCertified) {
  const auto issue_upn = [this](const std::string& upn) {
    v1::IssueCertificateRequest request = service_.Request();
    request.mutable_user()->set_upn(upn);
    return Issue(request);
  };
  EXPECT_THAT(issue_upn(""), RefusedWith(v1::FIELD_MISSING, "user.upn"));
  EXPECT_THAT(issue_upn(std::string(288, 'a') + "@contoso.com"),
              RefusedWith(v1::FIELD_INVALID, "user.upn"));
  EXPECT_THAT(issue_upn("alice"), RefusedWith(v1::FIELD_INVALID, "user.upn"));
  EXPECT_THAT(issue_upn("a@b@c"), RefusedWith(v1::FIELD_INVALID, "user.upn"));
  EXPECT_THAT(issue_upn(std::string("alice\0@contoso.example", 22)),
              RefusedWith(v1::FIELD_INVALID, "user.upn"));
  EXPECT_THAT(issue_upn("alice\n@contoso.example"), RefusedWith(v1::FIELD_INVALID, "user.upn"));
  EXPECT_THAT(issue_upn("alice\xc2\x85@contoso.example"),
              RefusedWith(v1::FIELD_INVALID, "user.upn"));

  v1::IssueCertificateRequest request = service_.Request();
  request.mutable_user()->set_id("a b");
  EXPECT_THAT(Issue(request), RefusedWith(v1::FIELD_INVALID, "user.id"));
  request = service_.Request();
  request.mutable_user()->clear_id();
  request.mutable_user()->set_upn(std::string(60, 'a') + "@contoso.example");
  EXPECT_THAT(Issue(request), RefusedWith(v1::FIELD_MISSING, "user.id"));
}

TEST_F(BadRequestTest, IdsThatAreMissingOrMalformed) {
  v1::IssueCertificateRequest request = service_.Request();
  request.clear_device_id();
  EXPECT_THAT(Issue(request), RefusedWith(v1::FIELD_MISSING, "device_id"));
  request = service_.Request();
  request.set_device_id(std::string(129, 'd'));
  EXPECT_THAT(Issue(request), RefusedWith(v1::FIELD_INVALID, "device_id"));
  request = service_.Request();
  request.clear_request_id();
  EXPECT_THAT(Issue(request), RefusedWith(v1::FIELD_MISSING, "request_id"));
  request = service_.Request();
  request.set_request_id("a b");
  EXPECT_THAT(Issue(request), RefusedWith(v1::FIELD_INVALID, "request_id"));
}

TEST_F(BadRequestTest, AdministratorsMistakes) {
  grpc::ClientContext contexts[8];
  auto tenants = service_.As<v1::TenantService>(kAdministrator);
  v1::Tenant tenant;
  v1::CreateTenantRequest creation;
  EXPECT_THAT(tenants->CreateTenant(&contexts[0], creation, &tenant),
              RefusedWith(v1::FIELD_MISSING, "tenant_id"));
  creation.set_tenant_id("../contoso");
  EXPECT_THAT(tenants->CreateTenant(&contexts[1], creation, &tenant),
              RefusedWith(v1::FIELD_INVALID, "tenant_id"));
  creation.set_tenant_id("contoso");
  EXPECT_THAT(tenants->CreateTenant(&contexts[2], creation, &tenant),
              RefusedWith(v1::TENANT_EXISTS));
  creation.set_tenant_id("northwind");
  creation.set_display_name("North\nwind");
  EXPECT_THAT(tenants->CreateTenant(&contexts[3], creation, &tenant),
              RefusedWith(v1::FIELD_INVALID, "display_name"));

  auto devices = service_.As<v1::DeviceService>(kAdministrator);
  v1::Device device;
  v1::ReportDeviceRequest report;
  report.set_tenant_id("contoso");
  report.set_device_id("laptop-3");
  EXPECT_THAT(devices->ReportDevice(&contexts[4], report, &device),
              RefusedWith(v1::FIELD_MISSING, "state"));
  report.mutable_state()->mutable_antivirus()->mutable_signatures_updated_at()->set_seconds(
      253402300799);
  EXPECT_THAT(devices->ReportDevice(&contexts[5], report, &device),
              RefusedWith(v1::FIELD_INVALID, "state.antivirus.signatures_updated_at"));

  auto journal = service_.As<v1::JournalService>(kAuditor);
  v1::ListCertificatesRequest list;
  list.set_tenant_id("contoso");
  list.set_page_token("not one of ours");
  v1::ListCertificatesResponse listed;
  EXPECT_THAT(journal->ListCertificates(&contexts[6], list, &listed),
              RefusedWith(v1::FIELD_INVALID, "page_token"));
  v1::GetCertificateRequest get;
  get.set_tenant_id("contoso");
  get.set_serial_number(std::string(16, 'x'));
  v1::JournalEntry entry;
  EXPECT_THAT(journal->GetCertificate(&contexts[7], get, &entry),
              RefusedWith(v1::CERTIFICATE_UNKNOWN));
}

}  // namespace
}  // namespace hourglass
