// Signing keys that live in this process's memory: for tests, and where the configuration allows
// them. All of it is safe to call from several threads.
#ifndef HOURGLASS_HSM_KEY_SOFTWARE_KEY_H_
#define HOURGLASS_HSM_KEY_SOFTWARE_KEY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/secure_heap.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

// A new key by OpenSSL's generator, which nothing but the returned object holds; of RSA with the
// exponent 65537. A test signature by it is verified. Errors: INTERNAL_ERROR, KEY_UNAVAILABLE where
// it cannot sign, KEY_MISMATCH where the signature does not verify.
absl::StatusOr<std::unique_ptr<SigningKey>> GenerateSoftwareKey(KeyType type);

// A new key as an unencrypted PKCS#8 PEM document (RFC 7468 section 10), a secret that the caller
// must guard and may give to SoftwareKeyFromPem. Errors: INTERNAL_ERROR.
absl::StatusOr<std::string> GenerateSoftwareKeyPem(KeyType type);

// A new key as an unencrypted PKCS#8 PrivateKeyInfo, DER (RFC 5208 section 5), for
// SoftwareKeyFromDer. Errors: INTERNAL_ERROR, KEY_UNAVAILABLE where the secure heap is full.
absl::StatusOr<SecureOctets> GenerateSoftwareKeyDer(KeyType type);

// The key in a PKCS#8 PrivateKeyInfo, DER, which must be the whole input. Otherwise as
// SoftwareKeyFromPem.
absl::StatusOr<std::unique_ptr<SigningKey>> SoftwareKeyFromDer(absl::string_view pkcs8_der);

// The key in the first `PRIVATE KEY` block of `pkcs8_pem`; encrypted and older forms are refused.
// Its public half is checked with a test signature; no password is asked for. Errors: KEY_INVALID,
// KEY_UNSUPPORTED, KEY_MISMATCH, KEY_UNAVAILABLE where it cannot sign or the secure heap is full.
absl::StatusOr<std::unique_ptr<SigningKey>> SoftwareKeyFromPem(absl::string_view pkcs8_pem);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_SOFTWARE_KEY_H_
