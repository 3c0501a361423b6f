#include "ca/certificate/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/der.h"
#include "ca/encoding/oids.h"
#include "ca/testing/openssl_certificates.h"
#include "tests/support/hex.h"

namespace hourglass::ca {
namespace {

// The elements of a TBSCertificate, to be put together in other ways.
struct Elements {
  std::string version, serial, algorithm, issuer, validity, subject, key, unique, extensions;

  std::string Certificate() const {
    const std::string tbs = der::Encode(
        der::kSequence,
        {version, serial, algorithm, issuer, validity, subject, key, unique, extensions});
    return der::Encode(der::kSequence, {tbs, algorithm, Hex("030200ab")});
  }
};

std::string Extensions(absl::string_view list) {
  return der::Encode(der::Constructed(3), {der::Encode(der::kSequence, {list})});
}

Elements ElementsOf(absl::string_view certificate) {
  const CertificateView view = *ReadCertificate(certificate);
  Elements elements;
  elements.version = Hex("a003020102");
  elements.serial = der::Encode(der::kInteger, {view.serial_number});
  elements.algorithm = std::string(view.signed_algorithm);
  elements.issuer = std::string(view.issuer);
  elements.validity = der::Encode(der::kSequence, {view.not_before, view.not_after});
  elements.subject = std::string(view.subject);
  elements.key = std::string(view.subject_public_key_info);
  elements.extensions = Extensions(EncodeExtension(oids::kKeyUsage, true, Hex("03020780")));
  return elements;
}

constexpr std::string Elements::*kEach[] = {
    &Elements::version, &Elements::serial,   &Elements::algorithm,
    &Elements::issuer,  &Elements::validity, &Elements::subject,
    &Elements::key,     &Elements::unique,   &Elements::extensions};

class CertificateTest : public OpensslCertificates {
 protected:
  CertificateTest() : certificate_(Make(kP256Key)), elements_(ElementsOf(certificate_)) {}

  const std::string certificate_;
  const Elements elements_;
};

TEST_F(CertificateTest, ReadsWhatOpensslReads) {
  for (const auto& key : {kP256Key, kP384Key, kRsaKey}) {
    const std::string certificate = Make(key);
    const std::optional<CertificateView> view = ReadCertificate(certificate);
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(Describe(*view), DescribeByOpenssl(certificate));
    EXPECT_GE(view->extensions.size(), 4U);
  }
}

TEST_F(CertificateTest, TheViewLiesWithinTheOctets) {
  const CertificateView view = *ReadCertificate(certificate_);
  const absl::string_view whole = certificate_;
  const std::less_equal<const char*> not_after;
  std::vector<absl::string_view> parts = {
      view.to_be_signed,     view.version,  view.serial_number,
      view.signed_algorithm, view.issuer,   view.not_before,
      view.not_after,        view.subject,  view.subject_public_key_info,
      view.algorithm,        view.signature};
  for (const ExtensionView& extension : view.extensions) {
    parts.insert(parts.end(), {extension.oid, extension.value});
  }
  for (const absl::string_view part : parts) {
    EXPECT_TRUE(not_after(whole.data(), part.data()));
    EXPECT_TRUE(not_after(part.data() + part.size(), whole.data() + whole.size()));
  }
}

TEST_F(CertificateTest, NoPartOfACertificateIsOne) {
  ASSERT_TRUE(ReadCertificate(certificate_).has_value());
  for (std::size_t size = 0; size < certificate_.size(); ++size) {
    EXPECT_FALSE(ReadCertificate(certificate_.substr(0, size)).has_value()) << size;
    EXPECT_FALSE(ReadCertificate(certificate_.substr(certificate_.size() - size)).has_value());
  }
  EXPECT_FALSE(ReadCertificate(certificate_ + certificate_).has_value());
  EXPECT_FALSE(ReadCertificate(certificate_ + '\0').has_value());
  EXPECT_FALSE(ReadCertificate(std::string(1 << 20, '\x30')).has_value());
}

// And no flip that leaves a certificate is overlooked. Ours only takes it apart, so that it may
// read what OpenSSL refuses: that leaves nothing to compare.
TEST_F(CertificateTest, WhatBothReadOfAFlippedBitIsTheSame) {
  const std::string original = Describe(*ReadCertificate(certificate_));
  int by_both = 0;
  for (std::size_t i = 0; i < certificate_.size() * 8; ++i) {
    std::string flipped = certificate_;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    const std::optional<CertificateView> view = ReadCertificate(flipped);
    if (!view.has_value()) continue;
    EXPECT_NE(Describe(*view), original) << "bit " << i;
    const std::string by_openssl = DescribeByOpenssl(flipped);
    if (by_openssl.empty()) continue;
    ++by_both;
    EXPECT_EQ(Describe(*view), by_openssl) << "bit " << i;
  }
  EXPECT_GT(by_both, 1000) << "many of them were compared";
}

// Left out, twice, or something else in its place: only what is optional may be missing.
TEST_F(CertificateTest, EveryElementStandsOnceInItsPlace) {
  ASSERT_TRUE(ReadCertificate(elements_.Certificate()).has_value());
  ASSERT_NE(DescribeByOpenssl(elements_.Certificate()), "");
  Elements with_unique = elements_;
  with_unique.unique = Hex("8102005582020055");
  for (std::string Elements::*const element : kEach) {
    const std::ptrdiff_t index = std::find(std::begin(kEach), std::end(kEach), element) - kEach;
    Elements without = with_unique, twice = with_unique, other = with_unique;
    (without.*element).clear();
    const bool optional = element == &Elements::version || element == &Elements::unique ||
                          element == &Elements::extensions;
    EXPECT_EQ(ReadCertificate(without.Certificate()).has_value(), optional) << index;
    EXPECT_EQ(!DescribeByOpenssl(without.Certificate()).empty(), optional) << index;
    twice.*element += twice.*element;
    EXPECT_FALSE(ReadCertificate(twice.Certificate()).has_value()) << index;
    EXPECT_EQ(DescribeByOpenssl(twice.Certificate()), "") << index;
    other.*element = Hex("0500");
    EXPECT_FALSE(ReadCertificate(other.Certificate()).has_value()) << index;
    EXPECT_EQ(DescribeByOpenssl(other.Certificate()), "") << index;
  }
}

TEST_F(CertificateTest, TheWholeIsThreeElements) {
  const CertificateView view = *ReadCertificate(certificate_);
  const std::string tbs(view.to_be_signed), algorithm(view.algorithm), bits = Hex("030200ab");
  const auto reads = [](absl::string_view content, der::Tag tag = der::kSequence) {
    return ReadCertificate(der::Encode(tag, {content})).has_value();
  };
  EXPECT_TRUE(reads(tbs + algorithm + bits));
  EXPECT_TRUE(reads(tbs + algorithm + Hex("030100"))) << "no octets are a signature, too";
  EXPECT_FALSE(reads(tbs + algorithm + bits, der::kSet));
  for (const std::string& content :
       {std::string(), tbs, tbs + algorithm, algorithm + bits, tbs + bits, algorithm + tbs + bits,
        tbs + algorithm + bits + bits, tbs + algorithm + bits + Hex("0500"),
        tbs + algorithm + algorithm + bits, tbs + Hex("0500") + bits,
        tbs + algorithm + Hex("0402ab00"), tbs + algorithm + Hex("0300"),
        tbs + algorithm + Hex("030201aa"), tbs + algorithm + Hex("0500"),
        Hex("3000") + algorithm + bits}) {
    EXPECT_FALSE(reads(content)) << absl::BytesToHexString(content);
  }
}

TEST_F(CertificateTest, WhatIsAbsentIsEmpty) {
  Elements elements = elements_;
  elements.version.clear();
  elements.extensions.clear();
  const std::string certificate = elements.Certificate();
  const std::optional<CertificateView> view = ReadCertificate(certificate);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->version, "");
  EXPECT_TRUE(view->extensions.empty());
  EXPECT_FALSE(view->has_unique_identifiers);
  EXPECT_EQ(view->Find(oids::kKeyUsage), nullptr);
}

TEST_F(CertificateTest, EitherUniqueIdentifierIsSeen) {
  for (const char* unique : {"81020055", "82020055", "8102005582020055"}) {
    Elements elements = elements_;
    elements.unique = Hex(unique);
    const std::string certificate = elements.Certificate();
    const std::optional<CertificateView> view = ReadCertificate(certificate);
    ASSERT_TRUE(view.has_value()) << unique;
    EXPECT_TRUE(view->has_unique_identifiers) << unique;
    EXPECT_NE(DescribeByOpenssl(certificate), "") << unique;
  }
  for (const char* unique : {"8202005581020055", "a1020055", "80020055", "83020055"}) {
    Elements elements = elements_;
    elements.unique = Hex(unique);
    EXPECT_FALSE(ReadCertificate(elements.Certificate()).has_value()) << unique;
  }
}

// Extensions as they are written; the first is sound, and so are the three after it.
TEST_F(CertificateTest, ExtensionsAreAnOidACriticalityAndAValue) {
  const std::pair<const char*, bool> lists[] = {
      {"300e0603551d0f0101ff040403020780", true},
      {"300b0603551d0f040403020780", true},
      {"300e0603551d0f010100040403020780", true},
      {"30090603551d0f04020500", true},
      {"", true},
      {"300e0603551d0f010101040403020780", false},
      {"300e0603551d0f0201ff040403020780", false},
      {"300f0603551d0f0102ffff040403020780", false},
      {"30110603551d0f0101ff0101ff040403020780", false},
      {"30080603551d0f0101ff", false},
      {"30090101ff040403020780", false},
      {"300e0101ff0603551d0f040403020780", false},
      {"30100603551d0f0101ff0404030207800500", false},
      {"300e0603551d0f0101ff030403020780", false},
      {"310e0603551d0f0101ff040403020780", false},
      {"0500", false},
      {"3000", false},
  };
  for (const auto& [list, sound] : lists) {
    Elements elements = elements_;
    elements.extensions = Extensions(Hex(list));
    EXPECT_EQ(ReadCertificate(elements.Certificate()).has_value(), sound) << list;
  }
  for (const char* wrapped : {"a300", "a3023100", "a30430003000", "a3020500", "a2023000"}) {
    Elements elements = elements_;
    elements.extensions = Hex(wrapped);
    EXPECT_FALSE(ReadCertificate(elements.Certificate()).has_value()) << wrapped;
  }
}

TEST_F(CertificateTest, CriticalityIsWhatIsWritten) {
  Elements elements = elements_;
  elements.extensions =
      Extensions(Hex("30090603551d0e04020500"
                     "300c0603551d0f0101ff04020500"
                     "300c0603551d1101010004020500"
                     "30090603551d0f0402ffff"));
  const std::string certificate = elements.Certificate();
  const std::optional<CertificateView> view = ReadCertificate(certificate);
  ASSERT_TRUE(view.has_value());
  ASSERT_EQ(view->extensions.size(), 4U);
  const bool critical[] = {false, true, false, false}, writes[] = {false, false, true, false};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(view->extensions[i].critical, critical[i]) << i;
    EXPECT_EQ(view->extensions[i].writes_default, writes[i]) << i;
  }
  EXPECT_EQ(view->Find(oids::kKeyUsage), &view->extensions[1]) << "the first of two";
  EXPECT_EQ(view->Find(oids::kSubjectAltName)->value, Hex("0500"));
  EXPECT_EQ(view->Find(oids::kBasicConstraints), nullptr);
  EXPECT_EQ(view->Find(""), nullptr);
}

}  // namespace
}  // namespace hourglass::ca
