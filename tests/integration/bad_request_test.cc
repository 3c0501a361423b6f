// Every malformed request gets a typed error that names the field, and changes nothing (promise 8).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "hourglass/v1/compliance.grpc.pb.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/pkcs10.h"
#include "tests/support/service_in_process.h"
#include "tests/support/subprocess.h"

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

  ServiceInProcess service_;
  int issued_ = 0;
};

TEST_F(BadRequestTest, Pkcs10ThatIsNotOne) {
  EXPECT_THAT(IssueFor(""), RefusedWith(v1::FIELD_MISSING, "pkcs10"));
  EXPECT_THAT(IssueFor("hello"), RefusedWith(v1::REQUEST_MALFORMED, "pkcs10"));
  EXPECT_THAT(IssueFor(MakeEcPkcs10() + '\0'), RefusedWith(v1::REQUEST_MALFORMED, "pkcs10"));
  EXPECT_THAT(IssueFor(std::string(60 * 1024, '\x30')),
              RefusedWith(v1::REQUEST_MALFORMED, "pkcs10"));
  // No message is read that is larger than any sound one.
  EXPECT_THAT(IssueFor(std::string(65 * 1024, '\x30')), RefusedWith(v1::FIELD_INVALID, ""));
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
  for (const char* upn :
       {"user@contoso.example ", " user@contoso.example", "user\u00a0@contoso.example",
        "us\u200ber@contoso.example", "user\ufeff@contoso.example", "admin\u202e@elpmaxe.osotnoc",
        "user\u200e@contoso.example", "us\u2066er@contoso.example",
        "user\U000e0041@contoso.example", "user\ufffe@contoso.example",
        "\u0430lice@contoso.example", "*@contoso.example", "alice)(cn=*@contoso.example", "alice@-",
        "mu\u0308ller@contoso.example"}) {
    const grpc::Status status = issue_upn(upn);
    EXPECT_THAT(status, RefusedWith(v1::FIELD_INVALID, "user.upn")) << upn;
  }
  EXPECT_THAT(issue_upn("alice)(cn=*@contoso.example").error_message(), HasSubstr("U+0029"));
  for (const char* upn : {"o'brien+vpn@contoso.example", "m\u00fcller@m\u00fcnchen.example",
                          "Alice@Contoso.Example", "alice_contoso.com#EXT#@fabrikam.example"}) {
    EXPECT_THAT(issue_upn(upn), Succeeded()) << upn;
  }

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

  auto devices = service_.As<v1::DeviceService>(kWideReporter);
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

TEST_F(BadRequestTest, ReportsThatAreMalformedChangeNothing) {
  auto devices = service_.As<v1::DeviceService>(kWideReporter);
  const auto report = [&](const std::string& device_id, const v1::DeviceState& state) {
    v1::ReportDeviceRequest request;
    request.set_tenant_id("contoso");
    request.set_device_id(device_id);
    *request.mutable_state() = state;
    v1::Device device;
    grpc::ClientContext context;
    return devices->ReportDevice(&context, request, &device);
  };
  v1::DeviceState state;
  state.mutable_disk_encryption()->set_enabled(false);
  EXPECT_THAT(report("", state), RefusedWith(v1::FIELD_MISSING, "device_id"));
  EXPECT_THAT(report("laptop 1", state), RefusedWith(v1::FIELD_INVALID, "device_id"));
  for (const std::string& version : {std::string("10.0.1.2.3"), std::string("eleven"),
                                     std::string("10.\x1b[2J"), std::string(5000, '1')}) {
    state.mutable_automatic_update()->set_os_version(version);
    EXPECT_THAT(report("laptop-1", state),
                RefusedWith(v1::FIELD_INVALID, "state.automatic_update.os_version"));
  }
  state.mutable_automatic_update()->set_os_version("10.0");
  state.mutable_automatic_update()->mutable_last_installed_at()->set_nanos(-1);
  EXPECT_THAT(report("laptop-1", state),
              RefusedWith(v1::FIELD_INVALID, "state.automatic_update.last_installed_at"));
  state.mutable_automatic_update()->clear_last_installed_at();
  state.mutable_device_health_attestation()->mutable_attested_at()->set_seconds(1LL << 62);
  EXPECT_THAT(report("laptop-1", state),
              RefusedWith(v1::FIELD_INVALID, "state.device_health_attestation.attested_at"));

  // The report of before stands.
  v1::GetDeviceRequest get;
  get.set_tenant_id("contoso");
  get.set_device_id("laptop-1");
  v1::Device device;
  grpc::ClientContext context;
  ASSERT_THAT(devices->GetDevice(&context, get, &device), Succeeded());
  EXPECT_TRUE(device.state().disk_encryption().enabled());
  EXPECT_THAT(Issue(service_.Request()), Succeeded());
}

// What a newer reporter says and this service does not know is not kept.
TEST_F(BadRequestTest, FieldsThatNobodyKnowsAreNotStored) {
  auto devices = service_.As<v1::DeviceService>(kWideReporter);
  v1::ReportDeviceRequest report;
  report.set_tenant_id("contoso");
  report.set_device_id("laptop-3");
  report.mutable_state()->mutable_disk_encryption()->set_enabled(true);
  v1::DeviceState* state = report.mutable_state();
  state->GetReflection()->MutableUnknownFields(state)->AddLengthDelimited(1000,
                                                                          std::string(50'000, 'x'));
  v1::Device device;
  grpc::ClientContext context;
  ASSERT_THAT(devices->ReportDevice(&context, report, &device), Succeeded());
  EXPECT_LT(device.ByteSizeLong(), 200u);
  EXPECT_TRUE(device.state().disk_encryption().enabled());
}

TEST_F(BadRequestTest, RequiredFieldsOfReaders) {
  const auto call = [this](auto stub, auto method, const auto& request, auto response) {
    grpc::ClientContext context;
    return (stub.get()->*method)(&context, request, &response);
  };
  const auto roots = [this] { return service_.As<v1::RootService>(kAdministrator); };
  const auto devices = [this] { return service_.As<v1::DeviceService>(kAdministrator); };
  const auto journal = [this] { return service_.As<v1::JournalService>(kAdministrator); };
  using Roots = v1::RootService::Stub;
  using Devices = v1::DeviceService::Stub;
  using Journal = v1::JournalService::Stub;

  v1::MoveRootRequest move;
  const auto missing = [](const char* field) { return RefusedWith(v1::FIELD_MISSING, field); };
  EXPECT_THAT(call(roots(), &Roots::RetireRoot, move, v1::Root()), missing("tenant_id"));
  move.set_tenant_id("contoso");
  for (const auto method : {&Roots::RetireRoot, &Roots::DiscardRoot}) {
    EXPECT_THAT(call(roots(), method, move, v1::Root()), missing("root_id"));
  }
  v1::PromoteRootRequest promotion;
  EXPECT_THAT(call(roots(), &Roots::PromoteRoot, promotion, v1::Root()), missing("tenant_id"));
  promotion.set_tenant_id("contoso");
  EXPECT_THAT(call(roots(), &Roots::PromoteRoot, promotion, v1::Root()), missing("root_id"));
  v1::RollBackRootRequest way_back;
  way_back.set_tenant_id("contoso");
  EXPECT_THAT(call(roots(), &Roots::RollBackRoot, way_back, v1::Root()), missing("root_id"));
  v1::GetRootRequest root;
  root.set_tenant_id("contoso");
  EXPECT_THAT(call(roots(), &Roots::GetRoot, root, v1::Root()), missing("root_id"));
  root.set_root_id(std::string("r1\0", 3));
  EXPECT_THAT(call(roots(), &Roots::GetRoot, root, v1::Root()),
              RefusedWith(v1::FIELD_INVALID, "root_id"));

  v1::GetDeviceRequest device;
  device.set_tenant_id("contoso");
  EXPECT_THAT(call(devices(), &Devices::GetDevice, device, v1::Device()), missing("device_id"));
  v1::RemoveDeviceRequest removal;
  removal.set_tenant_id("contoso");
  EXPECT_THAT(call(devices(), &Devices::RemoveDevice, removal, v1::RemoveDeviceResponse()),
              missing("device_id"));

  v1::GetCertificateRequest certificate;
  certificate.set_tenant_id("contoso");
  EXPECT_THAT(call(journal(), &Journal::GetCertificate, certificate, v1::JournalEntry()),
              missing("serial_number"));
  v1::ListCertificatesRequest list;
  const auto listing = [&] {
    return call(journal(), &Journal::ListCertificates, list, v1::ListCertificatesResponse());
  };
  EXPECT_THAT(listing(), missing("tenant_id"));
  list.set_tenant_id("contoso");
  EXPECT_THAT(listing(), Succeeded());
  list.set_user_upn(std::string("alice\0", 6));
  EXPECT_THAT(listing(), RefusedWith(v1::FIELD_INVALID, "user_upn"));
  list.clear_user_upn();
  list.set_device_id("laptop 1");
  EXPECT_THAT(listing(), RefusedWith(v1::FIELD_INVALID, "device_id"));
  list.clear_device_id();
  list.mutable_intended_from()->set_nanos(1'000'000'000);
  EXPECT_THAT(listing(), RefusedWith(v1::FIELD_INVALID, "intended_from"));
  list.clear_intended_from();
  list.set_page_size(1001);
  EXPECT_THAT(listing(), RefusedWith(v1::FIELD_INVALID, "page_size"));
}

TEST_F(BadRequestTest, QuestionsAboutAVerdict) {
  auto stub = service_.As<v1::ComplianceService>(kAdministrator);
  v1::EvaluateRequest sound;
  sound.set_tenant_id("contoso");
  sound.set_device_id("laptop-1");
  sound.set_nonce("0123456789abcdef");
  const auto evaluate = [&](const std::function<void(v1::EvaluateRequest&)>& change) {
    v1::EvaluateRequest request = sound;
    change(request);
    v1::Verdict verdict;
    grpc::ClientContext context;
    return stub->Evaluate(&context, request, &verdict);
  };
  using Request = v1::EvaluateRequest;
  EXPECT_THAT(evaluate([](Request&) {}), Succeeded());
  EXPECT_THAT(evaluate([](Request& r) { r.clear_tenant_id(); }),
              RefusedWith(v1::FIELD_MISSING, "tenant_id"));
  EXPECT_THAT(evaluate([](Request& r) { r.clear_device_id(); }),
              RefusedWith(v1::FIELD_MISSING, "device_id"));
  EXPECT_THAT(evaluate([](Request& r) { r.set_device_id("a b"); }),
              RefusedWith(v1::FIELD_INVALID, "device_id"));
  EXPECT_THAT(evaluate([](Request& r) { r.clear_nonce(); }),
              RefusedWith(v1::FIELD_MISSING, "nonce"));
  EXPECT_THAT(evaluate([](Request& r) { r.set_nonce("short"); }),
              RefusedWith(v1::FIELD_INVALID, "nonce"));
  EXPECT_THAT(evaluate([](Request& r) { r.set_public_key_sha256("short"); }),
              RefusedWith(v1::FIELD_INVALID, "public_key_sha256"));
  EXPECT_THAT(evaluate([](Request& r) { r.set_public_key_sha256(std::string(32, 'k')); }),
              RefusedWith(v1::FIELD_MISSING, "user_upn"));
  EXPECT_THAT(evaluate([](Request& r) { r.set_user_upn("a\n@contoso.example"); }),
              RefusedWith(v1::FIELD_INVALID, "user_upn"));
  EXPECT_THAT(evaluate([](Request& r) { r.set_user_id("a b"); }),
              RefusedWith(v1::FIELD_INVALID, "user_id"));
}

}  // namespace
}  // namespace hourglass
