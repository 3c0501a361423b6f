#include "ca/testing/test_ca.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "ca/certificate/certificate.h"
#include "ca/encoding/der.h"
#include "ca/encoding/pem.h"
#include "ca/encoding/time.h"
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

std::string EverythingOf(TestCa ca) {
  const TestCertificate first = ca.Issue("alice@contoso.example");
  EXPECT_OK(ca.Promote(ca.StageRoot()));
  const TestCertificate second = ca.Issue("alice@contoso.example", hsm::KeyType::kEcP384);
  return ca.trust_bundle_pem() + first.chain_pem + first.private_key_pem + second.chain_pem +
         second.private_key_pem;
}

TEST(TestCaTest, ASeedGivesTheSameOctetsInEveryRun) {
  const TestCaOptions options = {.now = std::chrono::sys_days(std::chrono::year{2030} / 1 / 2),
                                 .sub_key_type = hsm::KeyType::kEcP384,
                                 .seed = "contoso"};
  const std::string everything = EverythingOf(TestCa(options));
  EXPECT_EQ(EverythingOf(TestCa(options)), everything);
  TestCaOptions other = options;
  other.seed = "fabrikam";
  EXPECT_NE(EverythingOf(TestCa(other)), everything);
  other.seed = "";
  EXPECT_NE(EverythingOf(TestCa(other)), EverythingOf(TestCa(other)));
}

TEST(TestCaTest, ASeedGivesRsaKeysToo) {
  const TestCaOptions options = {.root_key_type = hsm::KeyType::kRsa2048, .seed = "contoso"};
  TestCa ca(options), same(options);
  EXPECT_EQ(ca.root_pem(), same.root_pem());
  EXPECT_THAT(OpensslVerify(ca.root_pem(), ca.Issue("alice@contoso.example").certificate_pem),
              testing::EndsWith(": OK\n"));
}

TEST(TestCaTest, AChangeOfThePrimary) {
  TestCa ca;
  const TestCertificate before = ca.Issue("alice@contoso.example");
  const int next = ca.StageRoot();
  EXPECT_EQ(next, 2);
  EXPECT_EQ(ca.state(next), RootState::kStaged);
  // It is trusted before it signs.
  EXPECT_EQ(ca.trust_bundle_pem(), ca.root_pem(1) + ca.root_pem(2));
  EXPECT_THAT(OpensslVerify(ca.root_pem(1), ca.Issue("alice@contoso.example").certificate_pem),
              testing::EndsWith(": OK\n"));
  ASSERT_OK(ca.Promote(next));
  EXPECT_EQ(ca.primary(), next);
  EXPECT_EQ(ca.state(1), RootState::kRetiring);
  const TestCertificate after = ca.Issue("alice@contoso.example");
  EXPECT_THAT(OpensslVerify(ca.root_pem(), after.certificate_pem), testing::EndsWith(": OK\n"));
  EXPECT_THAT(OpensslVerify(ca.root_pem(1), after.certificate_pem),
              testing::HasSubstr("error 20 at 0 depth lookup"));
  EXPECT_THAT(OpensslVerify(ca.trust_bundle_pem(), before.certificate_pem),
              testing::EndsWith(": OK\n"));
}

TEST(TestCaTest, ReferencesToARootStayWhileRootsAreAdded) {
  TestCa ca;
  const std::string& first = ca.root_pem(1);
  const std::string copy = first;
  for (int i = 0; i < 20; ++i) ca.StageRoot();
  EXPECT_EQ(&first, &ca.root_pem(1));
  EXPECT_EQ(first, copy);
}

TEST(TestCaTest, ARootRetiresWhenItsLastLeafHasExpired) {
  TestCa ca;
  ca.Issue("alice@contoso.example");
  ASSERT_OK(ca.Promote(ca.StageRoot()));
  EXPECT_THAT(ca.Retire(1), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  ca.Advance(std::chrono::minutes(61));
  ASSERT_OK(ca.Retire(1));
  EXPECT_EQ(ca.trust_bundle_pem(), ca.root_pem(2));
  EXPECT_THAT(ca.Promote(1), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  EXPECT_EQ(ca.primary(), 2);
  const int third = ca.StageRoot();
  ASSERT_OK(ca.Discard(third));
  EXPECT_EQ(ca.trust_bundle_pem(), ca.root_pem(2));
}

TEST(TestCaTest, ASidAndAUserId) {
  TestCa ca({.profile = {.sid_uri = true}});
  const TestCertificate issued = ca.Issue({.upn = "alice@contoso.example",
                                           .id = "8d3a1c1e-0000-4000-8000-000000000001",
                                           .sid = "S-1-5-21-1004336348-1177238915-682003330-512"});
  const std::string text =
      RunCommand({"openssl", "x509", "-noout", "-text"}, issued.certificate_pem).output;
  EXPECT_THAT(text, testing::HasSubstr("1.3.6.1.4.1.311.25.2:"));
  EXPECT_THAT(text, testing::HasSubstr("S-1-5-21-1004336348-1177238915-682003330-512"));
  const std::string without = RunCommand({"openssl", "x509", "-noout", "-text"},
                                         ca.Issue("alice@contoso.example").certificate_pem)
                                  .output;
  EXPECT_THAT(without, testing::Not(testing::HasSubstr("1.3.6.1.4.1.311.25.2:")));
}

TEST(TestCaTest, ChosenLifetimes) {
  TestCa ca({.profile = {.lifetime = std::chrono::minutes(5)},
             .sub_key_type = hsm::KeyType::kEcP256,
             .root_duration = std::chrono::days(2),
             .sub_key_lifetime = std::chrono::hours(1)});
  EXPECT_EQ(ca.root().not_after(), ca.now() + std::chrono::days(2));
  EXPECT_EQ(ca.authority().intermediate()->not_after(), ca.now() + std::chrono::hours(1));
  const TestCertificate issued = ca.Issue("alice@contoso.example");
  const auto leaf = ReadCertificate(issued.certificate_der);
  ASSERT_TRUE(leaf.has_value());
  der::Reader reader(leaf->not_after);
  EXPECT_EQ(ReadTime(&reader), ca.now() + std::chrono::minutes(5));
}

TEST(TestCaTest, TheChainHoldsTheIntermediate) {
  TestCa with({.sub_key_type = hsm::KeyType::kEcP256}), without;
  const TestCertificate under = with.Issue("alice@contoso.example");
  EXPECT_NE(with.intermediate_pem(), "");
  EXPECT_EQ(under.chain_pem, under.certificate_pem + with.intermediate_pem());
  const TestCertificate plain = without.Issue("alice@contoso.example");
  EXPECT_EQ(plain.chain_pem, plain.certificate_pem);
}

}  // namespace
}  // namespace hourglass::ca
