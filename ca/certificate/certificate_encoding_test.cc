#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/oids.h"
#include "ca/testing/openssl_certificates.h"
#include "hsm/base/openssl.h"
#include "hsm/key/key_type.h"
#include "tests/support/openssl_der.h"

namespace hourglass::ca {
namespace {

using hsm::KeyType;

// Every expected value is OpenSSL's.
class CertificateEncodingTest : public OpensslCertificates {};

TEST(SerialFromEntropyTest, SetsTwoBitsAndKeepsTheOthers) {
  const std::pair<char, char> first[] = {{'\x00', '\x40'}, {'\x3f', '\x7f'}, {'\x40', '\x40'},
                                         {'\x7f', '\x7f'}, {'\x80', '\x40'}, {'\xbf', '\x7f'},
                                         {'\xc0', '\x40'}, {'\xff', '\x7f'}};
  for (const auto& [entropy, serial] : first) {
    for (const char rest : {'\x00', '\x5a', '\xff'}) {
      const std::string others(kSerialSize - 1, rest);
      EXPECT_EQ(SerialFromEntropy(std::string(1, entropy) + others),
                std::string(1, serial) + others);
    }
  }
}

TEST_F(CertificateEncodingTest, SignatureAlgorithmsAreOpenssls) {
  const std::pair<OpensslKey, KeyType> keys[] = {
      {kP256Key, KeyType::kEcP256}, {kP384Key, KeyType::kEcP384}, {kRsaKey, KeyType::kRsa2048}};
  for (const auto& [key, type] : keys) {
    const std::string certificate = Make(key);
    const CertificateView view = *ReadCertificate(certificate);
    EXPECT_EQ(SignatureAlgorithm(type), view.algorithm) << hsm::KeyTypeName(type);
    EXPECT_EQ(AssembleCertificate(view.to_be_signed, type, view.signature), certificate);
  }
  for (const KeyType type : {KeyType::kRsa3072, KeyType::kRsa4096}) {
    EXPECT_EQ(SignatureAlgorithm(type), SignatureAlgorithm(KeyType::kRsa2048));
  }
}

// Where the lengths of the whole and of the signature take one more octet.
TEST_F(CertificateEncodingTest, CertificatesOfEveryLengthAreReadAgain) {
  const std::string certificate = Make(kP256Key);
  const std::string to_be_signed(ReadCertificate(certificate)->to_be_signed);
  for (const std::size_t size : {0, 1, 126, 127, 128, 254, 255, 256, 65534, 65535}) {
    const std::string signature(size, '\x5a');
    const std::string whole = AssembleCertificate(to_be_signed, KeyType::kRsa4096, signature);
    const std::optional<CertificateView> view = ReadCertificate(whole);
    ASSERT_TRUE(view.has_value()) << size;
    EXPECT_EQ(view->to_be_signed, to_be_signed);
    EXPECT_EQ(view->algorithm, SignatureAlgorithm(KeyType::kRsa4096));
    EXPECT_EQ(view->signature, signature);
  }
}

std::string NameByOpenssl(const std::string& text) {
  const OpensslPtr<X509_NAME, X509_NAME_free> name(X509_NAME_new());
  EXPECT_EQ(X509_NAME_add_entry_by_NID(name.get(), NID_commonName, V_ASN1_UTF8STRING,
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()), -1, 0),
            1);
  return DerByOpenssl(i2d_X509_NAME, name.get());
}

TEST_F(CertificateEncodingTest, CommonNamesAreOpenssls) {
  for (const std::string& text :
       {std::string("a"), std::string("alice@contoso.example"), std::string("m\xc3\xbcller"),
        std::string(64, 'x'), std::string(116, 'x'), std::string(117, 'x'), std::string(127, 'x'),
        std::string(128, 'x'), std::string(256, 'x'), std::string("a\0b", 3)}) {
    EXPECT_EQ(EncodeCommonName(text), NameByOpenssl(text)) << text.size();
  }
}

std::string ExtensionByOpenssl(int type, bool critical, const std::string& value) {
  const OpensslPtr<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> octets(ASN1_OCTET_STRING_new());
  EXPECT_EQ(
      ASN1_OCTET_STRING_set(octets.get(), reinterpret_cast<const unsigned char*>(value.data()),
                            static_cast<int>(value.size())),
      1);
  const OpensslPtr<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509_EXTENSION_create_by_NID(nullptr, type, critical ? 1 : 0, octets.get()));
  return DerByOpenssl(i2d_X509_EXTENSION, extension.get());
}

TEST_F(CertificateEncodingTest, ExtensionsAreOpenssls) {
  const std::pair<absl::string_view, int> types[] = {
      {oids::kKeyUsage, NID_key_usage},
      {oids::kBasicConstraints, NID_basic_constraints},
      {oids::kSubjectAltName, NID_subject_alt_name},
      {oids::kAuthorityInfoAccess, NID_info_access}};
  for (const auto& [oid, type] : types) {
    for (const std::size_t size : {0, 1, 116, 117, 127, 128, 255, 256, 65535, 65536}) {
      const std::string value(size, '\x30');
      for (const bool critical : {false, true}) {
        EXPECT_EQ(EncodeExtension(oid, critical, value), ExtensionByOpenssl(type, critical, value))
            << type << " " << size << " " << critical;
      }
    }
  }
}

}  // namespace
}  // namespace hourglass::ca
