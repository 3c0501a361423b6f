#include "hsm/key/private_octets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <cstring>
#include <iterator>
#include <utility>

#include "hsm/base/error.h"

namespace hourglass::hsm {
namespace {

// The private exponent of RSA-4096; its five other numbers are half as long.
constexpr size_t kLongestNumber = 512;
constexpr size_t kScalar = 48;  // of P-384

constexpr const char* kRsaNumbers[] = {
    OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,
    OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

bool Hash(const unsigned char* octets, size_t size, unsigned char* digest) {
  return EVP_Digest(octets, size, digest, nullptr, EVP_sha256(), nullptr) == 1;
}

}  // namespace

absl::StatusOr<PrivateOctets> PrivateOctets::Of(EVP_PKEY* key) {
  EVP_PKEY_up_ref(key);
  PrivateOctets octets{EvpPkeyPtr(key)};
  if (octets.Read(&octets.digest_)) return octets;
  return Error(ErrorReason::kInternalError, "key", DrainOpensslErrors());
}

bool PrivateOctets::AreAsTheyWere() const {
  Digest now;
  return Read(&now) && now == digest_;
}

bool PrivateOctets::Read(Digest* digest) const {
  if (EVP_PKEY_is_a(key_.get(), "EC") == 1) {
    unsigned char scalar[kScalar] = {};
    OSSL_PARAM wanted[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, scalar, sizeof(scalar)),
        OSSL_PARAM_construct_end()};
    const bool read = EVP_PKEY_get_params(key_.get(), wanted) == 1 &&
                      OSSL_PARAM_modified(wanted) == 1 &&
                      Hash(scalar, sizeof(scalar), digest->data());
    OPENSSL_cleanse(scalar, sizeof(scalar));
    return read;
  }
  unsigned char numbers[std::size(kRsaNumbers)][kLongestNumber] = {};
  OSSL_PARAM wanted[std::size(kRsaNumbers) + 1];
  for (size_t i = 0; i < std::size(kRsaNumbers); ++i) {
    wanted[i] = OSSL_PARAM_construct_BN(kRsaNumbers[i], numbers[i], kLongestNumber);
  }
  wanted[std::size(kRsaNumbers)] = OSSL_PARAM_construct_end();
  const bool read = EVP_PKEY_get_params(key_.get(), wanted) == 1 &&
                    OSSL_PARAM_modified(&wanted[0]) == 1 &&
                    Hash(&numbers[0][0], sizeof(numbers), digest->data());
  OPENSSL_cleanse(numbers, sizeof(numbers));
  return read;
}

}  // namespace hourglass::hsm
