// What is to be known about each KeyType: its name, its hash, and how to tell it from a key.
#ifndef HOURGLASS_HSM_KEY_KEY_TYPE_H_
#define HOURGLASS_HSM_KEY_KEY_TYPE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hsm/base/openssl.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

// Every KeyType, for tests and messages.
inline constexpr KeyType kAllKeyTypes[] = {KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048,
                                           KeyType::kRsa3072, KeyType::kRsa4096};

inline bool IsEc(KeyType type) { return type == KeyType::kEcP256 || type == KeyType::kEcP384; }

// Bits of the RSA modulus or of the curve's order: 2048, 3072, 4096, 256, 384.
int KeyBits(KeyType type);

// `ec-p256`, `ec-p384`, `rsa-2048`, `rsa-3072` or `rsa-4096`.
absl::string_view KeyTypeName(KeyType type);

// The name of every KeyType, in the order of kAllKeyTypes: the one list for choices, messages and
// help. Lives as long as the process.
absl::Span<const absl::string_view> KeyTypeNames();

// The reverse of KeyTypeName, case sensitive. Errors: FIELD_INVALID with field `key_type` and
// a message that lists the names.
absl::StatusOr<KeyType> ParseKeyType(absl::string_view name);

// The type of a private or public key: an EC key on a named curve, or an RSA key (not RSASSA-PSS)
// of exactly one of the sizes. Errors: KEY_UNSUPPORTED, KEY_INVALID for an RSA key whose modulus is
// even, or whose public exponent is even or below 65537.
absl::StatusOr<KeyType> KeyTypeOf(const EVP_PKEY& key);

// Parses a SubjectPublicKeyInfo, DER, of one of the key types. It must be the whole input in the
// one encoding that RFC 5480 section 2 and RFC 3279 section 2.3.1 give it, with an uncompressed
// point that lies on its curve. Errors: KEY_INVALID, KEY_UNSUPPORTED.
absl::StatusOr<EvpPkeyPtr> ParsePublicKey(absl::string_view spki);

// SubjectPublicKeyInfo, DER. Errors: INTERNAL_ERROR.
absl::StatusOr<std::string> EncodePublicKey(const EVP_PKEY& key);

// The hash that signatures of this type are over: SHA-384 for P-384, SHA-256 for the others. Lives
// as long as the process.
const EVP_MD* DigestOf(KeyType type);

// `message` hashed by DigestOf(type): 48 or 32 octets. Errors: INTERNAL_ERROR.
absl::StatusOr<std::string> Digest(KeyType type, absl::string_view message);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_KEY_TYPE_H_
