#include "ca/keys/public_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <cstddef>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/der.h"
#include "ca/testing/key_info.h"
#include "hsm/base/openssl.h"
#include "tests/support/hex.h"
#include "tests/support/openssl_der.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

// The content of an INTEGER of exactly so many bits: the highest and the lowest are set.
std::string OddNumber(int bits) {
  std::string number(static_cast<std::size_t>(bits + 7) / 8, '\0');
  number[0] = static_cast<char>(1 << (bits - 1) % 8);
  number.back() = static_cast<char>(number.back() | 1);
  return bits % 8 == 0 ? '\0' + number : number;
}

const std::string kF4("\x01\x00\x01", 3);
const std::string kPoint256 = "\x04" + std::string(64, 'p');
const std::string kPoint384 = "\x04" + std::string(96, 'p');

// SubjectPublicKeyInfo that OpenSSL writes of a key it has made.
std::string ByOpenssl(EVP_PKEY* made) {
  const EvpPkeyPtr key(made);
  return DerByOpenssl(i2d_PUBKEY, key.get());
}

bool OpensslReads(const std::string& info) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(info.data());
  const auto* const end = cursor + info.size();
  const EvpPkeyPtr key(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(info.size())));
  if (key == nullptr) DrainOpensslErrors();
  return key != nullptr && cursor == end;
}

auto Refused(ErrorReason reason) { return FailsWith(reason, "pkcs10"); }

TEST(PublicKeyTest, ReadsThePointsThatOpensslWrites) {
  for (const auto& [name, kind, size] :
       {std::tuple{"P-256", PublicKeyKind::kEcP256, 65}, {"P-384", PublicKeyKind::kEcP384, 97}}) {
    const std::string info = ByOpenssl(EVP_EC_gen(name));
    ASSERT_OK_AND_ASSIGN(const PublicKey key, ReadPublicKey(info, KeyPolicy()));
    EXPECT_EQ(key.kind, kind);
    EXPECT_EQ(key.bits, absl::string_view(info).substr(info.size() - size));
    EXPECT_EQ(key.bits.data(), info.data() + info.size() - size) << "within the octets";
    EXPECT_EQ(key.modulus, "");
    EXPECT_EQ(key.exponent, "");
  }
}

TEST(PublicKeyTest, ReadsTheNumbersThatOpensslWrites) {
  const EvpPkeyPtr made(EVP_RSA_gen(2048));
  EVP_PKEY_up_ref(made.get());
  const std::string info = ByOpenssl(made.get());
  ASSERT_OK_AND_ASSIGN(const PublicKey key, ReadPublicKey(info, KeyPolicy()));
  EXPECT_EQ(key.kind, PublicKeyKind::kRsa);
  EXPECT_EQ(key.exponent, kF4);
  BIGNUM* number = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(made.get(), "n", &number), 1);
  const BignumPtr modulus(number);
  std::string octets(static_cast<std::size_t>(BN_num_bytes(modulus.get())), '\0');
  BN_bn2bin(modulus.get(), reinterpret_cast<unsigned char*>(octets.data()));
  EXPECT_EQ(key.modulus, octets) << "without the sign octet";
  EXPECT_EQ(key.bits, absl::string_view(info).substr(24));
}

// Each with the reason, beside the one that is sound; whether a point lies on the curve is for
// another to say.
TEST(PublicKeyTest, PointsAreUncompressedOnANamedCurve) {
  const std::string x32(32, 'p');
  const std::pair<std::string, absl::string_view> malformed[] = {
      {EcKeyInfo("", kPoint256), "no curve"},
      {EcKeyInfo("0500", kPoint256), "NULL"},
      {EcKeyInfo(absl::StrCat(kP256Oid, "0500"), kPoint256), "two parameters"},
      {EcKeyInfo("0608", kPoint256), "a curve that is cut"},
  };
  EXPECT_OK(ReadPublicKey(EcKeyInfo(kP256Oid, kPoint256), KeyPolicy()));
  EXPECT_OK(ReadPublicKey(EcKeyInfo(kP384Oid, kPoint384), KeyPolicy()));
  for (const auto& [info, what] : malformed) {
    EXPECT_THAT(ReadPublicKey(info, KeyPolicy()), Refused(ErrorReason::kRequestMalformed)) << what;
  }
  for (const char* curve : {"06052b81040023", "06052b8104000a", "3000", "3003020101", "0600"}) {
    EXPECT_THAT(ReadPublicKey(EcKeyInfo(curve, kPoint256), KeyPolicy()),
                Refused(ErrorReason::kKeyUnsupported))
        << curve;
  }
  for (const std::string& point :
       {std::string(), std::string(1, '\0'), std::string("\x04"), "\x02" + x32, "\x03" + x32,
        "\x06" + x32 + x32, "\x07" + x32 + x32, '\0' + x32 + x32, "\x05" + x32 + x32,
        kPoint256.substr(0, 64), kPoint256 + "p", kPoint384}) {
    EXPECT_THAT(ReadPublicKey(EcKeyInfo(kP256Oid, point), KeyPolicy()),
                Refused(ErrorReason::kKeyInvalid))
        << absl::BytesToHexString(point);
  }
  EXPECT_THAT(ReadPublicKey(EcKeyInfo(kP384Oid, kPoint256), KeyPolicy()),
              Refused(ErrorReason::kKeyInvalid));
}

TEST(PublicKeyTest, OtherAlgorithmsAreNotCertified) {
  // Ed25519, Ed448, X25519 (RFC 8410), DSA (RFC 3279), RSASSA-PSS and RSAES-OAEP (RFC 4055).
  for (const char* algorithm : {"06032b6570", "06032b6571", "06032b656e", "06072a8648ce380401",
                                "06092a864886f70d01010a", "06092a864886f70d010107"}) {
    EXPECT_THAT(ReadPublicKey(KeyInfo(algorithm, std::string(32, 'k')), KeyPolicy()),
                Refused(ErrorReason::kKeyUnsupported))
        << algorithm;
  }
}

TEST(PublicKeyTest, RsaSizesAreWithinThePolicyAndTheLimits) {
  struct Case {
    int min, max, bits;
    bool accepted;
  };
  const Case cases[] = {
      {2048, 4096, 2047, false}, {2048, 4096, 2048, true}, {2048, 4096, 2049, true},
      {2048, 4096, 4095, true},  {2048, 4096, 4096, true}, {2048, 4096, 4097, false},
      {3072, 4096, 3071, false}, {3072, 4096, 3072, true}, {2048, 3072, 3072, true},
      {2048, 3072, 3073, false}, {3072, 3072, 3072, true}, {0, 8192, 2047, false},
      {0, 8192, 2048, true},     {0, 8192, 4096, true},    {0, 8192, 4097, false},
      {3072, 2048, 2560, false}, {2048, 4096, 8, false},   {2048, 4096, 1, false},
  };
  for (const Case& c : cases) {
    KeyPolicy policy;
    policy.min_rsa_bits = c.min;
    policy.max_rsa_bits = c.max;
    const absl::Status read = ReadPublicKey(RsaKeyInfo(OddNumber(c.bits), kF4), policy).status();
    SCOPED_TRACE(absl::StrCat(c.min, " ", c.max, " ", c.bits));
    if (c.accepted) {
      EXPECT_OK(read);
      continue;
    }
    EXPECT_THAT(read, Refused(ErrorReason::kKeySizeRefused));
    EXPECT_THAT(std::string(read.message()),
                testing::HasSubstr(absl::StrCat("of ", c.bits, " bits")));
  }
  EXPECT_THAT(ReadPublicKey(RsaKeyInfo(std::string(1, '\0'), kF4), KeyPolicy()),
              Refused(ErrorReason::kKeySizeRefused))
      << "zero";
}

TEST(PublicKeyTest, RsaNumbersAreOddAndTheExponentIsFrom65537To64Bits) {
  std::string even = OddNumber(2048);
  even.back() = '\x02';
  EXPECT_THAT(ReadPublicKey(RsaKeyInfo(even, kF4), KeyPolicy()), Refused(ErrorReason::kKeyInvalid));
  const std::pair<const char*, bool> exponents[] = {
      {"010001", true},
      {"010003", true},
      {"00ffff", false},
      {"00fffd", false},
      {"010000", false},
      {"010002", false},
      {"01", false},
      {"03", false},
      {"11", false},
      {"00", false},
      {"7fffffff", true},
      {"0080000001", true},
      {"00ffffffff", true},
      {"0100000001", true},
      {"0100000000", false},
      {"00ffffffffffffffff", true},
      {"00fffffffffffffffe", false},
      {"010000000000000001", false},
      {"00ffffffffffffffffff", false},
  };
  for (const auto& [exponent, accepted] : exponents) {
    const absl::Status read =
        ReadPublicKey(RsaKeyInfo(OddNumber(2048), Hex(exponent)), KeyPolicy()).status();
    if (accepted) {
      EXPECT_OK(read) << exponent;
    } else {
      EXPECT_THAT(read, Refused(ErrorReason::kKeyInvalid)) << exponent;
    }
  }
}

TEST(PublicKeyTest, RsaKeysAreWhatAnEncoderWrites) {
  const std::string n = OddNumber(2048), modulus = der::Encode(der::kInteger, {n}),
                    exponent = der::Encode(der::kInteger, {kF4});
  ASSERT_OK(ReadPublicKey(RsaKeyInfo(modulus + exponent), KeyPolicy()));
  const std::string sound = der::Encode(der::kSequence, {modulus, exponent});
  ASSERT_OK(ReadPublicKey(KeyInfo(absl::StrCat(kRsaOid, "0500"), sound), KeyPolicy()));
  const std::string malformed[] = {
      RsaKeyInfo(""),
      RsaKeyInfo(modulus),
      RsaKeyInfo(modulus + exponent + exponent),
      RsaKeyInfo(n.substr(1), kF4),                   // negative
      RsaKeyInfo('\0' + n, kF4),                      // not minimal
      RsaKeyInfo(n, std::string("\0\x01\0\x01", 4)),  // not minimal
      RsaKeyInfo(n, "\xff"),                          // negative
      RsaKeyInfo("", kF4),
      RsaKeyInfo(n, ""),
      RsaKeyInfo(der::Encode(der::kOctetString, {n}) + exponent),
      KeyInfo(absl::StrCat(kRsaOid, "0500"), sound + '\0'),
      KeyInfo(absl::StrCat(kRsaOid, "0500"), ""),
      KeyInfo(absl::StrCat(kRsaOid, "0500"), der::Encode(der::kSet, {modulus, exponent})),
      KeyInfo(kRsaOid, sound),
      KeyInfo(absl::StrCat(kRsaOid, "05000500"), sound),
      KeyInfo(absl::StrCat(kRsaOid, "3000"), sound),
      KeyInfo(absl::StrCat(kRsaOid, "050100"), sound),
  };
  for (const std::string& info : malformed) {
    EXPECT_THAT(ReadPublicKey(info, KeyPolicy()), Refused(ErrorReason::kRequestMalformed))
        << absl::BytesToHexString(info);
  }
}

TEST(PublicKeyTest, TheInfoIsAnAlgorithmAndBits) {
  const std::string algorithm = der::Encode(der::kSequence, {Hex(kEcOid), Hex(kP256Oid)}),
                    bits = der::Encode(der::kBitString, {absl::string_view("\0", 1), kPoint256});
  const auto read = [](absl::string_view content, der::Tag tag = der::kSequence) {
    const std::string info = der::Encode(tag, {content});
    return ReadPublicKey(info, KeyPolicy()).status();
  };
  EXPECT_OK(read(algorithm + bits));
  std::string unused_bits = bits;
  unused_bits[2] = '\x01';
  for (const std::string& content :
       {std::string(), algorithm, bits, bits + algorithm, algorithm + bits + bits,
        algorithm + bits + '\0', algorithm + unused_bits, algorithm + Hex("0300"),
        algorithm + der::Encode(der::kOctetString, {kPoint256}), Hex("3000") + bits,
        Hex("30020500") + bits, Hex("0500") + bits}) {
    EXPECT_THAT(read(content), Refused(ErrorReason::kRequestMalformed))
        << absl::BytesToHexString(content);
  }
  EXPECT_THAT(read(algorithm + bits, der::kSet), Refused(ErrorReason::kRequestMalformed));
  EXPECT_THAT(ReadPublicKey("", KeyPolicy()), Refused(ErrorReason::kRequestMalformed));
}

TEST(PublicKeyTest, ATenantMayNarrowTheKinds) {
  const std::pair<std::string, bool KeyPolicy::*> kinds[] = {
      {EcKeyInfo(kP256Oid, kPoint256), &KeyPolicy::allow_ec_p256},
      {EcKeyInfo(kP384Oid, kPoint384), &KeyPolicy::allow_ec_p384},
      {RsaKeyInfo(OddNumber(2048), kF4), &KeyPolicy::allow_rsa}};
  for (const auto& [refused, flag] : kinds) {
    KeyPolicy policy;
    policy.*flag = false;
    for (const auto& [info, own] : kinds) {
      if (own == flag) {
        EXPECT_THAT(ReadPublicKey(info, policy), Refused(ErrorReason::kKeySizeRefused));
      } else {
        EXPECT_OK(ReadPublicKey(info, policy));
      }
    }
  }
}

// Of what is cut off nothing is a key; a bit that is flipped leaves one only where OpenSSL, too,
// reads a key, but for points, which nobody has looked for on the curve yet.
TEST(PublicKeyTest, HostileOctetsAreNoKeys) {
  const std::string keys[] = {ByOpenssl(EVP_EC_gen("P-256")), ByOpenssl(EVP_EC_gen("P-384")),
                              ByOpenssl(EVP_RSA_gen(2048))};
  for (const std::string& info : keys) {
    ASSERT_OK(ReadPublicKey(info, KeyPolicy()));
    for (std::size_t size = 0; size < info.size(); ++size) {
      EXPECT_THAT(ReadPublicKey(info.substr(0, size), KeyPolicy()),
                  Refused(ErrorReason::kRequestMalformed))
          << size;
    }
    EXPECT_THAT(ReadPublicKey(info + info, KeyPolicy()), Refused(ErrorReason::kRequestMalformed));
    for (std::size_t i = 0; i < info.size() * 8; ++i) {
      std::string flipped = info;
      flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
      const absl::StatusOr<PublicKey> key = ReadPublicKey(flipped, KeyPolicy());
      if (!key.ok()) {
        EXPECT_EQ(FieldOf(key.status()), "pkcs10");
        continue;
      }
      EXPECT_TRUE(key->kind != PublicKeyKind::kRsa || OpensslReads(flipped)) << i;
      EXPECT_GE(i / 8, info.size() - key->bits.size()) << "only in the bits of the key";
    }
  }
}

}  // namespace
}  // namespace hourglass::ca
