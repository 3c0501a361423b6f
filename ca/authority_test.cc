#include "ca/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/pem.h"
#include "ca/testing/authority_fixture.h"
#include "hsm/key/key_type.h"
#include "hsm/key/software_key.h"
#include "tests/support/pkcs10.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

using hsm::KeyType;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class AuthorityTest : public AuthorityFixture {};

TEST_F(AuthorityTest, SignsWhatItPrepared) {
  ASSERT_OK_AND_ASSIGN(TbsCertificate tbs, Prepare(kNow));
  const std::string der = tbs.der();
  EXPECT_EQ(tbs.serial_number(), "\x7f" + std::string(15, '\xff'));
  EXPECT_EQ(tbs.not_before(), kNow - minutes(5));
  EXPECT_EQ(tbs.not_after(), kNow + minutes(60));
  ASSERT_OK_AND_ASSIGN(const std::string certificate, authority_->Sign(std::move(tbs)));
  EXPECT_EQ(ReadCertificate(certificate)->to_be_signed, der);
  const TemporaryDirectory directory;
  const std::string root =
      directory.Write("root.pem", EncodePem(kCertificateLabel, authority_->root().der()));
  const std::string leaf = directory.Write("leaf.pem", EncodePem(kCertificateLabel, certificate));
  EXPECT_EQ(RunCommand({"openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-attime",
                        absl::StrCat(kNow.time_since_epoch().count()), "-CAfile", root, leaf})
                .output,
            absl::StrCat(leaf, ": OK\n"));
}

TEST_F(AuthorityTest, PrepareIsDeterministic) {
  EXPECT_EQ(Prepare(kNow)->der(), Prepare(kNow)->der());
  EXPECT_NE(Prepare(kNow)->der(), Prepare(kNow + seconds(1))->der());
}

TEST_F(AuthorityTest, SerialsKeepTheirLength) {
  for (const char octet : {'\0', '\x01', '\x7f', '\x80', '\xff'}) {
    ASSERT_OK_AND_ASSIGN(
        const TbsCertificate tbs,
        authority_->Prepare({subject_, requested_, std::string(kSerialSize, octet), kNow}));
    EXPECT_EQ(tbs.serial_number().size(), 16u);
    EXPECT_EQ(tbs.serial_number()[0] & 0xc0, 0x40);
    EXPECT_EQ(tbs.serial_number().substr(1), std::string(15, octet));
  }
  for (const std::size_t size : {0, 15, 17}) {
    EXPECT_THAT(authority_->Prepare({subject_, requested_, std::string(size, 'x'), kNow}),
                FailsWith(ErrorReason::kFieldInvalid, "serial_entropy"));
  }
}

TEST_F(AuthorityTest, LeavesStayWithinTheRoot) {
  const Time first = authority_->root().not_before() + minutes(5),
             last = authority_->root().not_after() - hours(1);
  EXPECT_OK(Prepare(first));
  EXPECT_THAT(Prepare(first - seconds(1)),
              FailsWith(ErrorReason::kRootNotYetValid, "root.certificate"));
  EXPECT_THAT(Prepare(authority_->root().not_before() - hours(1)),
              FailsWith(ErrorReason::kRootNotYetValid, "root.certificate"));
  EXPECT_OK(Prepare(last));
  EXPECT_THAT(Prepare(last + seconds(1)),
              FailsWith(ErrorReason::kRootExpiring, "root.certificate"));
  EXPECT_THAT(Prepare(authority_->root().not_after() + days(1)),
              FailsWith(ErrorReason::kRootExpiring, "root.certificate"));
}

TEST_F(AuthorityTest, RefusesTimesThatNoCertificateCanSay) {
  for (const Time now :
       {Time::min(), kFirstTime - seconds(1), kFirstTime, kLastTime, Time::max()}) {
    EXPECT_THAT(Prepare(now), FailsWith(ErrorReason::kFieldInvalid, "now"));
  }
}

TEST_F(AuthorityTest, SignsNothingOfAnotherAuthority) {
  auto other_key = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  RootCertificate other_root = MakeRoot(*other_key);
  ASSERT_OK_AND_ASSIGN(const auto other,
                       Authority::Create(std::move(other_root), std::move(other_key), profile_));
  ASSERT_OK_AND_ASSIGN(TbsCertificate tbs, Prepare(kNow));
  EXPECT_THAT(other->Sign(std::move(tbs)), FailsWith(ErrorReason::kInternalError));
}

TEST_F(AuthorityTest, SignsOnce) {
  ASSERT_OK_AND_ASSIGN(TbsCertificate tbs, Prepare(kNow));
  EXPECT_OK(authority_->Sign(std::move(tbs)));
  // NOLINTNEXTLINE(bugprone-use-after-move): what is left of it must not be signable.
  EXPECT_THAT(authority_->Sign(std::move(tbs)), FailsWith(ErrorReason::kInternalError));
}

TEST_F(AuthorityTest, SaysWhetherTheKeySignsInThisProcess) {
  EXPECT_FALSE(authority_->signs_in_process());
  key_->SignInProcess();
  EXPECT_TRUE(authority_->signs_in_process());
}

TEST_F(AuthorityTest, CreateRefusesTheWrongKey) {
  auto key = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  const RootCertificate root = MakeRoot(*key);
  EXPECT_THAT(Authority::Create(root, *hsm::GenerateSoftwareKey(KeyType::kEcP256), profile_),
              FailsWith(ErrorReason::kKeyMismatch, "root.key"));
  EXPECT_THAT(Authority::Create(root, *hsm::GenerateSoftwareKey(KeyType::kEcP384), profile_),
              FailsWith(ErrorReason::kKeyMismatch, "root.key"));
  auto liar = std::make_unique<LyingKey>(std::move(key));
  liar->SignWithAnotherKey();
  EXPECT_THAT(Authority::Create(root, std::move(liar), profile_),
              FailsWith(ErrorReason::kKeyMismatch));
}

// Also where its leaves need GeneralizedTime, or both encodings.
TEST_F(AuthorityTest, CreateLintsEveryKindOfRoot) {
  for (const KeyType type : {KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048}) {
    ASSERT_OK_AND_ASSIGN(const std::string pem, hsm::GenerateSoftwareKeyPem(type));
    for (const Time now :
         {kNow, kFirstGeneralizedTime - days(15), kFirstGeneralizedTime + days(1)}) {
      for (const bool flag : {false, true}) {
        ASSERT_OK_AND_ASSIGN(auto key, hsm::SoftwareKeyFromPem(pem));
        RootCertificate root = MakeRoot(*key, now);
        ASSERT_OK_AND_ASSIGN(const LeafProfile profile, LeafProfile::Create({.backdate = hours(1),
                                                                             .lifetime = hours(24),
                                                                             .no_rev_avail = flag,
                                                                             .sid_uri = flag}));
        EXPECT_OK(Authority::Create(std::move(root), std::move(key), profile));
      }
    }
  }
}

// The root with its notAfter moved to one hour after its notBefore, signed again.
RootCertificate Shortened(const RootCertificate& root, hsm::SigningKey& key) {
  std::string tbs(ReadCertificate(root.der())->to_be_signed);
  std::string last, shorter;
  AppendTime(root.not_after(), &last);
  AppendTime(root.not_before() + hours(1), &shorter);
  tbs.replace(tbs.find(last), last.size(), shorter);
  return *RootCertificate::Parse(AssembleCertificate(tbs, key.type(), *key.Sign(tbs)));
}

TEST_F(AuthorityTest, CreateRefusesARootThatIsShorterThanItsLeaves) {
  auto key = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  RootCertificate root = Shortened(MakeRoot(*key), *key);
  EXPECT_THAT(Authority::Create(std::move(root), std::move(key), profile_),
              FailsWith(ErrorReason::kRootExpiring, "root.certificate"));
}

TEST_F(AuthorityTest, NothingOfTheRequestGetsIntoTheLeaf) {
  const std::string request = MakePkcs10(
      {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"},
      {"-subj", "/CN=evil-cn/O=evil-o", "-addext",
       "subjectAltName=DNS:evil-dns.example,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:"
       "evil-upn@contoso.example",
       "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign", "-addext",
       "extendedKeyUsage=serverAuth", "-addext", "1.3.6.1.4.1.311.25.2=ASN1:UTF8:evil-sid",
       "-addext", "crlDistributionPoints=URI:http://evil-crl.example"});
  for (const char* word : {"evil-cn", "evil-o", "evil-dns", "evil-upn", "evil-sid", "evil-crl"}) {
    ASSERT_TRUE(absl::StrContains(request, word)) << word;
  }
  ASSERT_OK_AND_ASSIGN(const RequestedKey key, ParseCertificateRequest(request, KeyPolicy()));
  const std::string entropy(kSerialSize, '\xff');
  ASSERT_OK_AND_ASSIGN(const TbsCertificate tbs,
                       authority_->Prepare({subject_, key, entropy, kNow}));
  EXPECT_FALSE(absl::StrContains(tbs.der(), "evil"));
  // Octet for octet what a request without any of it gives, but for the key and its identifier.
  std::string expected = Prepare(kNow)->der();
  const auto replace = [&expected](const std::string& from, const std::string& to) {
    const std::size_t at = expected.find(from);
    ASSERT_NE(at, std::string::npos);
    expected.replace(at, from.size(), to);
  };
  replace(requested_.subject_public_key_info(), key.subject_public_key_info());
  replace(requested_.key_identifier(), key.key_identifier());
  EXPECT_EQ(tbs.der(), expected);
}

static_assert(!std::is_copy_constructible_v<TbsCertificate>);
static_assert(!std::is_default_constructible_v<TbsCertificate>);
static_assert(!std::is_constructible_v<TbsCertificate, std::string>);
static_assert(!std::is_default_constructible_v<RequestedKey>);
static_assert(!std::is_default_constructible_v<Subject>);

}  // namespace
}  // namespace hourglass::ca
