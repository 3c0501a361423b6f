// FreeRADIUS, with what its kit writes, and the certificates of Hourglass.
// Every refusal asserts its reason, and has a control in the same server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "ca/testing/test_ca.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signing_key.h"
#include "tests/relying_parties/openssl_ca.h"
#include "tests/relying_parties/radius_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

using ::hourglass::hsm::KeyType;
using std::chrono::minutes;
using ::testing::HasSubstr;

constexpr char kUser[] = "alice@contoso.example";

CertificateAndKey IssueTo(ca::TestCa& ca, KeyType key_type = KeyType::kEcP256) {
  const ca::TestCertificate issued = ca.Issue(kUser, key_type);
  return {issued.certificate_pem, issued.private_key_pem};
}

ca::TestCaOptions Generation(const char* display_name) {
  ca::TestCaOptions options;
  options.display_name = display_name;
  return options;
}

void ExpectAccepted(const AccessAnswer& answer) {
  EXPECT_TRUE(answer.accepted) << answer.server_log;
}

void ExpectRefused(const AccessAnswer& answer, const std::string& reason) {
  EXPECT_TRUE(answer.rejected) << answer.server_log;
  EXPECT_THAT(answer.server_log, HasSubstr(reason));
}

class FreeradiusKeyTest : public testing::TestWithParam<std::tuple<KeyType, KeyType>> {};

TEST_P(FreeradiusKeyTest, OurCertificateIsAcceptedOverBothTlsVersions) {
  const auto [root_key_type, leaf_key_type] = GetParam();
  ca::TestCaOptions options;
  options.root_key_type = root_key_type;
  ca::TestCa ca(options);
  const CertificateAndKey credential = IssueTo(ca, leaf_key_type);
  ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(ca.root_pem()));

  const AccessAnswer tls12 = server->Authenticate(kUser, credential, TlsVersion::kTls12);
  ExpectAccepted(tls12);
  EXPECT_THAT(tls12.server_log, HasSubstr("TLS-Session-Version = \"TLS 1.2\""));
  const AccessAnswer tls13 = server->Authenticate(kUser, credential, TlsVersion::kTls13);
  ExpectAccepted(tls13);
  EXPECT_THAT(tls13.server_log, HasSubstr("TLS-Session-Version = \"TLS 1.3\""));
}

std::string NameOf(const testing::TestParamInfo<FreeradiusKeyTest::ParamType>& info) {
  const auto [root_key_type, leaf_key_type] = info.param;
  return absl::StrReplaceAll(absl::StrCat("root_", hsm::KeyTypeName(root_key_type), "_leaf_",
                                          hsm::KeyTypeName(leaf_key_type)),
                             {{"-", "_"}});
}

INSTANTIATE_TEST_SUITE_P(Keys, FreeradiusKeyTest,
                         testing::Combine(testing::Values(KeyType::kEcP256, KeyType::kEcP384,
                                                          KeyType::kRsa2048),
                                          testing::Values(KeyType::kEcP256, KeyType::kRsa2048)),
                         NameOf);

TEST(FreeradiusTest, TheHourEnds) {
  ca::TestCa ca;
  const CertificateAndKey of_now = IssueTo(ca);
  ca.Advance(minutes(61));
  const CertificateAndKey of_then = IssueTo(ca);
  ASSERT_OK_AND_ASSIGN(auto before, RadiusServer::Start(ca.root_pem(), minutes(59)));
  ExpectAccepted(before->Authenticate(kUser, of_now));
  ASSERT_OK_AND_ASSIGN(auto after, RadiusServer::Start(ca.root_pem(), minutes(61)));
  ExpectAccepted(after->Authenticate(kUser, of_then));
  ExpectRefused(after->Authenticate(kUser, of_now), "OpenSSL says error 10 ");
}

TEST(FreeradiusTest, TheHourHasNotBegun) {
  ca::TestCa ca;
  const CertificateAndKey of_now = IssueTo(ca);
  ca.Advance(minutes(-30));
  const CertificateAndKey of_then = IssueTo(ca);
  ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(ca.root_pem(), minutes(-30)));
  ExpectAccepted(server->Authenticate(kUser, of_then));
  ExpectRefused(server->Authenticate(kUser, of_now), "OpenSSL says error 9 ");
}

TEST(FreeradiusTest, BothRootsServeUntilTheOldOneIsRetired) {
  ca::TestCa retired(Generation("Contoso old"));
  ca::TestCa primary(Generation("Contoso new"));
  const CertificateAndKey of_retired = IssueTo(retired);
  const CertificateAndKey of_primary = IssueTo(primary);
  {
    ASSERT_OK_AND_ASSIGN(auto server,
                         RadiusServer::Start(absl::StrCat(retired.root_pem(), primary.root_pem())));
    ExpectAccepted(server->Authenticate(kUser, of_retired));
    ExpectAccepted(server->Authenticate(kUser, of_primary));
  }
  ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(primary.root_pem()));
  ExpectAccepted(server->Authenticate(kUser, of_primary));
  ExpectRefused(server->Authenticate(kUser, of_retired), "OpenSSL says error 20 ");
}

TEST(FreeradiusTest, ARootOfTheSameNameAndKeyIdentifierIsNotTheRoot) {
  ca::TestCa ca;
  const CommandResult subject =
      RunCommand({"openssl", "x509", "-noout", "-subject", "-nameopt", "compat"}, ca.root_pem());
  ASSERT_EQ(subject.exit_code, 0) << subject.output;
  const OpensslCa forger(absl::StripAsciiWhitespace(absl::StripPrefix(subject.output, "subject=")),
                         absl::BytesToHexString(ca.root().key_identifier()));
  const CertificateAndKey forged = forger.Issue(
      kUser, {"basicConstraints = critical, CA:FALSE", "keyUsage = critical, digitalSignature",
              "extendedKeyUsage = clientAuth, 1.3.6.1.4.1.311.87", "authorityKeyIdentifier = keyid",
              absl::StrCat("subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:", kUser)});
  ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(ca.root_pem()));
  ExpectAccepted(server->Authenticate(kUser, IssueTo(ca)));
  ExpectRefused(server->Authenticate(kUser, forged), "OpenSSL says error 7 ");
}

TEST(FreeradiusTest, ACertificateIsForItsUserOnly) {
  ca::TestCa ca;
  const CertificateAndKey credential = IssueTo(ca);
  ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(ca.root_pem()));
  ExpectAccepted(server->Authenticate(kUser, credential));
  const AccessAnswer answer = server->Authenticate("bob@contoso.example", credential);
  EXPECT_TRUE(answer.rejected) << answer.server_log;
  EXPECT_EQ(answer.reply_message, "the certificate is not this user's");
}

}  // namespace
}  // namespace hourglass
