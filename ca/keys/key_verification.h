// Whether a signature was made by the owner of a stranger's key: OpenSSL's part of reading a
// request.
#ifndef HOURGLASS_CA_KEYS_KEY_VERIFICATION_H_
#define HOURGLASS_CA_KEYS_KEY_VERIFICATION_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ca/keys/public_key.h"

namespace hourglass::ca {

enum class SignatureScheme { kEcdsa, kRsaPkcs1, kRsaPss };

struct SignatureAlgorithm {
  SignatureScheme scheme;
  int digest_bits;  // of SHA-2: 256, 384 or 512
  int salt_size;    // PSS only, octets; MGF1 uses the same hash
};

// OK only if `signature`, a DER ECDSA-Sig-Value or an RSA signature, is `key`'s over `message`.
// Checks first that the point of an EC key lies on its curve. Errors, with field `pkcs10`:
// REQUEST_SIGNATURE_INVALID, also where the scheme is not one of the key's kind; KEY_INVALID for a
// point that is not on the curve; INTERNAL_ERROR. Safe to call from several threads.
absl::Status CheckSignature(const PublicKey& key, const SignatureAlgorithm& algorithm,
                            absl::string_view message, absl::string_view signature);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_KEYS_KEY_VERIFICATION_H_
