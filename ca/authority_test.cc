#include "ca/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/pem.h"
#include "ca/issuers/intermediate_certificate.h"
#include "ca/issuers/root_certificate.h"
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
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);

// Signs as the key it was given says, until told to sign with another or to answer something else.
// Says of itself what a token would, until told to say that it signs in this process.
class LyingKey : public hsm::SigningKey {
 public:
  explicit LyingKey(std::unique_ptr<hsm::SigningKey> honest) : honest_(std::move(honest)) {}
  KeyType type() const override { return honest_->type(); }
  const std::string& public_key() const override { return honest_->public_key(); }
  bool signs_in_process() const override {
    return in_process_ ? honest_->signs_in_process() : SigningKey::signs_in_process();
  }
  absl::StatusOr<std::string> Sign(absl::string_view message) override {
    ++signed_;
    if (answer_.has_value()) return *answer_;
    const bool lies = other_ != nullptr && honest_signatures_-- <= 0;
    return lies ? other_->Sign(message) : honest_->Sign(message);
  }
  std::vector<absl::StatusOr<std::string>> SignAll(
      absl::Span<const absl::string_view> messages) override {
    ++calls_;
    auto signatures = SigningKey::SignAll(messages);
    if (drops_one_) signatures.pop_back();
    return signatures;
  }
  void TakeOutOfService() override { in_service_ = false; }
  bool in_service() const { return in_service_; }
  // Messages, and calls of SignAll.
  int signatures() const { return signed_; }
  int calls() const { return calls_; }

  void SignInProcess() { in_process_ = true; }
  void SignWithAnotherKey(int after_honest_signatures = 0) {
    other_ = *hsm::GenerateSoftwareKey(type());
    honest_signatures_ = after_honest_signatures;
  }
  void Answer(absl::StatusOr<std::string> answer) { answer_ = std::move(answer); }
  void DropOne() { drops_one_ = true; }

 private:
  std::unique_ptr<hsm::SigningKey> honest_, other_;
  std::optional<absl::StatusOr<std::string>> answer_;
  int honest_signatures_ = 0, signed_ = 0, calls_ = 0;
  bool in_service_ = true, in_process_ = false, drops_one_ = false;
};

RootCertificate MakeRoot(hsm::SigningKey& key, Time now = kNow, seconds duration = days(30),
                         bool issuing_sub_keys = false) {
  return *IssueRoot({.display_name = "Contoso",
                     .now = now,
                     .duration = duration,
                     .serial_entropy = std::string(kSerialSize, 's'),
                     .issuing_sub_keys = issuing_sub_keys},
                    key);
}

std::string MakeRequest(const std::string& options = "-subj /CN=anyone") {
  const TemporaryDirectory directory;
  const std::string out = directory.File("request.der");
  RunCommand(
      {"sh", "-c",
       absl::StrCat(
           "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null "
           "-outform DER -out ",
           out, " ", options)});
  return ReadFileOrDie(out);
}

using Certificates = std::vector<absl::StatusOr<std::string>>;

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest() { UseAFreshKey(); }

  // And a new authority with it.
  void UseAFreshKey() {
    auto key = std::make_unique<LyingKey>(*hsm::GenerateSoftwareKey(KeyType::kEcP256));
    key_ = key.get();
    RootCertificate root = MakeRoot(*key);
    authority_ = *Authority::Create(std::move(root), std::move(key), profile_);
  }

  absl::StatusOr<TbsCertificate> Prepare(Time now) const {
    return authority_->Prepare({subject_, requested_, std::string(kSerialSize, '\xff'), now});
  }

  Certificates SignTogether(int count) const {
    std::vector<TbsCertificate> tbs;
    for (int i = 0; i < count; ++i) tbs.push_back(*Prepare(kNow));
    return authority_->SignAll(std::move(tbs));
  }

  LeafProfile profile_ = *LeafProfile::Create({});
  Subject subject_ = *Subject::Create("alice@contoso.example", "id-1");
  RequestedKey requested_ = *ParseCertificateRequest(MakeRequest(), KeyPolicy());
  LyingKey* key_;
  std::unique_ptr<Authority> authority_;
};

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

TEST_F(AuthorityTest, ReleasesNoSignatureThatDoesNotVerify) {
  const auto sign = [this] { return authority_->Sign(*Prepare(kNow)); };
  EXPECT_OK(sign());
  key_->Answer(Error(ErrorReason::kKeyUnavailable, "root.key", "the token is gone"));
  EXPECT_THAT(sign(), FailsWith(ErrorReason::kKeyUnavailable, "root.key"));
  EXPECT_TRUE(key_->in_service());
  key_->Answer(std::string("no signature"));
  EXPECT_THAT(sign(), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(key_->in_service());
  key_->Answer(std::string());
  EXPECT_THAT(sign(), FailsWith(ErrorReason::kKeyMismatch));
}

TEST_F(AuthorityTest, ReleasesNoSignatureOfAnotherKey) {
  EXPECT_OK(authority_->Sign(*Prepare(kNow)));
  EXPECT_TRUE(key_->in_service());
  key_->SignWithAnotherKey();
  EXPECT_THAT(authority_->Sign(*Prepare(kNow)), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(key_->in_service());
}

TEST_F(AuthorityTest, SignsSeveralInOrderWithOneCall) {
  std::vector<TbsCertificate> tbs;
  std::vector<std::string> expected;
  for (int i = 0; i < 5; ++i) {
    tbs.push_back(*Prepare(kNow + seconds(i)));
    expected.push_back(tbs.back().der());
  }
  const int before = key_->calls();
  const Certificates certificates = authority_->SignAll(std::move(tbs));
  EXPECT_EQ(key_->calls(), before + 1);
  ASSERT_EQ(certificates.size(), expected.size());
  const auto verifier = *hsm::VerifyingKey::FromPublicKey(authority_->root().public_key());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_OK(certificates[i]);
    const CertificateView certificate = *ReadCertificate(*certificates[i]);
    EXPECT_EQ(certificate.to_be_signed, expected[i]);
    EXPECT_OK(verifier.Verify(certificate.to_be_signed, certificate.signature));
  }
  EXPECT_TRUE(authority_->SignAll({}).empty());
}

TEST_F(AuthorityTest, OneBadItemOfSeveralFailsAlone) {
  auto other_key = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  RootCertificate other_root = MakeRoot(*other_key);
  ASSERT_OK_AND_ASSIGN(const auto other,
                       Authority::Create(std::move(other_root), std::move(other_key), profile_));
  std::vector<TbsCertificate> tbs;
  tbs.push_back(*Prepare(kNow));
  tbs.push_back(*other->Prepare({subject_, requested_, std::string(kSerialSize, 'x'), kNow}));
  tbs.push_back(*Prepare(kNow + seconds(2)));
  const std::string last = tbs[2].der();
  const int before = key_->signatures();
  const Certificates certificates = authority_->SignAll(std::move(tbs));
  EXPECT_EQ(key_->signatures(), before + 2);
  ASSERT_EQ(certificates.size(), 3U);
  EXPECT_OK(certificates[0]);
  EXPECT_THAT(certificates[1], FailsWith(ErrorReason::kInternalError));
  ASSERT_OK(certificates[2]);
  EXPECT_EQ(ReadCertificate(*certificates[2])->to_be_signed, last);
  EXPECT_TRUE(key_->in_service());
}

TEST_F(AuthorityTest, AKeyThatAnswersTooFewReleasesNothing) {
  key_->SignInProcess();
  key_->DropOne();
  for (const auto& certificate : SignTogether(3)) {
    EXPECT_THAT(certificate, FailsWith(ErrorReason::kInternalError));
  }
}

TEST_F(AuthorityTest, SaysWhetherTheKeySignsInThisProcess) {
  EXPECT_FALSE(authority_->signs_in_process());
  key_->SignInProcess();
  EXPECT_TRUE(authority_->signs_in_process());
}

// Whatever the count: each one signature by another key is found, and the honest ones around it
// are released.
TEST_F(AuthorityTest, FindsEverySignatureOfATokenThatDoesNotVerify) {
  for (int wrong_from = 0; wrong_from <= 40; ++wrong_from) {
    key_->SignWithAnotherKey(wrong_from);
    const Certificates together = SignTogether(41);
    for (int i = 0; i <= 40; ++i) {
      EXPECT_EQ(together[i].ok(), i < wrong_from) << i << " of " << wrong_from;
    }
    EXPECT_THAT(together[40], FailsWith(ErrorReason::kKeyMismatch));
    EXPECT_FALSE(key_->in_service());
  }
  key_->SignWithAnotherKey(20);
  for (int i = 0; i <= 40; ++i) EXPECT_EQ(authority_->Sign(*Prepare(kNow)).ok(), i < 20) << i;
}

TEST_F(AuthorityTest, VerifiesTheFirstSignatureOfAKeyInThisProcess) {
  key_->SignInProcess();
  key_->SignWithAnotherKey();
  EXPECT_THAT(authority_->Sign(*Prepare(kNow)), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(key_->in_service());
}

// A key in this process that goes wrong at any point is found within kVerifiedOneIn signatures,
// and out of service then. The bound is kept and no more is verified than it takes.
TEST_F(AuthorityTest, FindsAKeyInThisProcessThatGoesWrongWithinItsSample) {
  for (int wrong_from = 1; wrong_from <= 33; ++wrong_from) {
    UseAFreshKey();
    key_->SignInProcess();
    key_->SignWithAnotherKey(wrong_from);
    int issued = 0;
    while (key_->in_service()) {
      ASSERT_LT(issued, 100);
      issued += authority_->Sign(*Prepare(kNow)).ok() ? 1 : 0;
    }
    constexpr int kOneIn = static_cast<int>(kVerifiedOneIn);
    const int found_at = (wrong_from + kOneIn - 1) / kOneIn * kOneIn;
    EXPECT_EQ(issued, found_at) << wrong_from;
  }
}

// One wrong signature makes the whole batch be looked at.
TEST_F(AuthorityTest, ABatchWithAWrongSampleReleasesOnlyWhatVerifies) {
  key_->SignInProcess();
  key_->SignWithAnotherKey(/*after_honest_signatures=*/10);
  const Certificates certificates = SignTogether(40);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(certificates[i].ok(), i < 10) << i;
  EXPECT_THAT(certificates[39], FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(key_->in_service());
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
  const std::string request = MakeRequest(
      "-subj /CN=evil-cn/O=evil-o -addext "
      "'subjectAltName=DNS:evil-dns.example,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:evil-upn@contoso."
      "example' "
      "-addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=keyCertSign' -addext "
      "'extendedKeyUsage=serverAuth' "
      "-addext '1.3.6.1.4.1.311.25.2=ASN1:UTF8:evil-sid' -addext "
      "'crlDistributionPoints=URI:http://evil-crl.example'");
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

class SubKeyTest : public AuthorityTest {
 protected:
  SubKeyTest() {
    auto root_key = *hsm::GenerateSoftwareKey(KeyType::kRsa2048);
    RootCertificate root = MakeRoot(*root_key, kNow, days(30), /*issuing_sub_keys=*/true);
    root_ = *Authority::Create(std::move(root), std::move(root_key), profile_);
    auto key = std::make_unique<LyingKey>(*hsm::GenerateSoftwareKey(KeyType::kEcP256));
    key_ = key.get();
    const IntermediateCertificate intermediate = MakeIntermediate(*key);
    authority_ = *Authority::CreateForSubKey(root_->root(), intermediate, std::move(key), profile_);
  }

  IntermediateCertificate MakeIntermediate(const hsm::SigningKey& key, Time now = kNow) {
    return *root_->SignIntermediate(
        *root_->PrepareIntermediate(Specification(now), key.public_key()));
  }

  static IntermediateSpecification Specification(Time now = kNow) {
    return {.display_name = "Contoso",
            .now = now,
            .lifetime = hours(24),
            .serial_entropy = std::string(kSerialSize, 'i')};
  }

  std::unique_ptr<Authority> root_;
};

TEST_F(SubKeyTest, LeavesAreTheIntermediatesAndChainToTheRoot) {
  ASSERT_NE(authority_->intermediate(), nullptr);
  EXPECT_EQ(root_->intermediate(), nullptr);
  ASSERT_OK_AND_ASSIGN(const std::string certificate, authority_->Sign(*Prepare(kNow)));
  const CertificateView leaf = *ReadCertificate(certificate);
  EXPECT_EQ(leaf.issuer, authority_->intermediate()->subject());
  EXPECT_EQ(leaf.algorithm, SignatureAlgorithm(KeyType::kEcP256));
  const std::vector<std::string> chain = authority_->chain();
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[0], authority_->intermediate()->der());
  EXPECT_EQ(chain[1], root_->root().der());
  EXPECT_EQ(root_->chain(), std::vector<std::string>{root_->root().der()});
  const TemporaryDirectory directory;
  const std::string root = directory.Write("root.pem", EncodePem(kCertificateLabel, chain[1]));
  const std::string above = directory.Write("sub.pem", EncodePem(kCertificateLabel, chain[0]));
  const std::string file = directory.Write("leaf.pem", EncodePem(kCertificateLabel, certificate));
  const std::vector<std::string> verify = {"openssl",
                                           "verify",
                                           "-x509_strict",
                                           "-purpose",
                                           "sslclient",
                                           "-attime",
                                           absl::StrCat(kNow.time_since_epoch().count()),
                                           "-CAfile",
                                           root};
  std::vector<std::string> with_chain = verify, without = verify;
  with_chain.insert(with_chain.end(), {"-untrusted", above, file});
  without.push_back(file);
  EXPECT_EQ(RunCommand(with_chain).output, absl::StrCat(file, ": OK\n"));
  EXPECT_THAT(RunCommand(without).output,
              testing::HasSubstr("error 20 at 0 depth lookup: unable to get local issuer"));
}

TEST_F(SubKeyTest, LeavesStayWithinTheIntermediate) {
  const Time first = kNow - minutes(55), last = kNow + hours(23);
  EXPECT_OK(Prepare(first));
  EXPECT_THAT(Prepare(first - seconds(1)),
              FailsWith(ErrorReason::kRootNotYetValid, "intermediate.certificate"));
  EXPECT_OK(Prepare(last));
  EXPECT_THAT(Prepare(last + seconds(1)),
              FailsWith(ErrorReason::kRootExpiring, "intermediate.certificate"));
}

TEST_F(SubKeyTest, ReleasesNoSignatureOfAnotherKey) {
  EXPECT_OK(authority_->Sign(*Prepare(kNow)));
  key_->SignWithAnotherKey();
  EXPECT_THAT(authority_->Sign(*Prepare(kNow)), FailsWith(ErrorReason::kKeyMismatch));
}

TEST_F(SubKeyTest, CreateRefusesTheWrongKeyAndTheWrongRoot) {
  auto key = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  const IntermediateCertificate intermediate = MakeIntermediate(*key);
  EXPECT_THAT(Authority::CreateForSubKey(root_->root(), intermediate,
                                         *hsm::GenerateSoftwareKey(KeyType::kEcP256), profile_),
              FailsWith(ErrorReason::kKeyMismatch, "intermediate.key"));
  auto other_key = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  EXPECT_THAT(Authority::CreateForSubKey(MakeRoot(*other_key, kNow, days(30), true), intermediate,
                                         std::move(key), profile_),
              FailsWith(ErrorReason::kInternalError, "intermediate.certificate"));
}

TEST_F(SubKeyTest, AnIntermediateHasNoneUnderIt) {
  auto key = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  EXPECT_THAT(authority_->PrepareIntermediate(Specification(), key->public_key()),
              FailsWith(ErrorReason::kInternalError, "intermediate.certificate"));
  ASSERT_OK_AND_ASSIGN(TbsIntermediate tbs,
                       root_->PrepareIntermediate(Specification(), key->public_key()));
  EXPECT_THAT(authority_->SignIntermediate(std::move(tbs)),
              FailsWith(ErrorReason::kInternalError, "intermediate.certificate"));
}

TEST_F(SubKeyTest, SaysAgainWhatAnIntermediateWasAskedToSign) {
  const LeafRequest request{subject_, requested_, std::string(kSerialSize, 'r'), kNow};
  ASSERT_OK_AND_ASSIGN(const TbsCertificate tbs, authority_->Prepare(request));
  ASSERT_OK_AND_ASSIGN(const std::string again,
                       Authority::ToBeSignedBy(authority_->issuer(), profile_, request));
  EXPECT_EQ(again, tbs.der());
  ASSERT_OK_AND_ASSIGN(const std::string of_root,
                       Authority::ToBeSignedBy(root_->issuer(), profile_, request));
  EXPECT_NE(of_root, tbs.der());
  EXPECT_EQ(of_root, root_->Prepare(request)->der());
}

static_assert(!std::is_copy_constructible_v<TbsCertificate>);
static_assert(!std::is_default_constructible_v<TbsCertificate>);
static_assert(!std::is_constructible_v<TbsCertificate, std::string>);
static_assert(!std::is_default_constructible_v<RequestedKey>);
static_assert(!std::is_default_constructible_v<Subject>);

}  // namespace
}  // namespace hourglass::ca
