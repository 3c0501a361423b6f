#include "ca/request/request_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstddef>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/der.h"
#include "ca/keys/public_key.h"
#include "ca/testing/openssl_requests.h"
#include "hsm/base/openssl.h"
#include "tests/support/hex.h"
#include "tests/support/openssl_der.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

class RequestSignatureTest : public OpensslRequests {};

TEST_F(RequestSignatureTest, AcceptsEverySignatureAlgorithm) {
  for (const char* key : {kP256, kP384, kRsa2048}) {
    for (const char* digest : {"-sha256", "-sha384", "-sha512"}) {
      EXPECT_THAT(Request(key, absl::StrCat("-subj /CN=a ", digest)), IsAccepted())
          << key << digest;
    }
  }
  Openssl(absl::StrCat("genpkey ", kRsa2048, " -out KEY"));
  for (const char* digest : {"-sha256", "-sha384", "-sha512"}) {
    for (const char* salt : {"digest", "max", "0", "11", "20"}) {
      EXPECT_THAT(RequestForKey(
                      absl::StrCat("-subj /CN=a ", digest,
                                   " -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:", salt)),
                  IsAccepted())
          << digest << salt;
    }
  }
}

TEST_F(RequestSignatureTest, RefusesOtherSignatureAlgorithms) {
  EXPECT_THAT(Request(kP256, "-subj /CN=a -sha1"), IsRefused(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(Request(kP256, "-subj /CN=a -sha224"), IsRefused(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(Request(kP256, "-subj /CN=a -sha3-256"), IsRefused(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(Request(kRsa2048, "-subj /CN=a -sha1"), IsRefused(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(RequestForKey("-subj /CN=a -sha1 -sigopt rsa_padding_mode:pss"),
              IsRefused(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(
      RequestForKey("-subj /CN=a -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha1"),
      IsRefused(ErrorReason::kKeyUnsupported));
}

TEST_F(RequestSignatureTest, NamesTheHashThatItRefuses) {
  const auto message = [](const std::string& request) {
    return std::string(ParseCertificateRequest(request, KeyPolicy()).status().message());
  };
  EXPECT_THAT(message(Request(kP256, "-subj /CN=a -sha1")), testing::HasSubstr("with SHA-1,"));
  EXPECT_THAT(message(Request(kP256, "-subj /CN=a -sha224")), testing::HasSubstr("with SHA-224,"));
  const std::string pss = " -sigopt rsa_padding_mode:pss";
  EXPECT_THAT(message(Request(kRsa2048, "-subj /CN=a -sha1")), testing::HasSubstr("with SHA-1,"));
  EXPECT_THAT(message(RequestForKey("-subj /CN=a -md5")), testing::HasSubstr("with MD5,"));
  EXPECT_THAT(message(RequestForKey("-subj /CN=a -sha1" + pss)), testing::HasSubstr("with SHA-1,"));
  EXPECT_THAT(message(RequestForKey("-subj /CN=a -sha224" + pss)),
              testing::HasSubstr("with SHA-224,"));
  EXPECT_THAT(message(RequestForKey("-subj /CN=a -sha3-256")),
              testing::Not(testing::HasSubstr("not accepted any more")));
}

TEST_F(RequestSignatureTest, RefusesAnotherKeysSignature) {
  const std::string first = Request(kP256), second = Request(kP256);
  ASSERT_THAT(first, IsAccepted());
  Openssl("pkey -in KEY -pubout -outform DER -out OUT");
  const std::string key = ReadFileOrDie(directory_.File("out.der"));
  EXPECT_THAT(WithKey(second, key), IsAccepted());
  EXPECT_THAT(WithKey(first, key), IsRefused(ErrorReason::kRequestSignatureInvalid));
}

TEST_F(RequestSignatureTest, RefusesAChangedSubject) {
  const std::string request = Request(kP256, "-subj /CN=anyone");
  EXPECT_THAT(Replaced(request, "anyone", "nobody"),
              IsRefused(ErrorReason::kRequestSignatureInvalid));
}

TEST_F(RequestSignatureTest, RefusesAnAlgorithmOfAnotherKeyType) {
  const std::string request = Request(kRsa2048);
  const std::string key = PublicKeyByOpenssl();
  EXPECT_THAT(WithKey(Request(kP256), key), IsRefused(ErrorReason::kRequestSignatureInvalid));
}

constexpr char kMessage[] = "what was signed";

// SHA-256, SHA-384 and SHA-512 with what names them, in hexadecimal digits: the hash (RFC 4055
// section 2.1), ECDSA with it (RFC 5758 section 3.2) and RSA with it (RFC 4055 section 5).
struct Sha2 {
  const char* name;
  const char* hash;
  const char* ecdsa;
  const char* rsa;
};

constexpr Sha2 kSha2[] = {
    {"SHA256", "0609608648016503040201", "06082a8648ce3d040302", "06092a864886f70d01010b"},
    {"SHA384", "0609608648016503040202", "06082a8648ce3d040303", "06092a864886f70d01010c"},
    {"SHA512", "0609608648016503040203", "06082a8648ce3d040304", "06092a864886f70d01010d"},
};

constexpr char kPss[] = "06092a864886f70d01010a";
constexpr char kMgf1[] = "06092a864886f70d010108";
std::string Sequence(absl::string_view content) { return der::Encode(der::kSequence, {content}); }
std::string Tagged(int number, absl::string_view content) {
  return der::Encode(der::Constructed(number), {content});
}

std::string MaskOf(const std::string& hash) {
  return Tagged(1, Sequence(Hex(kMgf1) + Sequence(hash)));
}

// RSASSA-PSS with these parameters.
std::string Pss(absl::string_view parameters) { return Hex(kPss) + Sequence(parameters); }

std::string Pss(const std::string& hash, const std::string& salt) {
  return Pss(Tagged(0, Sequence(hash)) + MaskOf(hash) + salt);
}

std::string Salt(absl::string_view digits) {
  return Tagged(2, der::Encode(der::kInteger, {Hex(digits)}));
}

// A key of OpenSSL's that signs kMessage.
class Signer {
 public:
  explicit Signer(EVP_PKEY* made) : key_(made), info_(DerByOpenssl(i2d_PUBKEY, made)) {}

  PublicKey key() const { return *ReadPublicKey(info_, KeyPolicy()); }

  // With RSASSA-PSS where a size of salt is given.
  std::string Sign(const char* hash, int salt = -1) const {
    const EvpMdCtxPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    EXPECT_EQ(EVP_DigestSignInit_ex(context.get(), &parameters, hash, nullptr, nullptr, key_.get(),
                                    nullptr),
              1);
    if (salt >= 0) {
      EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt);
    }
    unsigned char out[512];
    std::size_t size = sizeof(out);
    EXPECT_EQ(
        EVP_DigestSign(context.get(), out, &size, reinterpret_cast<const unsigned char*>(kMessage),
                       sizeof(kMessage) - 1),
        1);
    return std::string(out, out + size);
  }

  absl::Status Verify(const std::string& algorithm, const std::string& signature) const {
    return VerifyRequestSignature(key(), algorithm, kMessage, signature);
  }

 private:
  EvpPkeyPtr key_;
  std::string info_;
};

auto Refused(ErrorReason reason) { return FailsWith(reason, "pkcs10"); }

TEST(VerifyRequestSignatureTest, EcdsaHasNoParameters) {
  for (const char* curve : {"P-256", "P-384"}) {
    const Signer signer(EVP_EC_gen(curve));
    for (const Sha2& sha2 : kSha2) {
      const std::string signature = signer.Sign(sha2.name), algorithm = Hex(sha2.ecdsa);
      EXPECT_OK(signer.Verify(algorithm, signature)) << curve << sha2.name;
      for (const char* parameters : {"0500", "3000", "05", "06032b6570"}) {
        EXPECT_THAT(signer.Verify(algorithm + Hex(parameters), signature),
                    Refused(ErrorReason::kKeyUnsupported))
            << parameters;
      }
      for (const Sha2& other : kSha2) {
        if (&other == &sha2) continue;
        EXPECT_THAT(signer.Verify(Hex(other.ecdsa), signature),
                    Refused(ErrorReason::kRequestSignatureInvalid));
      }
      EXPECT_THAT(signer.Verify(Hex(sha2.rsa), signature),
                  Refused(ErrorReason::kRequestSignatureInvalid));
    }
  }
}

class RsaSignatureTest : public testing::Test {
 protected:
  const Signer signer_{EVP_RSA_gen(2048)};
};

TEST_F(RsaSignatureTest, Pkcs1HasNullOrNoParameters) {
  for (const Sha2& sha2 : kSha2) {
    const std::string signature = signer_.Sign(sha2.name), algorithm = Hex(sha2.rsa);
    EXPECT_OK(signer_.Verify(algorithm + Hex("0500"), signature)) << sha2.name;
    EXPECT_OK(signer_.Verify(algorithm, signature)) << sha2.name;
    for (const char* parameters : {"3000", "05000500", "050100", "05", "0400"}) {
      EXPECT_THAT(signer_.Verify(algorithm + Hex(parameters), signature),
                  Refused(ErrorReason::kKeyUnsupported))
          << parameters;
    }
    EXPECT_THAT(signer_.Verify(Hex(sha2.ecdsa), signature),
                Refused(ErrorReason::kRequestSignatureInvalid));
    EXPECT_THAT(signer_.Verify(Pss(Hex(sha2.hash), Salt("20")), signature),
                Refused(ErrorReason::kRequestSignatureInvalid));
  }
}

TEST_F(RsaSignatureTest, PssHasAnySaltThatFits) {
  // 2048 bits hold a salt of 256 - 32 - 2 octets beside SHA-256. 20 is the default.
  const std::pair<int, std::string> salts[] = {
      {0, Salt("00")},  {1, Salt("01")},   {19, Salt("13")},    {20, ""},
      {21, Salt("15")}, {127, Salt("7f")}, {128, Salt("0080")}, {190, Salt("00be")}};
  for (const Sha2& sha2 : kSha2) {
    for (const auto& [size, salt] : salts) {
      const std::string signature = signer_.Sign(sha2.name, size);
      EXPECT_OK(signer_.Verify(Pss(Hex(sha2.hash), salt), signature)) << sha2.name << size;
      EXPECT_OK(signer_.Verify(Pss(Hex(sha2.hash) + Hex("0500"), salt), signature)) << size;
      EXPECT_THAT(signer_.Verify(Pss(Hex(sha2.hash), Salt("16")), signature),
                  Refused(ErrorReason::kRequestSignatureInvalid))
          << size << ", and not 22";
    }
  }
  const std::string largest = signer_.Sign("SHA256", 222);
  EXPECT_OK(signer_.Verify(Pss(Hex(kSha2[0].hash), Salt("00de")), largest));
  EXPECT_THAT(signer_.Verify(Pss(Hex(kSha2[0].hash), Salt("00df")), largest),
              Refused(ErrorReason::kRequestSignatureInvalid));
}

// RSASSA-PSS-params in DER, with one hash throughout; else nobody looks at the signature.
TEST_F(RsaSignatureTest, PssParametersAreWhatAnEncoderWrites) {
  const std::string signature = signer_.Sign("SHA256", 32), sha256 = Hex(kSha2[0].hash),
                    sha384 = Hex(kSha2[1].hash), salt = Salt("20");
  const std::string hash = Tagged(0, Sequence(sha256)), mask = MaskOf(sha256);
  ASSERT_OK(signer_.Verify(Pss(hash + mask + salt), signature));
  const std::string refused[] = {
      Pss(mask + salt),
      Pss(hash + salt),
      Pss(""),
      Hex(kPss),
      Hex(kPss) + Hex("0500"),
      Pss(mask + hash + salt),
      Pss(hash + mask + salt + salt),
      Pss(hash + mask + salt + Tagged(3, Hex("020101"))),
      Pss(hash + mask + salt + Hex("0500")),
      Pss(hash + mask + salt) + Hex("0500"),
      Pss(hash + MaskOf(sha384) + salt),
      Pss(Tagged(0, Sequence(sha384)) + mask + salt),
      Pss(Tagged(0, Sequence(sha256 + Hex("3000"))) + mask + salt),
      Pss(Tagged(0, sha256) + mask + salt),
      Pss(hash + Tagged(1, Sequence(Hex(kMgf1))) + salt),
      Pss(hash + Tagged(1, Sequence(sha256 + Sequence(sha256))) + salt),
      Pss(hash + mask + Salt("14")),  // the default, written
      Pss(hash + mask + Salt("0020")),
      Pss(hash + mask + Salt("a0")),
      Pss(hash + mask + Salt("010020")),
      Pss(hash + mask + Salt("")),
      Pss(hash + mask + Tagged(2, Hex("040120"))),
      Pss(hash + mask + Tagged(2, Hex("0201200500"))),
  };
  for (const std::string& algorithm : refused) {
    EXPECT_THAT(signer_.Verify(algorithm, signature), Refused(ErrorReason::kKeyUnsupported))
        << absl::BytesToHexString(algorithm);
  }
}

TEST_F(RsaSignatureTest, AnAlgorithmBeginsWithItsName) {
  const std::string signature = signer_.Sign("SHA256");
  for (const char* algorithm : {"", "0500", "06", "0609", "06092a864886f70d0101", "3000"}) {
    EXPECT_THAT(signer_.Verify(Hex(algorithm), signature), Refused(ErrorReason::kRequestMalformed))
        << algorithm;
  }
}

// Every one that the source knows, by the OID registry; the last three are unknown.
TEST_F(RsaSignatureTest, OldHashesAreNamed) {
  const std::pair<std::string, const char*> algorithms[] = {
      {Hex("06072a8648ce3d0401"), "with SHA-1,"},
      {Hex("06092a864886f70d0101050500"), "with SHA-1,"},
      {Hex("06052b0e03021d0500"), "with SHA-1,"},
      {Pss(""), "with SHA-1,"},
      {Pss(Hex("06052b0e03021a"), Salt("20")), "with SHA-1,"},
      {Hex("06082a8648ce3d040301"), "with SHA-224,"},
      {Hex("06092a864886f70d01010e0500"), "with SHA-224,"},
      {Pss(Hex("0609608648016503040204"), Salt("20")), "with SHA-224,"},
      {Hex("06092a864886f70d0101040500"), "with MD5,"},
      {Pss(Hex("06082a864886f70d0205"), Salt("20")), "with MD5,"},
      {Hex("06092a864886f70d0101030500"), "with MD4,"},
      {Hex("06092a864886f70d0101020500"), "with MD2,"},
      {Hex("06032b6570"), ""},
      {Hex("06092a864886f70d0101010500"), ""},
      {Pss(Hex("0609608648016503040208"), Salt("20")), ""},
  };
  for (const auto& [algorithm, words] : algorithms) {
    const absl::Status status = signer_.Verify(algorithm, "signature");
    EXPECT_THAT(status, Refused(ErrorReason::kKeyUnsupported));
    const std::string message(status.message());
    EXPECT_THAT(message, testing::HasSubstr("must be signed with ECDSA"));
    EXPECT_EQ(absl::StrContains(message, "not accepted any more"), *words != '\0') << message;
    EXPECT_THAT(message, testing::HasSubstr(words));
  }
}

// Cut, longer, and with any bit flipped.
TEST_F(RsaSignatureTest, AnotherSignatureIsNone) {
  const Signer ec(EVP_EC_gen("P-256"));
  const std::tuple<const Signer*, std::string, std::string> cases[] = {
      {&ec, Hex(kSha2[0].ecdsa), ec.Sign("SHA256")},
      {&signer_, Hex(kSha2[0].rsa), signer_.Sign("SHA256")},
      {&signer_, Pss(Hex(kSha2[0].hash), Salt("20")), signer_.Sign("SHA256", 32)}};
  for (const auto& [signer, algorithm, signature] : cases) {
    const auto refuse = [&, of = signer, named = algorithm](const std::string& other) {
      EXPECT_THAT(of->Verify(named, other), Refused(ErrorReason::kRequestSignatureInvalid))
          << absl::BytesToHexString(other);
    };
    EXPECT_OK(signer->Verify(algorithm, signature));
    refuse(signature + '\0');
    refuse('\0' + signature);
    refuse(signature + signature);
    refuse("");
    for (std::size_t size = 0; size < signature.size(); ++size) refuse(signature.substr(0, size));
    for (std::size_t i = 0; i < signature.size() * 8; ++i) {
      std::string flipped = signature;
      flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
      refuse(flipped);
    }
    EXPECT_THAT(VerifyRequestSignature(signer->key(), algorithm, "what was not", signature),
                Refused(ErrorReason::kRequestSignatureInvalid));
  }
}

}  // namespace
}  // namespace hourglass::ca
