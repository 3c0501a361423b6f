#include "ca/keys/key_verification.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <string>
#include <thread>
#include <vector>

#include "hsm/base/openssl.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

constexpr absl::string_view kMessage = "message";
constexpr int kDigestBits[] = {256, 384, 512};

const EVP_MD* Sha2(int bits) {
  return bits == 256 ? EVP_sha256() : bits == 384 ? EVP_sha384() : EVP_sha512();
}

// A key of OpenSSL's, and what its owner signs with each hash.
struct Owner {
  explicit Owner(PublicKeyKind of) : kind(of) {
    const EvpPkeyPtr key(EVP_EC_gen(of == PublicKeyKind::kEcP256 ? "P-256" : "P-384"));
    unsigned char* encoded = nullptr;
    const std::size_t size = EVP_PKEY_get1_encoded_public_key(key.get(), &encoded);
    point.assign(encoded, encoded + size);
    OPENSSL_free(encoded);
    for (const int bits : kDigestBits) signatures.push_back(Sign(key.get(), bits));
  }

  static std::string Sign(EVP_PKEY* key, int bits) {
    const EvpMdCtxPtr context(EVP_MD_CTX_new());
    unsigned char out[256];
    std::size_t size = sizeof(out);
    EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, Sha2(bits), nullptr, key), 1);
    EXPECT_EQ(
        EVP_DigestSign(context.get(), out, &size,
                       reinterpret_cast<const unsigned char*>(kMessage.data()), kMessage.size()),
        1);
    return std::string(out, out + size);
  }

  PublicKey Key() const { return {kind, point, {}, {}}; }

  PublicKeyKind kind;
  std::string point;
  std::vector<std::string> signatures;
};

std::vector<Owner> MakeOwners() {
  std::vector<Owner> owners;
  for (int i = 0; i < 4; ++i) {
    owners.emplace_back(PublicKeyKind::kEcP256);
    owners.emplace_back(PublicKeyKind::kEcP384);
  }
  return owners;
}

absl::Status Check(const Owner& key, const Owner& signer, std::size_t digest) {
  return CheckSignature(key.Key(), {SignatureScheme::kEcdsa, kDigestBits[digest], 0}, kMessage,
                        signer.signatures[digest]);
}

// Each thread verifies with one key of each curve, whose point is replaced. So every key is tried
// with every signature, right after every other key was used: nothing may be left of it.
void ExpectEachKeyToVerifyItsOwnOnly(const std::vector<Owner>& owners) {
  for (std::size_t before = 0; before < owners.size(); ++before) {
    for (std::size_t key = 0; key < owners.size(); ++key) {
      for (std::size_t signer = 0; signer < owners.size(); ++signer) {
        const std::size_t digest = (before + key + signer) % 3;
        ASSERT_OK(Check(owners[before], owners[before], digest));
        if (key == signer) {
          EXPECT_OK(Check(owners[key], owners[signer], digest)) << before << " " << key;
        } else {
          EXPECT_THAT(Check(owners[key], owners[signer], digest),
                      FailsWith(ErrorReason::kRequestSignatureInvalid, "pkcs10"))
              << before << " " << key << " " << signer;
        }
      }
    }
  }
}

TEST(KeyVerificationTest, NothingOfTheKeyBeforeIsLeft) {
  ExpectEachKeyToVerifyItsOwnOnly(MakeOwners());
}

TEST(KeyVerificationTest, ThreadsDoNotMeet) {
  const std::vector<Owner> owners = MakeOwners();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&owners] { ExpectEachKeyToVerifyItsOwnOnly(owners); });
  }
  for (std::thread& thread : threads) thread.join();
}

// A point that is refused does not leave the one before to verify with, and the next is fine.
TEST(KeyVerificationTest, APointOffTheCurveVerifiesNothing) {
  for (const Owner& owner : MakeOwners()) {
    Owner off_curve = owner;
    off_curve.point.back() = static_cast<char>(off_curve.point.back() ^ 1);
    Owner zero = owner;
    zero.point = "\x04" + std::string(owner.point.size() - 1, '\0');
    for (std::size_t digest = 0; digest < 3; ++digest) {
      EXPECT_OK(Check(owner, owner, digest));
      EXPECT_THAT(Check(off_curve, owner, digest), FailsWith(ErrorReason::kKeyInvalid, "pkcs10"));
      EXPECT_THAT(Check(zero, owner, digest), FailsWith(ErrorReason::kKeyInvalid, "pkcs10"));
      EXPECT_OK(Check(owner, owner, digest));
    }
  }
}

// An RSA key of OpenSSL's, and what its owner signs.
class RsaOwner {
 public:
  RsaOwner() : key_(EVP_RSA_gen(2048)) {
    modulus_ = Number(OSSL_PKEY_PARAM_RSA_N);
    exponent_ = Number(OSSL_PKEY_PARAM_RSA_E);
  }

  PublicKey Key() const { return {PublicKeyKind::kRsa, {}, modulus_, exponent_}; }

  std::string Sign(const SignatureAlgorithm& algorithm) const {
    const EvpMdCtxPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;
    EXPECT_EQ(EVP_DigestSignInit(context.get(), &options, Sha2(algorithm.digest_bits), nullptr,
                                 key_.get()),
              1);
    if (algorithm.scheme == SignatureScheme::kRsaPss) {
      EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
      EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, algorithm.salt_size), 1);
    }
    std::string signature(256, '\0');
    std::size_t size = signature.size();
    EXPECT_EQ(
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(kMessage.data()), kMessage.size()),
        1);
    return signature;
  }

 private:
  std::string Number(const char* parameter) const {
    BIGNUM* number = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key_.get(), parameter, &number), 1);
    const BignumPtr owned(number);
    std::string octets(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
    BN_bn2bin(number, reinterpret_cast<unsigned char*>(octets.data()));
    return octets;
  }

  const EvpPkeyPtr key_;
  std::string modulus_;
  std::string exponent_;
};

TEST(KeyVerificationTest, AnRsaSignatureIsOfOneKeyMessageSchemeDigestAndSalt) {
  const RsaOwner owner, other;
  std::vector<SignatureAlgorithm> algorithms;
  for (const int bits : kDigestBits) {
    algorithms.push_back({SignatureScheme::kRsaPkcs1, bits, 0});
    for (const int salt_size : {0, 20, bits / 8}) {
      algorithms.push_back({SignatureScheme::kRsaPss, bits, salt_size});
    }
  }
  const auto refused = FailsWith(ErrorReason::kRequestSignatureInvalid, "pkcs10");
  for (std::size_t i = 0; i < algorithms.size(); ++i) {
    std::string signature = owner.Sign(algorithms[i]);
    for (std::size_t j = 0; j < algorithms.size(); ++j) {
      const absl::Status status = CheckSignature(owner.Key(), algorithms[j], kMessage, signature);
      if (i == j) {
        EXPECT_OK(status) << i;
      } else {
        EXPECT_THAT(status, refused) << i << " " << j;
      }
    }
    EXPECT_THAT(CheckSignature(other.Key(), algorithms[i], kMessage, signature), refused) << i;
    EXPECT_THAT(CheckSignature(owner.Key(), algorithms[i], "massage", signature), refused) << i;
    EXPECT_THAT(CheckSignature(owner.Key(), algorithms[i], kMessage, signature.substr(1)), refused);
    signature.back() = static_cast<char>(signature.back() ^ 1);
    EXPECT_THAT(CheckSignature(owner.Key(), algorithms[i], kMessage, signature), refused) << i;
  }
}

// One in 256 begins with a zero, which says nothing as a number (RFC 8017 section 8.1.2).
TEST(KeyVerificationTest, AnRsaSignatureIsAsLongAsTheModulus) {
  const RsaOwner owner;
  const SignatureAlgorithm algorithm = {SignatureScheme::kRsaPss, 256, 32};
  std::string signature = owner.Sign(algorithm);
  for (int i = 0; i < 10000 && signature[0] != '\0'; ++i) signature = owner.Sign(algorithm);
  ASSERT_EQ(signature[0], '\0');
  const auto refused = FailsWith(ErrorReason::kRequestSignatureInvalid, "pkcs10");
  EXPECT_OK(CheckSignature(owner.Key(), algorithm, kMessage, signature));
  EXPECT_THAT(CheckSignature(owner.Key(), algorithm, kMessage, signature.substr(1)), refused);
  EXPECT_THAT(CheckSignature(owner.Key(), algorithm, kMessage, '\0' + signature), refused);
}

TEST(KeyVerificationTest, TheSchemeMustBeOneOfTheKey) {
  const Owner owner(PublicKeyKind::kEcP256);
  ASSERT_OK(Check(owner, owner, 0));
  for (const SignatureScheme scheme : {SignatureScheme::kRsaPkcs1, SignatureScheme::kRsaPss}) {
    EXPECT_THAT(CheckSignature(owner.Key(), {scheme, 256, 0}, kMessage, owner.signatures[0]),
                FailsWith(ErrorReason::kRequestSignatureInvalid, "pkcs10"));
  }
  EXPECT_THAT(CheckSignature(owner.Key(), {SignatureScheme::kEcdsa, 256, 0}, kMessage, ""),
              FailsWith(ErrorReason::kRequestSignatureInvalid, "pkcs10"));
}

}  // namespace
}  // namespace hourglass::ca
