#include "ca/certificate/certificate_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/der.h"
#include "ca/encoding/oids.h"
#include "ca/testing/key_info.h"
#include "ca/testing/openssl_certificates.h"
#include "tests/support/hex.h"

namespace hourglass::ca {
namespace {

TEST(CertificateRulesTest, TheVersionIsTheOctet2) {
  const std::pair<const char*, bool> versions[] = {{"02", true},  {"", false},   {"00", false},
                                                   {"01", false}, {"03", false}, {"0002", false},
                                                   {"82", false}};
  for (const auto& [hex, holds] : versions) {
    const std::string version = Hex(hex);
    CertificateView view{};
    view.version = version;
    EXPECT_EQ(IsVersion3(view), holds) << hex;
  }
}

// Of the two rules on the serial number each lets pass what the other catches.
TEST(CertificateRulesTest, SerialsArePositiveAndOf16Octets) {
  struct Case {
    std::string serial;
    bool positive, sized;
  };
  const Case cases[] = {
      {std::string(16, '\x01'), true, true},
      {std::string(16, '\x7f'), true, true},
      {std::string(16, '\x80'), false, true},
      {std::string(16, '\xff'), false, true},
      {std::string(15, '\x01'), true, false},
      {std::string(17, '\x01'), true, false},
      {std::string(1, '\x01'), true, false},
      {std::string(1, '\x00'), false, true},
      {"", false, false},
  };
  for (const Case& c : cases) {
    CertificateView view{};
    view.serial_number = c.serial;
    EXPECT_EQ(SerialIsPositive(view), c.positive) << absl::BytesToHexString(c.serial);
    EXPECT_EQ(SerialHasFixedSize(view), c.sized) << absl::BytesToHexString(c.serial);
  }
}

TEST(CertificateRulesTest, AlgorithmsAreEqualOctetForOctet) {
  CertificateView view{};
  const std::string ecdsa(SignatureAlgorithm(hsm::KeyType::kEcP256)),
      with_null = Hex("300c06082a8648ce3d0403020500");
  view.algorithm = view.signed_algorithm = ecdsa;
  EXPECT_TRUE(AlgorithmsAreEqual(view));
  view.algorithm = with_null;
  EXPECT_FALSE(AlgorithmsAreEqual(view));
  view.signed_algorithm = with_null;
  EXPECT_TRUE(AlgorithmsAreEqual(view));
}

// RFC 5280 section 4.1.2.5: UTCTime through 2049, with seconds and Z; GeneralizedTime from 2050.
TEST(CertificateRulesTest, TimesAreWrittenInOneWay) {
  const std::string sound = der::Encode(der::kUtcTime, {"261120000000Z"});
  const std::pair<std::string, bool> times[] = {
      {sound, true},
      {der::Encode(der::kUtcTime, {"491231235959Z"}), true},
      {der::Encode(der::kUtcTime, {"500101000000Z"}), true},  // 1950
      {der::Encode(der::kGeneralizedTime, {"20500101000000Z"}), true},
      {der::Encode(der::kGeneralizedTime, {"99991231235959Z"}), true},
      {der::Encode(der::kGeneralizedTime, {"20491231235959Z"}), false},
      {der::Encode(der::kGeneralizedTime, {"20500101000000.0Z"}), false},
      {der::Encode(der::kUtcTime, {"2611200000Z"}), false},
      {der::Encode(der::kUtcTime, {"261120000000+0000"}), false},
      {der::Encode(der::kUtcTime, {"261120000000"}), false},
      {der::Encode(der::kUtcTime, {"261320000000Z"}), false},
      {der::Encode(der::kUtcTime, {"260229000000Z"}), false},
      {der::Encode(der::kUtcTime, {"261120240000Z"}), false},
      {der::Encode(der::kOctetString, {"261120000000Z"}), false},
      {sound.substr(0, sound.size() - 1), false},
      {"", false},
  };
  for (const auto& [time, holds] : times) {
    CertificateView view{};
    view.not_before = view.not_after = sound;
    (holds ? view.not_before : view.not_after) = time;
    EXPECT_EQ(TimesAreWellWritten(view), holds) << time;
    EXPECT_EQ(ReadValidity(view).has_value(), holds) << time;
    std::swap(view.not_before, view.not_after);
    EXPECT_EQ(TimesAreWellWritten(view), holds) << time;
  }
}

TEST(CertificateRulesTest, ReadsTheValidityThatIsWritten) {
  const std::string first = der::Encode(der::kUtcTime, {"261120010203Z"}),
                    last = der::Encode(der::kGeneralizedTime, {"20500101000000Z"});
  CertificateView view{};
  view.not_before = first;
  view.not_after = last;
  const std::optional<Validity> validity = ReadValidity(view);
  ASSERT_TRUE(validity.has_value());
  // `date -ud '2026-11-20 01:02:03' +%s` and `date -ud 2050-01-01 +%s`.
  EXPECT_EQ(validity->not_before.time_since_epoch().count(), 1795136523);
  EXPECT_EQ(validity->not_after.time_since_epoch().count(), 2524608000);
  // In whatever order: that is for others to judge.
  std::swap(view.not_before, view.not_after);
  EXPECT_TRUE(ReadValidity(view).has_value());
}

TEST(CertificateRulesTest, UniqueIdentifiersAreNone) {
  CertificateView view{};
  EXPECT_TRUE(HasNoUniqueIdentifiers(view));
  view.has_unique_identifiers = true;
  EXPECT_FALSE(HasNoUniqueIdentifiers(view));
}

TEST(CertificateRulesTest, ExtensionsStandOnceAndWithoutTheDefault) {
  CertificateView view{};
  EXPECT_TRUE(ExtensionsAreNotRepeated(view));
  EXPECT_TRUE(DefaultsAreNotWritten(view));
  view.extensions = {{oids::kKeyUsage, true, false, "a"},
                     {oids::kSubjectAltName, false, false, "a"}};
  EXPECT_TRUE(ExtensionsAreNotRepeated(view));
  EXPECT_TRUE(DefaultsAreNotWritten(view));
  view.extensions.push_back({oids::kKeyUsage, false, false, "b"});
  EXPECT_FALSE(ExtensionsAreNotRepeated(view)) << "also where criticality and value differ";
  EXPECT_TRUE(DefaultsAreNotWritten(view));
  view.extensions.back() = {oids::kBasicConstraints, false, true, "b"};
  EXPECT_TRUE(ExtensionsAreNotRepeated(view));
  EXPECT_FALSE(DefaultsAreNotWritten(view));
}

TEST(CertificateRulesTest, AnExtensionIsItsTypeItsCriticalityAndItsValue) {
  CertificateView view{};
  EXPECT_FALSE(HasExtension(view, oids::kKeyUsage, false, ""));
  view.extensions = {{oids::kKeyUsage, true, false, "v"}, {oids::kKeyUsage, false, false, "w"}};
  EXPECT_TRUE(HasExtension(view, oids::kKeyUsage, true, "v"));
  EXPECT_FALSE(HasExtension(view, oids::kKeyUsage, false, "v"));
  EXPECT_FALSE(HasExtension(view, oids::kKeyUsage, true, "w"));
  EXPECT_FALSE(HasExtension(view, oids::kKeyUsage, false, "w")) << "only the first counts";
  EXPECT_FALSE(HasExtension(view, oids::kKeyUsage, true, "v2"));
  EXPECT_FALSE(HasExtension(view, oids::kSubjectAltName, true, "v"));
}

TEST(CertificateRulesTest, RevocationHasNoPointers) {
  const absl::string_view known[] = {oids::kKeyUsage};
  CertificateView view{};
  EXPECT_TRUE(PointsToNoRevocation(view));
  EXPECT_TRUE(HasOnlyExtensions(view, known));
  view.extensions = {{oids::kKeyUsage, true, false, ""}};
  EXPECT_TRUE(PointsToNoRevocation(view));
  EXPECT_TRUE(HasOnlyExtensions(view, known));
  EXPECT_FALSE(HasOnlyExtensions(view, {}));
  // cRLDistributionPoints, freshestCRL, authorityInfoAccess (RFC 5280 section 4.2).
  for (const char* pointer : {"551d1f", "551d2e", "2b06010505070101"}) {
    const std::string oid = Hex(pointer);
    view.extensions = {{oids::kKeyUsage, true, false, ""}, {oid, false, false, ""}};
    EXPECT_FALSE(PointsToNoRevocation(view)) << pointer;
    EXPECT_TRUE(HasOnlyExtensions(view, known)) << "is the other rule's " << pointer;
  }
  for (const char* other : {"551d20", "2b0601050507010b", "551d", ""}) {
    const std::string oid = Hex(other);
    view.extensions = {{oids::kKeyUsage, true, false, ""}, {oid, false, false, ""}};
    EXPECT_TRUE(PointsToNoRevocation(view)) << other;
    EXPECT_FALSE(HasOnlyExtensions(view, known)) << other;
  }
}

// What OpenSSL writes for the extensions that the rules want, by its names for them.
class ExtensionsByOpensslTest : public OpensslCertificates {};

TEST_F(ExtensionsByOpensslTest, TheSubjectKeyIdentifierIsTheHashOfTheKey) {
  for (const OpensslKey key : {kP256Key, kP384Key, kRsaKey}) {
    const std::string certificate = Make(key);
    EXPECT_TRUE(SubjectKeyIdentifierIsTheHash(*ReadCertificate(certificate)));
  }
  const std::string certificate = Make(kP256Key);
  CertificateView view = *ReadCertificate(certificate);
  for (ExtensionView& extension : view.extensions) {
    if (extension.oid == oids::kSubjectKeyIdentifier) extension.critical = true;
  }
  EXPECT_FALSE(SubjectKeyIdentifierIsTheHash(view));
  const std::string other = Make(kP256Key, {"subjectKeyIdentifier=00112233445566778899"});
  EXPECT_FALSE(SubjectKeyIdentifierIsTheHash(*ReadCertificate(other)));
  view.extensions.clear();
  EXPECT_FALSE(SubjectKeyIdentifierIsTheHash(view));
  view.subject_public_key_info = "";
  EXPECT_TRUE(SubjectKeyIdentifierIsTheHash(view)) << "the key is another rule's";
}

// RFC 5480 section 2 and RFC 3279 section 2.3.1, by what OpenSSL writes and what is made of it.
class KeyBitsTest : public OpensslCertificates {
 protected:
  static bool IsWellWritten(const std::string& key) {
    CertificateView view{};
    view.subject_public_key_info = key;
    EXPECT_EQ(KeyIsWellWritten(view), ReadKeyBits(key).has_value());
    return KeyIsWellWritten(view);
  }
};

TEST_F(KeyBitsTest, AreTheEndOfWhatOpensslWrites) {
  for (const auto& [key, size] : {std::pair{kP256Key, 65}, std::pair{kP384Key, 97}}) {
    const std::string certificate = Make(key);
    const absl::string_view info = ReadCertificate(certificate)->subject_public_key_info;
    EXPECT_EQ(ReadKeyBits(info), info.substr(info.size() - size));
    for (std::size_t cut = 0; cut < info.size(); ++cut) {
      EXPECT_FALSE(IsWellWritten(std::string(info.substr(0, cut)))) << cut;
    }
    EXPECT_FALSE(IsWellWritten(absl::StrCat(info, info)));
  }
  const std::string certificate = Make(kRsaKey);
  const absl::string_view info = ReadCertificate(certificate)->subject_public_key_info;
  // 2048 bits and 65537: a SEQUENCE of 270 octets behind 24.
  EXPECT_EQ(ReadKeyBits(info), info.substr(24));
  for (std::size_t cut = 0; cut < info.size(); ++cut) {
    EXPECT_FALSE(IsWellWritten(std::string(info.substr(0, cut)))) << cut;
  }
}

TEST_F(KeyBitsTest, PointsAreUncompressedOnANamedCurve) {
  const std::string p256 = absl::StrCat(kEcOid, kP256Oid), p384 = absl::StrCat(kEcOid, kP384Oid),
                    p521 = absl::StrCat(kEcOid, "06052b81040023");
  const std::string x32(32, 'x'), x48(48, 'x'), four = "\x04";
  EXPECT_TRUE(IsWellWritten(KeyInfo(p256, four + x32 + x32)));
  EXPECT_TRUE(IsWellWritten(KeyInfo(p384, four + x48 + x48)));
  EXPECT_FALSE(IsWellWritten(KeyInfo(p256, four + x48 + x48)));
  EXPECT_FALSE(IsWellWritten(KeyInfo(p384, four + x32 + x32)));
  EXPECT_FALSE(IsWellWritten(KeyInfo(p521, four + std::string(132, 'x'))));
  for (const char first : {'\x00', '\x02', '\x03', '\x05', '\x06', '\x07'}) {
    EXPECT_FALSE(IsWellWritten(KeyInfo(p256, first + x32 + x32)));
  }
  EXPECT_FALSE(IsWellWritten(KeyInfo(p256, "\x02" + x32)));
  EXPECT_FALSE(IsWellWritten(KeyInfo(p256, "")));
  EXPECT_FALSE(IsWellWritten(KeyInfo(p256, four + x32 + x32 + "x")));
  EXPECT_FALSE(IsWellWritten(KeyInfo(kEcOid, four + x32 + x32)));
  EXPECT_FALSE(IsWellWritten(KeyInfo(p256 + "0500", four + x32 + x32)));
  EXPECT_FALSE(IsWellWritten(KeyInfo(absl::StrCat(kEcOid, "3000"), four + x32 + x32)));
  EXPECT_FALSE(IsWellWritten(KeyInfo(absl::StrCat(kRsaOid, kP256Oid), four + x32 + x32)));
}

TEST_F(KeyBitsTest, RsaKeysAreTwoIntegersAndNull) {
  const std::string rsa = absl::StrCat(kRsaOid, "0500");
  const std::pair<const char*, const char*> faults[] = {
      {"3007020200c5020103", ""},
      {"30060201c5020103", "a negative modulus"},
      {"3007020200c5020183", "a negative exponent"},
      {"300702020045020103", "a modulus with a needless octet"},
      {"3008020200c502020003", "an exponent with a needless octet"},
      {"3004020200c5", "no exponent"},
      {"300a020200c5020103020103", "three numbers"},
      {"3107020200c5020103", "a SET"},
      {"3007020200c50201030500", "octets behind it"},
      {"3007030200c5020103", "a BIT STRING"},
      {"30050200020103", "no octets"},
      {"", "nothing"},
  };
  for (const auto& [numbers, fault] : faults) {
    EXPECT_EQ(IsWellWritten(KeyInfo(rsa, Hex(numbers))), *fault == '\0') << fault;
  }
  const std::string sound = Hex(faults[0].first);
  EXPECT_FALSE(IsWellWritten(KeyInfo(kRsaOid, sound))) << "without NULL";
  EXPECT_FALSE(IsWellWritten(KeyInfo(absl::StrCat(kRsaOid, "05000500"), sound)));
  EXPECT_FALSE(IsWellWritten(KeyInfo(absl::StrCat(kRsaOid, "3000"), sound)));
  EXPECT_FALSE(IsWellWritten(KeyInfo("06092a864886f70d01010a0500", sound))) << "RSASSA-PSS";
}

TEST_F(ExtensionsByOpensslTest, TheAuthorityKeyIdentifierHoldsNothingElse) {
  const std::string certificate = Make(kP256Key);
  CertificateView view = *ReadCertificate(certificate);
  const std::string identifier(view.Find(oids::kSubjectKeyIdentifier)->value.substr(2));
  EXPECT_TRUE(AuthorityKeyIdentifierIs(view, identifier));
  EXPECT_FALSE(AuthorityKeyIdentifierIs(view, identifier.substr(1)));
  EXPECT_FALSE(AuthorityKeyIdentifierIs(view, ""));
  for (ExtensionView& extension : view.extensions) {
    if (extension.oid == oids::kAuthorityKeyIdentifier) extension.critical = true;
  }
  EXPECT_FALSE(AuthorityKeyIdentifierIs(view, identifier));
  // With the issuer's name and serial number beside it.
  const std::string more = Make(
      kP256Key, {"subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid:always,issuer:always"});
  const CertificateView of_more = *ReadCertificate(more);
  ASSERT_NE(of_more.Find(oids::kAuthorityKeyIdentifier), nullptr);
  EXPECT_FALSE(AuthorityKeyIdentifierIs(
      of_more, of_more.Find(oids::kSubjectKeyIdentifier)->value.substr(2)));
  view.extensions.clear();
  EXPECT_FALSE(AuthorityKeyIdentifierIs(view, identifier));
}

TEST_F(ExtensionsByOpensslTest, ThePurposesAreTheTwoInThisOrder) {
  const std::pair<const char*, bool> purposes[] = {
      {"clientAuth,1.3.6.1.4.1.311.87", true},
      {"1.3.6.1.4.1.311.87,clientAuth", false},
      {"critical,clientAuth,1.3.6.1.4.1.311.87", false},
      {"clientAuth", false},
      {"1.3.6.1.4.1.311.87", false},
      {"clientAuth,1.3.6.1.4.1.311.87,serverAuth", false},
      {"clientAuth,1.3.6.1.4.1.311.88", false},
      {"anyExtendedKeyUsage", false},
  };
  for (const auto& [purpose, holds] : purposes) {
    const std::string certificate = Make(kP256Key, {absl::StrCat("extendedKeyUsage=", purpose)});
    const CertificateView view = *ReadCertificate(certificate);
    ASSERT_NE(view.Find(oids::kExtendedKeyUsage), nullptr);
    EXPECT_EQ(PurposesAreTheTwo(view), holds) << purpose;
  }
  EXPECT_FALSE(PurposesAreTheTwo(CertificateView{}));
}

}  // namespace
}  // namespace hourglass::ca
