// A public key that tokens are verified with, parsed once.
#ifndef HOURGLASS_ISSUANCE_TOKENS_VERIFICATION_KEY_H_
#define HOURGLASS_ISSUANCE_TOKENS_VERIFICATION_KEY_H_

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "hsm/base/openssl.h"
#include "issuance/tokens/token_algorithm.h"

namespace hourglass::issuance {

inline constexpr int kMinTokenRsaBits = 2048;
inline constexpr int kMaxTokenRsaBits = 8192;

// Safe to use from several threads.
class VerificationKey {
 public:
  // Of the numbers as octets, big-endian without a leading zero: a modulus of kMinTokenRsaBits to
  // kMaxTokenRsaBits, an odd exponent of at least 65537 and 8 octets. Errors: FIELD_INVALID without
  // a field, with what is wrong, to end a sentence.
  static absl::StatusOr<std::unique_ptr<VerificationKey>> Rsa(absl::string_view modulus,
                                                              absl::string_view exponent);
  // On P-256, of coordinates of 32 octets each. Errors as above; also a point off the curve.
  static absl::StatusOr<std::unique_ptr<VerificationKey>> EcP256(absl::string_view x,
                                                                 absl::string_view y);

  // Whether a key of this type can sign by the algorithm.
  bool Fits(TokenAlgorithm algorithm) const;

  // Whether `signature`, in the form of RFC 7518 section 3, is this key's over `message` by
  // `algorithm`, which must fit.
  bool Verifies(TokenAlgorithm algorithm, absl::string_view message,
                absl::string_view signature) const;

 private:
  VerificationKey(bool is_rsa, std::size_t signature_size, EvpPkeyPtr key)
      : is_rsa_(is_rsa), signature_size_(signature_size), key_(std::move(key)) {}

  EvpPkeyCtxPtr TakeContext(TokenAlgorithm algorithm) const;
  void GiveBack(TokenAlgorithm algorithm, EvpPkeyCtxPtr context) const;

  const bool is_rsa_;
  const std::size_t signature_size_;
  const EvpPkeyPtr key_;
  // To make one takes OpenSSL a third of what it takes to verify.
  mutable Mutex mutex_;
  mutable std::array<std::vector<EvpPkeyCtxPtr>, 3> contexts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_VERIFICATION_KEY_H_
