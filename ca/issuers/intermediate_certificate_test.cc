#include "ca/issuers/intermediate_certificate.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/pem.h"
#include "ca/encoding/utf8.h"
#include "hsm/key/key_type.h"
#include "hsm/key/software_key.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

using hsm::KeyType;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + hours(9);

RootCertificate MakeRoot(hsm::SigningKey& key, bool issuing_sub_keys = true) {
  return *IssueRoot({.display_name = "Contoso",
                     .generation = 3,
                     .now = kNow,
                     .duration = days(30),
                     .serial_entropy = std::string(kSerialSize, 's'),
                     .issuing_sub_keys = issuing_sub_keys},
                    key);
}

IntermediateSpecification Specification() {
  return {.display_name = "Contoso",
          .generation = 3,
          .now = kNow + days(2),
          .lifetime = hours(24),
          .serial_entropy = "\x01\x23\x45\x67\x89\xab\xcd\xef, random"};
}

// Signs as the key it was given says, or with another, and counts.
class LyingKey : public hsm::SigningKey {
 public:
  explicit LyingKey(std::unique_ptr<hsm::SigningKey> honest) : honest_(std::move(honest)) {}
  KeyType type() const override { return honest_->type(); }
  const std::string& public_key() const override { return honest_->public_key(); }
  absl::StatusOr<std::string> Sign(absl::string_view message) override {
    ++signatures;
    return other != nullptr ? other->Sign(message) : honest_->Sign(message);
  }
  void TakeOutOfService() override { in_service = false; }

  std::unique_ptr<hsm::SigningKey> other;
  int signatures = 0;
  bool in_service = true;

 private:
  std::unique_ptr<hsm::SigningKey> honest_;
};

class IntermediateCertificateTest : public testing::Test {
 protected:
  absl::StatusOr<IntermediateCertificate> Issue(const IntermediateSpecification& specification) {
    absl::StatusOr<TbsIntermediate> tbs =
        PrepareIntermediate(specification, root_, key_->public_key());
    if (!tbs.ok()) return tbs.status();
    return SignIntermediate(*std::move(tbs), root_, root_key_);
  }

  LyingKey root_key_{*hsm::GenerateSoftwareKey(KeyType::kEcP256)};
  RootCertificate root_ = MakeRoot(root_key_);
  std::unique_ptr<hsm::SigningKey> key_ = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
};

// `openssl x509` of the certificate, one line for each of the options' fields.
std::string Print(const IssuerCertificate& certificate, const std::string& options) {
  std::vector<std::string> command = {"openssl", "x509", "-inform", "DER", "-noout"};
  for (absl::string_view option : absl::StrSplit(options, ' ')) command.emplace_back(option);
  return RunCommand(command, certificate.der()).output;
}

TEST_F(IntermediateCertificateTest, SaysWhatWasSpecified) {
  ASSERT_OK_AND_ASSIGN(const IntermediateCertificate made, Issue(Specification()));
  EXPECT_EQ(Print(made, "-serial -subject -issuer -dates -dateopt iso_8601"),
            "serial=4123456789ABCDEF2C2072616E646F6D\n"
            "subject=CN = Contoso VPN issuing CA gen 3 4123456789abcdef\n"
            "issuer=CN = Contoso VPN root CA gen 3\n"
            "notBefore=2026-11-22 08:00:00Z\n"
            "notAfter=2026-11-23 09:00:00Z\n");
  EXPECT_EQ(Print(made, "-ext basicConstraints,keyUsage,extendedKeyUsage"),
            "X509v3 Basic Constraints: critical\n    CA:TRUE, pathlen:0\n"
            "X509v3 Key Usage: critical\n    Certificate Sign\n"
            "X509v3 Extended Key Usage: \n"
            "    TLS Web Client Authentication, 1.3.6.1.4.1.311.87\n");
  EXPECT_EQ(made.public_key(), key_->public_key());
  EXPECT_EQ(made.not_before(), kNow + days(2) - hours(1));
  EXPECT_EQ(made.not_after(), kNow + days(3));
}

TEST_F(IntermediateCertificateTest, EveryPairOfKeyTypesVerifiesByOpenssl) {
  for (const KeyType root_type : {KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048}) {
    ASSERT_OK_AND_ASSIGN(const auto root_key, hsm::GenerateSoftwareKey(root_type));
    const RootCertificate root = MakeRoot(*root_key);
    for (const KeyType type : {KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048}) {
      ASSERT_OK_AND_ASSIGN(const auto key, hsm::GenerateSoftwareKey(type));
      ASSERT_OK_AND_ASSIGN(TbsIntermediate tbs,
                           PrepareIntermediate(Specification(), root, key->public_key()));
      ASSERT_OK_AND_ASSIGN(const IntermediateCertificate made,
                           SignIntermediate(std::move(tbs), root, *root_key));
      EXPECT_EQ(made.key_type(), type);
      const TemporaryDirectory directory;
      const std::string above =
          directory.Write("root.pem", EncodePem(kCertificateLabel, root.der()));
      const std::string file = directory.Write("sub.pem", EncodePem(kCertificateLabel, made.der()));
      EXPECT_EQ(RunCommand({"openssl", "verify", "-x509_strict", "-attime",
                            absl::StrCat((kNow + days(2)).time_since_epoch().count()), "-CAfile",
                            above, file})
                    .output,
                absl::StrCat(file, ": OK\n"));
    }
  }
}

TEST_F(IntermediateCertificateTest, StaysWithinTheRoot) {
  IntermediateSpecification specification = Specification();
  specification.now = root_.not_before();
  ASSERT_OK_AND_ASSIGN(const IntermediateCertificate first, Issue(specification));
  EXPECT_EQ(first.not_before(), root_.not_before());
  specification.now = root_.not_after() - hours(2);
  ASSERT_OK_AND_ASSIGN(const IntermediateCertificate last, Issue(specification));
  EXPECT_EQ(last.not_after(), root_.not_after());
  specification.now = root_.not_before() - seconds(1);
  EXPECT_THAT(Issue(specification), FailsWith(ErrorReason::kRootNotYetValid, "root.certificate"));
  specification.now = root_.not_after();
  EXPECT_THAT(Issue(specification), FailsWith(ErrorReason::kRootExpiring, "root.certificate"));
}

TEST_F(IntermediateCertificateTest, ARootWithPathLengthZeroSignsNone) {
  const RootCertificate root = MakeRoot(root_key_, /*issuing_sub_keys=*/false);
  EXPECT_THAT(PrepareIntermediate(Specification(), root, key_->public_key()),
              FailsWith(ErrorReason::kSubKeyNotAllowed, "root.certificate"));
}

TEST_F(IntermediateCertificateTest, TheNameIsCutAtACharacter) {
  IntermediateSpecification specification = Specification();
  std::string name;
  for (int i = 0; i < 40; ++i) name += "\xc3\xa9\xf0\x9f\x98\x80";
  specification.display_name = name;
  specification.generation = 1234567;
  ASSERT_OK_AND_ASSIGN(const IntermediateCertificate made, Issue(specification));
  const std::string suffix = " VPN issuing CA gen 1234567 4123456789abcdef";
  const std::string kept = name.substr(0, std::size_t{6} * 10);
  EXPECT_EQ(made.subject(), EncodeCommonName(kept + suffix));
  EXPECT_EQ(DecodeUtf8(kept + suffix)->characters, 64U);
}

TEST_F(IntermediateCertificateTest, RefusesSpecifications) {
  const auto refused = [this](const char* field, auto change) {
    IntermediateSpecification specification = Specification();
    change(&specification);
    EXPECT_THAT(Issue(specification), FailsWith(ErrorReason::kFieldInvalid, field));
  };
  for (const seconds lifetime : {seconds(hours(1)) - seconds(1), seconds(days(30)) + seconds(1),
                                 seconds(0), seconds::min(), seconds::max()}) {
    refused("lifetime", [&](IntermediateSpecification* s) { s->lifetime = lifetime; });
  }
  for (const std::string& name : {std::string(), std::string("a\nb"), std::string("\xff")}) {
    refused("display_name", [&](IntermediateSpecification* s) { s->display_name = name; });
  }
  refused("generation", [](IntermediateSpecification* s) { s->generation = 0; });
  refused("serial_entropy", [](IntermediateSpecification* s) { s->serial_entropy.pop_back(); });
  refused("now", [](IntermediateSpecification* s) { s->now = Time::min(); });
  refused("now", [](IntermediateSpecification* s) { s->now = Time::max(); });
}

TEST_F(IntermediateCertificateTest, RefusesKeysThatSignNoCertificates) {
  EXPECT_THAT(PrepareIntermediate(Specification(), root_, "no key"),
              FailsWith(ErrorReason::kKeyInvalid));
  EXPECT_THAT(PrepareIntermediate(Specification(), root_, root_.public_key()),
              FailsWith(ErrorReason::kInternalError, "intermediate.certificate"));
}

TEST_F(IntermediateCertificateTest, AKeyThatLiesMakesNone) {
  EXPECT_OK(Issue(Specification()));
  EXPECT_TRUE(root_key_.in_service);
  root_key_.other = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  EXPECT_THAT(Issue(Specification()), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(root_key_.in_service);
}

TEST_F(IntermediateCertificateTest, SignsNothingPreparedForAnotherRootAndNothingTwice) {
  ASSERT_OK_AND_ASSIGN(const auto other_key, hsm::GenerateSoftwareKey(KeyType::kEcP256));
  const RootCertificate other = MakeRoot(*other_key);
  ASSERT_OK_AND_ASSIGN(TbsIntermediate tbs,
                       PrepareIntermediate(Specification(), other, key_->public_key()));
  const int before = root_key_.signatures;
  EXPECT_THAT(SignIntermediate(std::move(tbs), root_, root_key_),
              FailsWith(ErrorReason::kInternalError, "intermediate.certificate"));
  EXPECT_EQ(root_key_.signatures, before);
  ASSERT_OK_AND_ASSIGN(TbsIntermediate once,
                       PrepareIntermediate(Specification(), root_, key_->public_key()));
  EXPECT_OK(SignIntermediate(std::move(once), root_, root_key_));
  // NOLINTNEXTLINE(bugprone-use-after-move): what is left of it must not be signable.
  EXPECT_THAT(SignIntermediate(std::move(once), root_, root_key_),
              FailsWith(ErrorReason::kInternalError));
}

TEST_F(IntermediateCertificateTest, ParseRefusesBrokenOctetsAndOtherRoots) {
  ASSERT_OK_AND_ASSIGN(const IntermediateCertificate made, Issue(Specification()));
  EXPECT_OK(IntermediateCertificate::Parse(made.der(), root_));
  const auto is_refused = FailsWith(ErrorReason::kInternalError, "intermediate.certificate");
  ASSERT_OK_AND_ASSIGN(const auto other_key, hsm::GenerateSoftwareKey(KeyType::kEcP256));
  EXPECT_THAT(IntermediateCertificate::Parse(made.der(), MakeRoot(*other_key)), is_refused);
  EXPECT_THAT(IntermediateCertificate::Parse(root_.der(), root_), is_refused);
  for (std::size_t i = 0; i < made.der().size(); ++i) {
    std::string broken = made.der();
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_THAT(IntermediateCertificate::Parse(broken, root_), is_refused) << i;
  }
}

static_assert(!std::is_copy_constructible_v<TbsIntermediate>);
static_assert(!std::is_default_constructible_v<TbsIntermediate>);
static_assert(!std::is_default_constructible_v<IntermediateCertificate>);

}  // namespace
}  // namespace hourglass::ca
