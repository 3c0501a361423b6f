#include "ca/certificate/issuer_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/asn1.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/der.h"
#include "ca/encoding/oids.h"
#include "ca/encoding/time.h"
#include "ca/testing/key_info.h"
#include "ca/testing/openssl_certificates.h"
#include "hsm/base/openssl.h"
#include "hsm/key/key_type.h"
#include "tests/support/openssl_der.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"

namespace hourglass::ca {
namespace {

using hsm::KeyType;
using std::chrono::seconds;

// What RootCertificate and IntermediateCertificate are made from.
class Taken : public IssuerCertificate {
 public:
  Taken() = default;
  using IssuerCertificate::Take;
};

constexpr std::pair<OpensslKey, KeyType> kKeys[] = {
    {kP256Key, KeyType::kEcP256}, {kP384Key, KeyType::kEcP384}, {kRsaKey, KeyType::kRsa2048}};

// The value that OpenSSL gives the extension.
std::string KeyIdentifierIn(const CertificateView& view) {
  const ExtensionView* const extension = view.Find(oids::kSubjectKeyIdentifier);
  return std::string(*der::ReadOnly(extension->value, der::kOctetString));
}

class IssuerCertificateTest : public OpensslCertificates {};

TEST_F(IssuerCertificateTest, TakesOverWhatOpensslWrote) {
  for (const auto& [key, type] : kKeys) {
    const std::string certificate = Make(key);
    const CertificateView view = *ReadCertificate(certificate);
    Taken issuer;
    ASSERT_OK(issuer.Take(certificate, view));
    EXPECT_EQ(issuer.der(), certificate);
    EXPECT_EQ(issuer.subject(), view.subject);
    EXPECT_EQ(issuer.public_key(), view.subject_public_key_info);
    EXPECT_EQ(issuer.key_identifier(), KeyIdentifierIn(view));
    EXPECT_EQ(issuer.serial_number(), view.serial_number);
    EXPECT_EQ(issuer.key_type(), type);
    // OpenSSL looks at the clock for each of the two.
    EXPECT_GE(issuer.not_after() - issuer.not_before(), std::chrono::days(30));
    EXPECT_EQ(EncodeValidity(issuer.not_before(), issuer.not_after()),
              der::Encode(der::kSequence, {view.not_before, view.not_after}));
  }
}

// It keeps copies: what the view lies in may go.
TEST_F(IssuerCertificateTest, OutlivesTheOctets) {
  auto certificate = std::make_unique<std::string>(Make(kP256Key));
  const std::string kept = *certificate;
  Taken issuer;
  ASSERT_OK(issuer.Take(*certificate, *ReadCertificate(*certificate)));
  certificate->assign(certificate->size(), '\xee');
  certificate.reset();
  EXPECT_EQ(issuer.der(), kept);
  EXPECT_EQ(issuer.subject(), ReadCertificate(kept)->subject);
  EXPECT_EQ(issuer.serial_number(), ReadCertificate(kept)->serial_number);
}

TEST_F(IssuerCertificateTest, RefusesAValidityThatIsNone) {
  const std::string certificate = Make(kP256Key);
  const CertificateView sound = *ReadCertificate(certificate);
  const std::string first = der::Encode(der::kUtcTime, {"261120000000Z"}),
                    next = der::Encode(der::kUtcTime, {"261120000001Z"}),
                    generalized = der::Encode(der::kGeneralizedTime, {"20261120000000Z"});
  const auto take = [&](absl::string_view not_before, absl::string_view not_after) {
    CertificateView view = sound;
    view.not_before = not_before;
    view.not_after = not_after;
    Taken issuer;
    const absl::Status taken = issuer.Take(certificate, view);
    EXPECT_EQ(issuer.der().empty(), !taken.ok()) << "what is refused is not taken over";
    return taken;
  };
  EXPECT_OK(take(first, next));
  EXPECT_OK(take(first, first)) << "one second";
  EXPECT_THAT(take(next, first), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(take(generalized, next), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(take(first, generalized), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(take("", next), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(take(first, ""), FailsWith(ErrorReason::kFieldInvalid, ""));
}

class IssuerKeyTest : public OpensslCertificates {
 protected:
  IssuerKeyTest() : certificate_(Make(kP256Key)), sound_(*ReadCertificate(certificate_)) {}

  absl::Status Take(const std::string& key) const {
    CertificateView view = sound_;
    view.subject_public_key_info = key;
    Taken issuer;
    return issuer.Take(certificate_, view);
  }

  // SubjectPublicKeyInfo, DER, of a new key by `openssl genpkey OPTIONS`.
  static std::string Generate(absl::string_view options) {
    const std::vector<std::string> generate =
        absl::StrSplit(absl::StrCat("openssl genpkey -quiet ", options), ' ');
    const CommandResult made = RunCommand(generate);
    EXPECT_EQ(made.exit_code, 0) << made.output;
    const CommandResult written =
        RunCommand({"openssl", "pkey", "-pubout", "-outform", "DER"}, made.output);
    EXPECT_EQ(written.exit_code, 0) << written.output;
    return written.output;
  }

  const std::string certificate_;
  const CertificateView sound_;
};

TEST_F(IssuerKeyTest, RefusesKeysThatSignNoCertificates) {
  const std::string sound(sound_.subject_public_key_info);
  ASSERT_OK(Take(sound));
  for (const char* options : {"-algorithm ED25519", "-algorithm RSA -pkeyopt rsa_keygen_bits:1024",
                              "-algorithm RSA -pkeyopt rsa_keygen_bits:2056",
                              "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
                              "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1"}) {
    EXPECT_THAT(Take(Generate(options)), FailsWith(ErrorReason::kKeyUnsupported, "")) << options;
  }
  std::string off_curve = sound, compressed = sound;
  off_curve.back() = static_cast<char>(off_curve.back() ^ 1);
  EXPECT_THAT(Take(off_curve), FailsWith(ErrorReason::kKeyInvalid, ""));
  EXPECT_THAT(Take(""), FailsWith(ErrorReason::kKeyInvalid, ""));
  EXPECT_THAT(Take(sound + '\0'), FailsWith(ErrorReason::kKeyUnsupported, ""));
  const absl::Status refused = Take(off_curve);
  EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("the key is unfit: "));
}

// No octets that Take accepts as a key are without a key identifier, whatever is flipped.
TEST_F(IssuerKeyTest, EveryKeyThatIsTakenHasAnIdentifier) {
  for (const auto& [key, type] : kKeys) {
    const std::string certificate = Make(key);
    const std::string info(ReadCertificate(certificate)->subject_public_key_info);
    int taken = 0;
    for (std::size_t i = 0; i < info.size() * 8; ++i) {
      std::string flipped = info;
      flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
      if (!Take(flipped).ok()) continue;
      ++taken;
      EXPECT_TRUE(KeyIdentifierOf(flipped).has_value()) << hsm::KeyTypeName(type) << " " << i;
    }
    EXPECT_EQ(taken > 0, key == kRsaKey) << taken << ": other moduli are moduli, other points none";
  }
}

TEST_F(IssuerCertificateTest, KeyIdentifiersAreOpenssls) {
  for (const auto& [key, type] : kKeys) {
    const std::string certificate = Make(key);
    const CertificateView view = *ReadCertificate(certificate);
    const std::optional<std::string> identifier = KeyIdentifierOf(view.subject_public_key_info);
    EXPECT_EQ(identifier, KeyIdentifierIn(view));
    EXPECT_EQ(identifier->size(), 20U);
  }
  EXPECT_EQ(KeyIdentifierOf(""), std::nullopt);
  EXPECT_EQ(KeyIdentifierOf("no key"), std::nullopt);
  // Ed25519 (RFC 8410 section 4).
  EXPECT_EQ(KeyIdentifierOf(KeyInfo("06032b6570", std::string(32, 'k'))), std::nullopt);
}

std::string TimeByOpenssl(Time time) {
  const OpensslPtr<ASN1_TIME, ASN1_TIME_free> written(
      ASN1_TIME_set(nullptr, time.time_since_epoch().count()));
  return DerByOpenssl(i2d_ASN1_TIME, written.get());
}

TEST_F(IssuerCertificateTest, ValidityIsOpenssls) {
  const Time times[] = {kFirstTime,
                        Time(seconds(-1)),
                        Time(seconds(0)),
                        Time(seconds(1795136523)),
                        kFirstGeneralizedTime - seconds(1),
                        kFirstGeneralizedTime,
                        kLastTime};
  for (const Time first : times) {
    for (const Time last : times) {
      EXPECT_EQ(EncodeValidity(first, last),
                der::Encode(der::kSequence, {TimeByOpenssl(first), TimeByOpenssl(last)}));
    }
  }
}

// Put together from the parts of OpenSSL's certificate it is what OpenSSL signed.
TEST_F(IssuerCertificateTest, EncodesWhatOpensslDoes) {
  for (const auto& [key, type] : kKeys) {
    const std::string certificate = Make(key);
    const CertificateView view = *ReadCertificate(certificate);
    Taken issuer;
    ASSERT_OK(issuer.Take(certificate, view));
    std::string extensions;
    for (const ExtensionView& extension : view.extensions) {
      extensions += EncodeExtension(extension.oid, extension.critical, extension.value);
    }
    EXPECT_EQ(EncodeIssuer({.serial_number = view.serial_number,
                            .signer = type,
                            .issuer = view.issuer,
                            .not_before = issuer.not_before(),
                            .not_after = issuer.not_after(),
                            .subject = view.subject,
                            .public_key = view.subject_public_key_info,
                            .extensions = extensions}),
              view.to_be_signed);
  }
}

// Nothing of one field gets into another's place.
TEST_F(IssuerCertificateTest, EveryFieldStandsInItsPlace) {
  const std::string certificate = Make(kP256Key), name = EncodeCommonName("above"),
                    serial(kSerialSize, '\x41');
  const std::string key(ReadCertificate(certificate)->subject_public_key_info);
  const std::string subject = EncodeCommonName("below");
  const std::string tbs =
      EncodeIssuer({serial, KeyType::kRsa3072, name, kFirstTime, kLastTime, subject, key,
                    EncodeExtension(oids::kKeyUsage, true, "\x05\x00")});
  const std::string whole = AssembleCertificate(tbs, KeyType::kEcP384, "s");
  const std::optional<CertificateView> view = ReadCertificate(whole);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->version, "\x02");
  EXPECT_EQ(view->serial_number, serial);
  EXPECT_EQ(view->signed_algorithm, SignatureAlgorithm(KeyType::kRsa3072));
  EXPECT_EQ(view->issuer, name);
  EXPECT_EQ(view->not_before, TimeByOpenssl(kFirstTime));
  EXPECT_EQ(view->not_after, TimeByOpenssl(kLastTime));
  EXPECT_EQ(view->subject, subject);
  EXPECT_EQ(view->subject_public_key_info, key);
  ASSERT_EQ(view->extensions.size(), 1U);
  EXPECT_TRUE(view->extensions[0].critical);
}

}  // namespace
}  // namespace hourglass::ca
