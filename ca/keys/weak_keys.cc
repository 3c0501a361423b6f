#include "ca/keys/weak_keys.h"

#include <optional>

#include "ca/keys/close_primes.h"
#include "ca/keys/small_factors.h"
#include "ca/keys/small_scalars.h"
#include "hsm/base/error.h"

namespace hourglass::ca {
namespace {

absl::Status Weak(absl::string_view message) {
  return Error(ErrorReason::kKeyWeak, "pkcs10", message);
}

absl::Status CheckModulus(absl::string_view modulus) {
  switch (LookAtSmallPrimes(modulus)) {
    case SmallPrimesFinding::kNone:
      break;
    case SmallPrimesFinding::kFactor:
      return Weak("the RSA modulus has a small prime factor: make a new key");
    case SmallPrimesFinding::kRocaFingerprint:
      return Weak(
          "the RSA key was made by hardware whose keys can be computed from their public half "
          "(CVE-2017-15361, ROCA): update its firmware, or make the key elsewhere");
  }
  const std::optional<bool> close = HasClosePrimes(modulus);
  if (!close.has_value()) {
    return Error(ErrorReason::kInternalError, "", "cannot look for close primes");
  }
  if (*close) {
    return Weak(
        "the primes of the RSA modulus are so close that it can be factored: make a new key");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckKeyStrength(const PublicKey& key) {
  if (key.kind == PublicKeyKind::kRsa) return CheckModulus(key.modulus);
  if (!HasSmallScalar(key.kind, key.bits)) return absl::OkStatus();
  return Weak(
      "the private key of this point is a small number that anybody can guess: make a new key");
}

}  // namespace hourglass::ca
