// How long FreeRADIUS, with what its kit writes, lets a session last: what is left of the
// certificate, and never more than an hour.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "ca/testing/test_ca.h"
#include "tests/relying_parties/openssl_ca.h"
#include "tests/relying_parties/radius_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using std::chrono::minutes;
using testing::AllOf;
using testing::Gt;
using testing::HasSubstr;
using testing::Le;

constexpr char kUser[] = "alice@contoso.example";
// More than a machine under load needs between making a certificate and asking with it.
constexpr int kSlack = 120;

CertificateAndKey IssueTo(ca::TestCa& ca) {
  const ca::TestCertificate issued = ca.Issue(kUser);
  return {issued.certificate_pem, issued.private_key_pem};
}

TEST(FreeradiusSessionTest, ASessionEndsWithItsCertificate) {
  ca::TestCa ca;
  const CertificateAndKey with_an_hour = IssueTo(ca);
  ca.Advance(minutes(-50));
  const CertificateAndKey near_its_end = IssueTo(ca);
  ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(ca.root_pem()));
  const AccessAnswer soon = server->Authenticate(kUser, near_its_end);
  ASSERT_TRUE(soon.accepted) << soon.server_log;
  EXPECT_THAT(soon.session_timeout, AllOf(Gt(600 - kSlack), Le(600)));
  for (const TlsVersion version : {TlsVersion::kTls12, TlsVersion::kTls13}) {
    const AccessAnswer later = server->Authenticate(kUser, with_an_hour, version);
    ASSERT_TRUE(later.accepted) << later.server_log;
    EXPECT_THAT(later.session_timeout, AllOf(Gt(3600 - kSlack), Le(3600)));
  }
}

TEST(FreeradiusSessionTest, NoSessionLastsLongerThanAnHour) {
  const OpensslCa ca("/CN=Contoso VPN root CA");
  const CertificateAndKey for_a_day = ca.Issue(
      kUser, {"basicConstraints = critical, CA:FALSE", "keyUsage = critical, digitalSignature",
              "extendedKeyUsage = clientAuth, 1.3.6.1.4.1.311.87",
              "subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:alice@contoso.example"});
  ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(ca.root_pem()));
  const AccessAnswer answer = server->Authenticate(kUser, for_a_day);
  ASSERT_TRUE(answer.accepted) << answer.server_log;
  EXPECT_EQ(answer.session_timeout, 3600);
}

// From 2050 on certificates write their end in another form (RFC 5280 section 4.1.2.5).
TEST(FreeradiusSessionTest, AnEndAfter2049IsRead) {
  ca::TestCaOptions options;
  const std::chrono::seconds shift = std::chrono::days(365 * 26);
  options.now += shift;
  ca::TestCa ca(options);
  ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(ca.root_pem(), shift));
  const AccessAnswer answer = server->Authenticate(kUser, IssueTo(ca));
  ASSERT_TRUE(answer.accepted) << answer.server_log;
  EXPECT_THAT(answer.server_log, HasSubstr("TLS-Client-Cert-Expiration := \"205"));
  EXPECT_THAT(answer.session_timeout, AllOf(Gt(3600 - kSlack), Le(3600)));
}

// A connection that was ended is not opened again by the certificate that is good for the rest of
// its hour.
TEST(FreeradiusSessionTest, ACertificateThatCountsNoMoreIsRefused) {
  ca::TestCa ca;
  const CertificateAndKey ended = IssueTo(ca);
  const CertificateAndKey next = IssueTo(ca);
  const TemporaryDirectory refused;
  ASSERT_OK_AND_ASSIGN(
      auto server, RadiusServer::Start(ca.root_pem(), {}, {{"refused_folder", refused.path()}}));
  EXPECT_TRUE(server->Authenticate(kUser, ended).accepted);
  const CommandResult serial =
      RunCommand({"openssl", "x509", "-noout", "-serial"}, ended.certificate_pem);
  refused.Write(absl::AsciiStrToLower(
                    absl::StripAsciiWhitespace(absl::StripPrefix(serial.output, "serial="))),
                "");
  const AccessAnswer answer = server->Authenticate(kUser, ended);
  EXPECT_TRUE(answer.rejected) << answer.server_log;
  EXPECT_EQ(answer.reply_message, "the certificate counts no more");
  EXPECT_TRUE(server->Authenticate(kUser, next).accepted);
}

}  // namespace
}  // namespace hourglass
