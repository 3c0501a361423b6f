#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/request/certificate_request.h"
#include "ca/testing/key_info.h"
#include "ca/testing/openssl_requests.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

// Which keys a request may bring.
class RequestKeyTest : public OpensslRequests {};

std::string Modulus(std::size_t octets, char last = '\x01') {
  return std::string(1, '\0') + std::string(octets - 1, '\xc5') + last;
}

TEST_F(RequestKeyTest, AcceptsEveryKindOfKey) {
  for (const std::string& key : {std::string(kP256), std::string(kP384), std::string(kRsa2048),
                                 std::string("-algorithm RSA -pkeyopt rsa_keygen_bits:3072"),
                                 std::string("-algorithm RSA -pkeyopt rsa_keygen_bits:4096"),
                                 std::string("-algorithm RSA -pkeyopt rsa_keygen_bits:2049"),
                                 std::string("-algorithm RSA -pkeyopt rsa_keygen_bits:2048 "
                                             "-pkeyopt rsa_keygen_pubexp:4294967311")}) {
    ASSERT_OK_AND_ASSIGN(const RequestedKey requested,
                         ParseCertificateRequest(Request(key), KeyPolicy()));
    const std::string expected = PublicKeyByOpenssl();
    EXPECT_EQ(requested.subject_public_key_info(), expected) << key;
    EXPECT_EQ(absl::StrCat(absl::BytesToHexString(requested.sha256()), " *stdin\n"),
              Openssl("dgst -sha256 -r", expected));
  }
}

TEST_F(RequestKeyTest, RefusesRsaSizes) {
  EXPECT_THAT(Request("-algorithm RSA -pkeyopt rsa_keygen_bits:1024"),
              IsRefused(ErrorReason::kKeySizeRefused));
  EXPECT_THAT(Request("-algorithm RSA -pkeyopt rsa_keygen_bits:2047"),
              IsRefused(ErrorReason::kKeySizeRefused));
  const std::string request = Request(kRsa2048);
  EXPECT_THAT(WithKey(request, RsaKeyInfo(Modulus(513), "\x01" + std::string(1, '\0') + "\x01")),
              IsRefused(ErrorReason::kKeySizeRefused));
  EXPECT_THAT(WithKey(request, RsaKeyInfo(std::string(1, '\0'), "\x03")),
              IsRefused(ErrorReason::kKeySizeRefused));
  KeyPolicy policy;
  policy.min_rsa_bits = 3072;
  EXPECT_THAT(ParseCertificateRequest(request, policy),
              FailsWith(ErrorReason::kKeySizeRefused, "pkcs10"));
  // A policy cannot widen the limits.
  policy.min_rsa_bits = 512;
  EXPECT_THAT(
      ParseCertificateRequest(Request("-algorithm RSA -pkeyopt rsa_keygen_bits:1024"), policy),
      FailsWith(ErrorReason::kKeySizeRefused, "pkcs10"));
}

TEST_F(RequestKeyTest, RefusesRsaNumbers) {
  const std::string request = Request(kRsa2048);
  const std::string e65537 = "\x01" + std::string(1, '\0') + "\x01";
  EXPECT_THAT(Request("-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3"),
              IsRefused(ErrorReason::kKeyInvalid));
  EXPECT_THAT(WithKey(request, RsaKeyInfo(Modulus(256), e65537)),
              IsRefused(ErrorReason::kRequestSignatureInvalid));  // the numbers are fine
  EXPECT_THAT(WithKey(request, RsaKeyInfo(Modulus(256, '\x02'), e65537)),
              IsRefused(ErrorReason::kKeyInvalid));
  for (const std::string& exponent :
       {std::string("\x01"), std::string("\x03"), std::string("\x01\x02"),
        std::string(1, '\0') + "\xff\xff", std::string("\x01") + std::string(2, '\0'),
        std::string("\x01") + std::string(7, '\0') + "\x01",
        std::string("\x01") + std::string(31, '\0') + "\x01"}) {
    EXPECT_THAT(WithKey(request, RsaKeyInfo(Modulus(256), exponent)),
                IsRefused(ErrorReason::kKeyInvalid))
        << absl::BytesToHexString(exponent);
  }
  // The largest: 2^64 - 1.
  EXPECT_THAT(
      WithKey(request, RsaKeyInfo(Modulus(256), std::string(1, '\0') + std::string(8, '\xff'))),
      IsRefused(ErrorReason::kRequestSignatureInvalid));
  // A negative modulus, and one with a needless sign octet.
  EXPECT_THAT(WithKey(request, RsaKeyInfo(Modulus(256).substr(1), e65537)),
              IsRefused(ErrorReason::kRequestMalformed));
  EXPECT_THAT(WithKey(request, RsaKeyInfo(std::string(1, '\0') + Modulus(256), e65537)),
              IsRefused(ErrorReason::kRequestMalformed));
}

// OpenSSL makes such a request and cannot verify it: the exponent is at fault, not the signature.
TEST_F(RequestKeyTest, RefusesALargeExponentForWhatItIs) {
  const std::string rsa4096 = "-algorithm RSA -pkeyopt rsa_keygen_bits:4096 -pkeyopt ";
  EXPECT_THAT(Request(rsa4096 + "rsa_keygen_pubexp:18446744073709551557"), IsAccepted());
  const std::string large = Request(rsa4096 + "rsa_keygen_pubexp:18446744073709551629");
  EXPECT_THAT(large, IsRefused(ErrorReason::kKeyInvalid));
  EXPECT_THAT(ParseCertificateRequest(large, KeyPolicy()).status().message(),
              testing::HasSubstr("exponent"));
}

TEST_F(RequestKeyTest, RefusesPoints) {
  const std::string request = Request(kP256);
  const std::string key = PublicKeyByOpenssl();
  ASSERT_THAT(WithKey(request, key), IsAccepted());
  const std::string header = key.substr(0, key.size() - 65), point = key.substr(key.size() - 65);
  const auto with_point = [&](const std::string& other) {
    return WithKey(request, EcKeyInfo(kP256Oid, other));
  };
  ASSERT_THAT(with_point(point), IsAccepted());
  std::string off_curve = point;
  off_curve[64] = static_cast<char>(off_curve[64] ^ 1);
  EXPECT_THAT(with_point(off_curve), IsRefused(ErrorReason::kKeyInvalid));
  EXPECT_THAT(with_point("\x04" + std::string(64, '\xff')),
              IsRefused(ErrorReason::kKeyInvalid));  // out of range
  EXPECT_THAT(with_point("\x04" + std::string(64, '\0')), IsRefused(ErrorReason::kKeyInvalid));
  EXPECT_THAT(with_point(std::string(1, '\0')), IsRefused(ErrorReason::kKeyInvalid));  // infinity
  EXPECT_THAT(with_point(""), IsRefused(ErrorReason::kKeyInvalid));
  const char odd = static_cast<char>(2 + (point[64] & 1));
  EXPECT_THAT(with_point(odd + point.substr(1, 32)),
              IsRefused(ErrorReason::kKeyInvalid));  // compressed
  const char hybrid = static_cast<char>(6 + (point[64] & 1));
  EXPECT_THAT(with_point(hybrid + point.substr(1)), IsRefused(ErrorReason::kKeyInvalid));
  EXPECT_THAT(with_point(point + '\0'), IsRefused(ErrorReason::kKeyInvalid));
}

TEST_F(RequestKeyTest, RefusesACompressedPointByOpenssl) {
  Openssl(absl::StrCat("genpkey ", kP256, " -pkeyopt ec_param_enc:named_curve -out KEY"));
  Openssl("ec -in KEY -conv_form compressed -out OUT");
  std::filesystem::rename(directory_.File("out.der"), directory_.File("key.pem"));
  EXPECT_THAT(RequestForKey("-subj /CN=a"), IsRefused(ErrorReason::kKeyInvalid));
}

TEST_F(RequestKeyTest, RefusesOtherAlgorithmsAndCurves) {
  for (const char* key :
       {"-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
        "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
        "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
        "-algorithm ED25519", "-algorithm ED448",
        "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"}) {
    EXPECT_THAT(Request(key), IsRefused(ErrorReason::kKeyUnsupported)) << key;
  }
  Openssl("genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -out OUT");
  Openssl(absl::StrCat("genpkey -paramfile ", directory_.File("out.der"), " -out KEY"));
  EXPECT_THAT(RequestForKey("-subj /CN=a"), IsRefused(ErrorReason::kKeyUnsupported));
}

TEST_F(RequestKeyTest, ATenantMayNarrowTheKinds) {
  KeyPolicy policy;
  policy.allow_ec_p256 = false;
  EXPECT_THAT(ParseCertificateRequest(Request(kP256), policy),
              FailsWith(ErrorReason::kKeySizeRefused, "pkcs10"));
  EXPECT_OK(ParseCertificateRequest(Request(kP384), policy));
  policy.allow_ec_p384 = false;
  EXPECT_THAT(ParseCertificateRequest(Request(kP384), policy),
              FailsWith(ErrorReason::kKeySizeRefused, "pkcs10"));
  EXPECT_OK(ParseCertificateRequest(Request(kRsa2048), policy));
  policy.allow_rsa = false;
  EXPECT_THAT(ParseCertificateRequest(Request(kRsa2048), policy),
              FailsWith(ErrorReason::kKeySizeRefused, "pkcs10"));
}

}  // namespace
}  // namespace hourglass::ca
