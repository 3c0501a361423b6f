#include "issuance/tokens/verification_key.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kP256Size = 32;
constexpr std::size_t kDigestSize = 32;
// More threads than this verify with one key at once seldom.
constexpr std::size_t kKeptContexts = 64;

using ParamBuilderPtr = OpensslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamsPtr = OpensslPtr<OSSL_PARAM, OSSL_PARAM_free>;

const unsigned char* Octets(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

absl::Status Unfit(absl::string_view why) { return Error(ErrorReason::kFieldInvalid, "", why); }

BignumPtr ReadNumber(absl::string_view big_endian) {
  return BignumPtr(BN_bin2bn(Octets(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

// Fetched once: EVP_sha256() would be looked up again in every operation.
const EVP_MD* Digest() {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  return sha256;
}

EvpPkeyPtr MakeKey(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
  const EvpPkeyCtxPtr maker(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || maker == nullptr || EVP_PKEY_fromdata_init(maker.get()) != 1 ||
      EVP_PKEY_fromdata(maker.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    DrainOpensslErrors();
    return nullptr;
  }
  return EvpPkeyPtr(key);
}

absl::Status CheckRsaNumbers(absl::string_view modulus, absl::string_view exponent, const BIGNUM* n,
                             const BIGNUM* e) {
  if (modulus.empty() || modulus[0] == '\0' || exponent.empty() || exponent[0] == '\0') {
    return Unfit("a number is empty or begins with a zero octet");
  }
  const int bits = BN_num_bits(n);
  if (bits < kMinTokenRsaBits || bits > kMaxTokenRsaBits) {
    return Unfit(absl::StrCat("its modulus has ", bits, " bits, and must have ", kMinTokenRsaBits,
                              " to ", kMaxTokenRsaBits));
  }
  if (!BN_is_odd(n)) return Unfit("its modulus is even");
  if (exponent.size() > 8 || !BN_is_odd(e) || BN_num_bits(e) < 17) {
    return Unfit("its exponent must be odd, at least 65537 and at most 8 octets");
  }
  return absl::OkStatus();
}

// DER of the two numbers that ES256 just puts beside each other; empty where that fails.
std::string EcdsaDer(absl::string_view signature) {
  const EcdsaSigPtr numbers(ECDSA_SIG_new());
  BignumPtr r = ReadNumber(signature.substr(0, kP256Size));
  BignumPtr s = ReadNumber(signature.substr(kP256Size));
  if (numbers == nullptr || r == nullptr || s == nullptr ||
      ECDSA_SIG_set0(numbers.get(), r.get(), s.get()) != 1) {
    return "";
  }
  // They are the signature's now.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char der[2 * (kP256Size + 3) + 2];
  unsigned char* end = der;
  const int size = i2d_ECDSA_SIG(numbers.get(), &end);
  return size <= 0 ? "" : std::string(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
}

EvpPkeyCtxPtr MakeContext(EVP_PKEY* key, TokenAlgorithm algorithm) {
  EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (context == nullptr || EVP_PKEY_verify_init(context.get()) != 1) return nullptr;
  if (algorithm == TokenAlgorithm::kEs256) return context;
  const bool pss = algorithm == TokenAlgorithm::kPs256;
  if (EVP_PKEY_CTX_set_rsa_padding(context.get(),
                                   pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), Digest()) != 1 ||
      (pss && (EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), Digest()) != 1 ||
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), kDigestSize) != 1))) {
    return nullptr;
  }
  return context;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VerificationKey>> VerificationKey::Rsa(absl::string_view modulus,
                                                                      absl::string_view exponent) {
  if (modulus.size() > kMaxTokenRsaBits / 8 + 1) return Unfit("its modulus is too long");
  if (exponent.size() > kMaxTokenRsaBits / 8) return Unfit("its exponent is too long");
  const BignumPtr n = ReadNumber(modulus), e = ReadNumber(exponent);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (n == nullptr || e == nullptr || builder == nullptr) return Unfit("no memory");
  if (absl::Status status = CheckRsaNumbers(modulus, exponent, n.get(), e.get()); !status.ok()) {
    return status;
  }
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return Unfit("no memory");
  }
  EvpPkeyPtr key = MakeKey("RSA", builder.get());
  if (key == nullptr) return Unfit("OpenSSL takes it for no RSA key");
  return std::unique_ptr<VerificationKey>(
      new VerificationKey(true, modulus.size(), std::move(key)));
}

absl::StatusOr<std::unique_ptr<VerificationKey>> VerificationKey::EcP256(absl::string_view x,
                                                                         absl::string_view y) {
  if (x.size() != kP256Size || y.size() != kP256Size) {
    return Unfit("its coordinates must have 32 octets each");
  }
  const std::string point = absl::StrCat("\x04", x, y);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return Unfit("no memory");
  }
  EvpPkeyPtr key = MakeKey("EC", builder.get());
  if (key == nullptr) return Unfit("its point is not on P-256");
  return std::unique_ptr<VerificationKey>(
      new VerificationKey(false, 2 * kP256Size, std::move(key)));
}

bool VerificationKey::Fits(TokenAlgorithm algorithm) const {
  return is_rsa_ != (algorithm == TokenAlgorithm::kEs256);
}

EvpPkeyCtxPtr VerificationKey::TakeContext(TokenAlgorithm algorithm) const {
  {
    const MutexLock lock(mutex_);
    auto& kept = contexts_[static_cast<std::size_t>(algorithm)];
    if (!kept.empty()) {
      EvpPkeyCtxPtr context = std::move(kept.back());
      kept.pop_back();
      return context;
    }
  }
  return MakeContext(key_.get(), algorithm);
}

void VerificationKey::GiveBack(TokenAlgorithm algorithm, EvpPkeyCtxPtr context) const {
  const MutexLock lock(mutex_);
  auto& kept = contexts_[static_cast<std::size_t>(algorithm)];
  if (kept.size() < kKeptContexts) kept.push_back(std::move(context));
}

bool VerificationKey::Verifies(TokenAlgorithm algorithm, absl::string_view message,
                               absl::string_view signature) const {
  // RFC 8017 sections 8.1.2 and 8.2.2 step 1, RFC 7518 section 3.4. For PSS OpenSSL also takes one
  // whose leading zero is left out.
  if (!Fits(algorithm) || signature.size() != signature_size_) return false;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EvpPkeyCtxPtr context = TakeContext(algorithm);
  const std::string der = is_rsa_ ? "" : EcdsaDer(signature);
  const absl::string_view form = is_rsa_ ? signature : absl::string_view(der);
  if (context == nullptr ||
      EVP_Digest(message.data(), message.size(), digest, &size, Digest(), nullptr) != 1 ||
      EVP_PKEY_verify(context.get(), Octets(form), form.size(), digest, size) != 1) {
    // What met an error is not used again.
    DrainOpensslErrors();
    return false;
  }
  GiveBack(algorithm, std::move(context));
  return true;
}

}  // namespace hourglass::issuance
