// Certificates that domain controllers map to an account (KB5014754), through the whole service:
// the SID is the directory's, octet for octet as others write it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/directory.grpc.pb.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kSid[] = "S-1-5-21-1496966362-3320961333-4044918980-1105";
constexpr char kOtherSid[] = "S-1-5-21-1496966362-3320961333-4044918980-1106";
// The extension's value with the first of them, as OpenSSL made it and as certificates of Active
// Directory Certificate Services begin.
constexpr char kExtensionValue[] =
    "3040A03E060A2B060104018237190201A030042E532D312D352D32312D313439363936363336322D33333230393631"
    "3333332D343034343931383938302D31313035";
constexpr char kExtensionOid[] = "1.3.6.1.4.1.311.25.2\n";
constexpr char kUri[] =
    "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1496966362-3320961333-4044918980-1105";

class StrongMappingTest : public testing::Test {
 protected:
  explicit StrongMappingTest(const issuance::StrongMapping& mapping = {}, bool san_uri = false)
      : service_([mapping, san_uri](issuance::Config& config) {
          config.issuing.strong_mapping = mapping;
          config.issuing.profile.sid_uri = san_uri;
        }) {
    service_.MakeReady();
  }

  v1::IssueCertificateRequest RequestOf(const std::string& upn, const std::string& user_id = "") {
    v1::IssueCertificateRequest request = service_.Request();
    request.mutable_user()->set_upn(upn);
    request.mutable_user()->set_id(user_id);
    return request;
  }

  void Put(const std::string& id, const std::string& upn, const std::string& sid,
           bool disabled = false) {
    v1::PutUsersRequest request;
    request.set_tenant_id("contoso");
    v1::DirectoryUser* const user = request.add_users();
    user->set_id(id);
    user->set_upn(upn);
    user->set_onprem_sid(sid);
    user->set_disabled(disabled);
    v1::PutUsersResponse response;
    grpc::ClientContext context;
    ASSERT_THAT(
        service_.As<v1::DirectoryService>(kAdministrator)->PutUsers(&context, request, &response),
        Succeeded());
  }

  // What `openssl asn1parse` and `openssl x509` say of the certificate; or the refusal.
  std::string Printed(const v1::IssueCertificateRequest& request) {
    v1::IssueCertificateResponse response;
    const grpc::Status status = service_.Issue(request, &response);
    if (!status.ok()) return status.error_message();
    const std::string file = directory_.Write("leaf.der", response.certificate());
    const CommandResult parsed =
        RunCommand({"openssl", "asn1parse", "-inform", "DER", "-in", file});
    const CommandResult names = RunCommand(
        {"openssl", "x509", "-inform", "DER", "-in", file, "-noout", "-ext", "subjectAltName"});
    EXPECT_EQ(parsed.exit_code + names.exit_code, 0) << parsed.output << names.output;
    return parsed.output + names.output;
  }

  TemporaryDirectory directory_;
  ServiceInProcess service_;
};

TEST_F(StrongMappingTest, TheSidIsTheDirectorysAndItsOctetsAreMicrosofts) {
  Put("a1", "alice@contoso.example", kSid);
  for (const char* user_id : {"", "a1"}) {
    const std::string printed = Printed(RequestOf("alice@contoso.example", user_id));
    // Not critical: the value follows the type at once.
    const std::size_t type = printed.find(absl::StrCat(":", kExtensionOid));
    ASSERT_NE(type, std::string::npos) << printed;
    const std::size_t line = type + 1 + std::string(kExtensionOid).size();
    const std::string value = printed.substr(line, printed.find('\n', line) - line);
    EXPECT_THAT(value, HasSubstr("OCTET STRING"));
    EXPECT_THAT(value, HasSubstr(absl::StrCat("[HEX DUMP]:", kExtensionValue)));
    EXPECT_THAT(printed, Not(HasSubstr("URI:")));
  }
}

TEST_F(StrongMappingTest, WhoHasNoneGetsACertificateWithoutOne) {
  Put("b1", "bob@contoso.example", "");
  Put("a1", "alice@contoso.example", kSid);
  // Of the cloud alone; unknown; a name that is not of the id, or not any more.
  for (const v1::IssueCertificateRequest& request :
       {RequestOf("bob@contoso.example"), RequestOf("carol@contoso.example"),
        RequestOf("alice@contoso.example", "b1"), RequestOf("alice@contoso.example", "unknown"),
        RequestOf("alice.old@contoso.example", "a1")}) {
    const std::string printed = Printed(request);
    EXPECT_THAT(printed, HasSubstr("X509v3 Subject Alternative Name"));
    EXPECT_THAT(printed, Not(HasSubstr(kExtensionOid))) << request.user().DebugString();
  }
}

TEST_F(StrongMappingTest, AnotherTenantsDirectorySaysNothing) {
  Put("a1", "alice@contoso.example", kSid);
  service_.CreateTenant("fabrikam");
  service_.CreateRoot("fabrikam");
  service_.ReportDevice("fabrikam", "laptop-1", true);
  v1::IssueCertificateRequest request = RequestOf("alice@contoso.example");
  request.set_tenant_id("fabrikam");
  v1::IssueCertificateResponse response;
  ASSERT_THAT(service_.Issue(request, &response, kWideBroker), Succeeded());
  EXPECT_EQ(response.certificate().find(kSid), std::string::npos);
}

TEST_F(StrongMappingTest, ARepeatedRequestWhoseUserGotAnotherSidIsRefused) {
  Put("a1", "alice@contoso.example", kSid);
  const v1::IssueCertificateRequest request = RequestOf("alice@contoso.example");
  v1::IssueCertificateResponse first, again;
  ASSERT_THAT(service_.Issue(request, &first), Succeeded());
  ASSERT_THAT(service_.Issue(request, &again), Succeeded());
  EXPECT_EQ(again.certificate(), first.certificate());
  Put("a1", "alice@contoso.example", kOtherSid);
  EXPECT_THAT(service_.Issue(request), RefusedWith(v1::PRIMARY_CHANGED, "request_id"));
  v1::IssueCertificateResponse other;
  ASSERT_THAT(service_.Issue(RequestOf("alice@contoso.example"), &other), Succeeded());
  EXPECT_NE(other.certificate().find(kOtherSid), std::string::npos);
}

class RequiredMappingTest : public StrongMappingTest {
 protected:
  RequiredMappingTest() : StrongMappingTest({.required = true}, /*san_uri=*/true) {}
};

TEST_F(RequiredMappingTest, WithoutASidNothingIsRecordedOrSigned) {
  Put("b1", "bob@contoso.example", "");
  for (const char* upn : {"alice@contoso.example", "bob@contoso.example"}) {
    const grpc::Status told = service_.Issue(RequestOf(upn));
    EXPECT_THAT(told, RefusedWith(v1::SID_UNKNOWN, "user.upn"));
    EXPECT_EQ(told.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  }
  EXPECT_EQ(service_.JournalSize(), 0);
  Put("a1", "alice@contoso.example", kSid);
  const std::string printed = Printed(RequestOf("alice@contoso.example"));
  EXPECT_THAT(printed, HasSubstr(kExtensionValue));
  EXPECT_THAT(printed, HasSubstr(absl::StrCat("URI:", kUri)));
  EXPECT_THAT(service_.Issue(RequestOf("alice@contoso.example", "b1")),
              RefusedWith(v1::SID_UNKNOWN));
  // Disabled is refused as that, whatever he maps to.
  Put("a1", "alice@contoso.example", kSid, /*disabled=*/true);
  EXPECT_THAT(service_.Issue(RequestOf("alice@contoso.example")),
              RefusedWith(v1::DEVICE_NOT_COMPLIANT));
}

class NoMappingTest : public StrongMappingTest {
 protected:
  NoMappingTest() : StrongMappingTest({.sid_extension = false}) {}
};

TEST_F(NoMappingTest, ATenantMayWantNone) {
  Put("a1", "alice@contoso.example", kSid);
  EXPECT_THAT(Printed(RequestOf("alice@contoso.example")), Not(HasSubstr(kExtensionOid)));
}

}  // namespace
}  // namespace hourglass
