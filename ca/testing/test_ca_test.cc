#include "ca/testing/test_ca.h"

#include <gtest/gtest.h>

#include "ca/encoding/pem.h"
#include "hsm/key/key_type.h"
#include "hsm/key/software_key.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

// What `openssl verify` says of a leaf under a root.
std::string OpensslVerify(const std::string& root_pem, const std::string& leaf_pem) {
  const TemporaryDirectory directory;
  return RunCommand({"openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile",
                     directory.Write("root.pem", root_pem), directory.Write("leaf.pem", leaf_pem)})
      .output;
}

TEST(TestCaTest, IssuesForEveryKeyTypeUnderEveryRoot) {
  for (const hsm::KeyType root_type :
       {hsm::KeyType::kEcP256, hsm::KeyType::kEcP384, hsm::KeyType::kRsa2048}) {
    TestCa ca({.root_key_type = root_type});
    for (const hsm::KeyType type :
         {hsm::KeyType::kEcP256, hsm::KeyType::kEcP384, hsm::KeyType::kRsa2048}) {
      const TestCertificate issued = ca.Issue("alice@contoso.example", type);
      EXPECT_THAT(OpensslVerify(ca.root_pem(), issued.certificate_pem),
                  testing::EndsWith(": OK\n"));
      EXPECT_EQ(DecodePem(issued.certificate_pem, {kCertificateLabel}), issued.certificate_der);
    }
  }
}

TEST(TestCaTest, AnotherCaDoesNotVouchForIt) {
  TestCa ca, other;
  const TestCertificate issued = ca.Issue("alice@contoso.example");
  EXPECT_THAT(OpensslVerify(ca.root_pem(), issued.certificate_pem), testing::EndsWith(": OK\n"));
  EXPECT_THAT(OpensslVerify(other.root_pem(), issued.certificate_pem),
              testing::HasSubstr("error 20 at 0 depth lookup"));
}

TEST(TestCaTest, TakesTheCallersPrivateKey) {
  TestCa ca;
  ASSERT_OK_AND_ASSIGN(const std::string pem, hsm::GenerateSoftwareKeyPem(hsm::KeyType::kEcP384));
  ASSERT_OK_AND_ASSIGN(const TestCertificate issued,
                       ca.IssueForPrivateKey("bob@contoso.example", pem));
  EXPECT_EQ(issued.private_key_pem, "");
  EXPECT_THAT(OpensslVerify(ca.root_pem(), issued.certificate_pem), testing::EndsWith(": OK\n"));
  EXPECT_THAT(ca.IssueForPrivateKey("bob@contoso.example", "no key"),
              FailsWith(ErrorReason::kFieldInvalid, "private_key_pem"));
}

TEST(TestCaTest, ReturnsTheErrorsOfOutsideInput) {
  TestCa ca;
  EXPECT_THAT(ca.IssueForRequest("bob@contoso.example", "no request"),
              FailsWith(ErrorReason::kRequestMalformed, "pkcs10"));
}

TEST(TestCaTest, TheClockMovesOnlyWhenTold) {
  TestCa ca;
  const auto begin = ca.now();
  ca.Advance(std::chrono::hours(24 * 365));
  EXPECT_EQ(ca.now() - begin, std::chrono::hours(24 * 365));
  ASSERT_OK_AND_ASSIGN(const std::string pem, hsm::GenerateSoftwareKeyPem(hsm::KeyType::kEcP256));
  EXPECT_THAT(ca.IssueForPrivateKey("bob@contoso.example", pem),
              FailsWith(ErrorReason::kRootExpiring, "root.certificate"));
}

}  // namespace
}  // namespace hourglass::ca
