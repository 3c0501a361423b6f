// RSA keys are made and used by OpenSSL's older functions, deprecated since 3.0: a key that
// verifies once costs 18 us with them, of which 12 are the verification, and 22 through a provider.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "ca/keys/key_verification.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"

namespace hourglass::ca {
namespace {

using RsaPtr = OpensslPtr<RSA, RSA_free>;

absl::Status Internal(absl::string_view what) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat(what, ": ", DrainOpensslErrors()));
}

absl::Status SignatureInvalid() {
  DrainOpensslErrors();
  return Error(ErrorReason::kRequestSignatureInvalid, "pkcs10",
               "the request is not signed by the key that it carries");
}

const unsigned char* Octets(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Fetched once: EVP_sha256() and its like would be looked up again in every operation.
const EVP_MD* Digest(int bits) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA2-384", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
  return bits == 256 ? sha256 : bits == 384 ? sha384 : sha512;
}

// A key of one curve whose point is replaced for each request, with a context that verifies by it:
// making both anew takes an eighth of a P-256 verification. OpenSSL keeps nothing of an EC public
// key but the point itself, and a point that cannot be set is refused, so that no signature is ever
// verified with the key of another request.
class CurveKey {
 public:
  // Empty where OpenSSL fails.
  explicit CurveKey(PublicKeyKind curve) {
    const char* const name = curve == PublicKeyKind::kEcP256 ? "P-256" : "P-384";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(name), 0),
        OSSL_PARAM_construct_end()};
    const EvpPkeyCtxPtr maker(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    EVP_PKEY* key = nullptr;
    if (maker == nullptr || EVP_PKEY_fromdata_init(maker.get()) != 1 ||
        EVP_PKEY_fromdata(maker.get(), &key, EVP_PKEY_KEY_PARAMETERS, params) != 1) {
      return;
    }
    key_.reset(key);
  }

  bool empty() const { return key_ == nullptr; }

  // OpenSSL's decoding of a point refuses coordinates out of range and, by putting them into the
  // curve's equation, points off the curve; the cofactor is 1, so a point on the curve is a full
  // check (SP 800-186 appendix D.1.1).
  bool SetPoint(absl::string_view point) {
    return EVP_PKEY_set1_encoded_public_key(key_.get(), Octets(point), point.size()) == 1;
  }

  // Of the point that was set last.
  bool Verifies(absl::string_view digest, absl::string_view signature) {
    return MakeContext() && EVP_PKEY_verify(context_.get(), Octets(signature), signature.size(),
                                            Octets(digest), digest.size()) == 1;
  }

 private:
  // With the first point: OpenSSL makes no context of a key without one. Not told which hash is
  // used, it takes a digest of any length, as ECDSA does (FIPS 186-5 section 6.4.2).
  bool MakeContext() {
    if (context_ != nullptr) return true;
    EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    if (context == nullptr || EVP_PKEY_verify_init(context.get()) != 1) return false;
    context_ = std::move(context);
    return true;
  }

  EvpPkeyPtr key_;
  EvpPkeyCtxPtr context_;
};

// One of each curve a thread.
CurveKey& ThreadCurveKey(PublicKeyKind curve) {
  thread_local CurveKey p256(PublicKeyKind::kEcP256);
  thread_local CurveKey p384(PublicKeyKind::kEcP384);
  return curve == PublicKeyKind::kEcP256 ? p256 : p384;
}

absl::Status CheckEcdsa(const PublicKey& key, absl::string_view digest,
                        absl::string_view signature) {
  CurveKey& curve_key = ThreadCurveKey(key.kind);
  if (curve_key.empty()) return Internal("cannot make an EC key");
  const bool on_curve = curve_key.SetPoint(key.bits);
  if (on_curve && curve_key.Verifies(digest, signature)) return absl::OkStatus();
  // What met an error is not used again.
  curve_key = CurveKey(key.kind);
  if (on_curve) return SignatureInvalid();
  DrainOpensslErrors();
  return Error(ErrorReason::kKeyInvalid, "pkcs10", "the public point is not on its curve");
}

BignumPtr ReadNumber(absl::string_view big_endian) {
  return BignumPtr(BN_bin2bn(Octets(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

RsaPtr MakeRsaKey(const PublicKey& numbers) {
  RsaPtr key(RSA_new());
  BignumPtr n = ReadNumber(numbers.modulus), e = ReadNumber(numbers.exponent);
  if (key == nullptr || n == nullptr || e == nullptr ||
      RSA_set0_key(key.get(), n.get(), e.get(), nullptr) != 1) {
    return nullptr;
  }
  // They are the key's now.
  static_cast<void>(n.release());
  static_cast<void>(e.release());
  return key;
}

bool VerifiesPkcs1(RSA* key, const EVP_MD* hash, absl::string_view digest,
                   absl::string_view signature) {
  return RSA_verify(EVP_MD_get_type(hash), Octets(digest), static_cast<unsigned>(digest.size()),
                    Octets(signature), static_cast<unsigned>(signature.size()), key) == 1;
}

bool VerifiesPss(RsaPtr key, const EVP_MD* hash, int salt_size, absl::string_view digest,
                 absl::string_view signature) {
  const EvpPkeyPtr wrapped(EVP_PKEY_new());
  if (wrapped == nullptr || EVP_PKEY_assign_RSA(wrapped.get(), key.get()) != 1) return false;
  static_cast<void>(key.release());
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, wrapped.get(), nullptr));
  return context != nullptr && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), hash) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), salt_size) == 1 &&
         EVP_PKEY_verify(context.get(), Octets(signature), signature.size(), Octets(digest),
                         digest.size()) == 1;
}

absl::Status CheckRsa(const PublicKey& numbers, const SignatureAlgorithm& algorithm,
                      const EVP_MD* hash, absl::string_view digest, absl::string_view signature) {
  // RFC 8017 sections 8.1.2 and 8.2.2, step 1. For PSS OpenSSL also takes one whose leading zero is
  // left out.
  if (signature.size() != numbers.modulus.size()) return SignatureInvalid();
  RsaPtr key = MakeRsaKey(numbers);
  if (key == nullptr) return Internal("cannot make an RSA key");
  const bool verifies =
      algorithm.scheme == SignatureScheme::kRsaPss
          ? VerifiesPss(std::move(key), hash, algorithm.salt_size, digest, signature)
          : VerifiesPkcs1(key.get(), hash, digest, signature);
  return verifies ? absl::OkStatus() : SignatureInvalid();
}

}  // namespace

absl::Status CheckSignature(const PublicKey& key, const SignatureAlgorithm& algorithm,
                            absl::string_view message, absl::string_view signature) {
  const bool key_is_rsa = key.kind == PublicKeyKind::kRsa;
  if (key_is_rsa == (algorithm.scheme == SignatureScheme::kEcdsa)) return SignatureInvalid();
  const EVP_MD* const hash = Digest(algorithm.digest_bits);
  unsigned char octets[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (hash == nullptr ||
      EVP_Digest(message.data(), message.size(), octets, &size, hash, nullptr) != 1) {
    return Internal("cannot hash");
  }
  const absl::string_view digest(reinterpret_cast<char*>(octets), size);
  return key_is_rsa ? CheckRsa(key, algorithm, hash, digest, signature)
                    : CheckEcdsa(key, digest, signature);
}

}  // namespace hourglass::ca
