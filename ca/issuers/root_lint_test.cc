#include "ca/issuers/root_lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/time.h"
#include "ca/issuers/root_certificate.h"
#include "ca/names/root_name.h"
#include "hsm/key/key_type.h"
#include "hsm/key/software_key.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

using hsm::KeyType;
using std::chrono::seconds;

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);

// A root with its key, and what it must say.
struct Root {
  explicit Root(KeyType type = KeyType::kEcP256, bool issuing_sub_keys = false)
      : key(*hsm::GenerateSoftwareKey(type)),
        certificate(*IssueRoot({.display_name = "Contoso",
                                .now = kNow,
                                .duration = std::chrono::days(30),
                                .serial_entropy = std::string(kSerialSize, 's'),
                                .issuing_sub_keys = issuing_sub_keys},
                               *key)),
        expected{certificate.der(),
                 common_name,
                 kNow - std::chrono::hours(1),
                 kNow + std::chrono::days(30),
                 certificate.key_identifier(),
                 issuing_sub_keys ? 1U : 0U} {}

  // The same but for `from`, whose last place becomes `to` of the same length, signed again.
  std::string Changed(const std::string& from, const std::string& to) const {
    std::string tbs(ReadCertificate(certificate.der())->to_be_signed);
    const std::size_t at = tbs.rfind(from);
    EXPECT_NE(at, std::string::npos);
    EXPECT_EQ(from.size(), to.size());
    tbs.replace(at, from.size(), to);
    return AssembleCertificate(tbs, key->type(), *key->Sign(tbs));
  }

  const std::string common_name = RootCommonName("Contoso", 1);
  std::unique_ptr<hsm::SigningKey> key;
  RootCertificate certificate;
  ExpectedRoot expected;
};

MATCHER_P(Breaks, rule, "") {
  *result_listener << arg;
  return testing::ExplainMatchResult(FailsWith(ErrorReason::kInternalError, "root.certificate"),
                                     arg, result_listener) &&
         arg.message() == absl::StrCat("root.certificate: breaks ", rule, " (Botan)");
}

TEST(RootLintTest, BotanReadsWhatWasMeant) {
  for (const KeyType type : {KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048}) {
    EXPECT_OK(CheckRootWithBotan(Root(type).expected)) << hsm::KeyTypeName(type);
  }
  EXPECT_OK(CheckRootWithBotan(Root(KeyType::kEcP256, /*issuing_sub_keys=*/true).expected));
}

TEST(RootLintTest, EachExpectationIsCompared) {
  const Root root;
  ASSERT_OK(CheckRootWithBotan(root.expected));
  ExpectedRoot other = root.expected;
  other.common_name = "Contoso VPN root CA gen 2";
  EXPECT_THAT(CheckRootWithBotan(other), Breaks("botan_common_name"));
  other = root.expected;
  other.not_before += seconds(1);
  EXPECT_THAT(CheckRootWithBotan(other), Breaks("botan_not_before"));
  other = root.expected;
  other.not_after -= seconds(1);
  EXPECT_THAT(CheckRootWithBotan(other), Breaks("botan_not_after"));
  other = root.expected;
  other.path_length = 1;
  EXPECT_THAT(CheckRootWithBotan(other), Breaks("botan_basic_constraints"));
  const std::string identifier(20, 'i');
  other = root.expected;
  other.key_identifier = identifier;
  EXPECT_THAT(CheckRootWithBotan(other), Breaks("botan_subject_key_identifier"));
}

// The certificate itself is off, and signed by its key all the same.
TEST(RootLintTest, EachFaultOfTheCertificateIsFound) {
  const Root root;
  const auto check = [&root](const std::string& certificate) {
    ExpectedRoot expected = root.expected;
    expected.certificate = certificate;
    return CheckRootWithBotan(expected);
  };
  ASSERT_OK(check(root.Changed("Contoso", "Contoso")));
  // keyCertSign becomes keyCertSign and cRLSign, or digitalSignature.
  const std::string sign("\x03\x02\x02\x04", 4);
  EXPECT_THAT(check(root.Changed(sign, "\x03\x02\x01\x06")), Breaks("botan_key_usage"));
  EXPECT_THAT(check(root.Changed(sign, "\x03\x02\x07\x80")),
              Breaks("botan_basic_constraints (Botan), botan_key_usage"));
  const std::string constraints("\x30\x06\x01\x01\xff\x02\x01\x00", 8);
  EXPECT_THAT(check(root.Changed(constraints, std::string("\x30\x06\x01\x01\xff\x02\x01\x02", 8))),
              Breaks("botan_basic_constraints"));
  // The signature is off by a bit.
  std::string flipped = root.certificate.der();
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  EXPECT_THAT(check(flipped), Breaks("botan_self_signed (Botan), botan_signature"));
  // The subject is the last of the two names.
  EXPECT_THAT(check(root.Changed("Contoso", "Contos0")),
              Breaks("botan_common_name (Botan), botan_self_signed"));
}

TEST(RootLintTest, ARootOfAnotherKeyIsNotSigned) {
  const Root root, other;
  const std::string tbs(ReadCertificate(root.certificate.der())->to_be_signed);
  const std::string forged = AssembleCertificate(tbs, other.key->type(), *other.key->Sign(tbs));
  ExpectedRoot expected = root.expected;
  expected.certificate = forged;
  EXPECT_THAT(CheckRootWithBotan(expected), Breaks("botan_self_signed (Botan), botan_signature"));
}

TEST(RootLintTest, SeveralFaultsAreAllNamed) {
  const Root root;
  ExpectedRoot other = root.expected;
  other.common_name = "other";
  other.path_length = 7;
  EXPECT_THAT(CheckRootWithBotan(other),
              Breaks("botan_common_name (Botan), botan_basic_constraints"));
}

// Whatever is cut off or flipped: a refusal, and no exception.
TEST(RootLintTest, OctetsThatAreNoRoot) {
  const Root root;
  const std::string& certificate = root.certificate.der();
  ExpectedRoot expected = root.expected;
  for (std::size_t size = 0; size < certificate.size(); ++size) {
    const std::string cut = certificate.substr(0, size);
    expected.certificate = cut;
    EXPECT_THAT(CheckRootWithBotan(expected), Breaks("botan_parses")) << size;
  }
  // Botan overlooks which bits of the signature are said to be unused; our own reader does not.
  const std::size_t unused =
      certificate.size() - ReadCertificate(certificate)->signature.size() - 1;
  for (std::size_t i = 0; i < certificate.size(); ++i) {
    if (i == unused) continue;
    std::string flipped = certificate;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    expected.certificate = flipped;
    EXPECT_THAT(CheckRootWithBotan(expected),
                FailsWith(ErrorReason::kInternalError, "root.certificate"))
        << i;
  }
}

}  // namespace
}  // namespace hourglass::ca
