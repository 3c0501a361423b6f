// Public keys of strangers: read from a SubjectPublicKeyInfo, and refused unless they are of a kind
// that is certified.
#ifndef HOURGLASS_CA_KEYS_PUBLIC_KEY_H_
#define HOURGLASS_CA_KEYS_PUBLIC_KEY_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::ca {

// The least size of an RSA key's modulus, in bits.
inline constexpr int kMinRsaBits = 2048;
// The largest size of an RSA key's modulus, in bits.
inline constexpr int kMaxRsaBits = 4096;

// What a leaf's key may be; each tenant may narrow it. What it does not allow is KEY_SIZE_REFUSED.
struct KeyPolicy {
  bool allow_ec_p256 = true;       // secp256r1 (RFC 5480 section 2.1.1.1)
  bool allow_ec_p384 = true;       // secp384r1 (RFC 5480 section 2.1.1.1)
  bool allow_rsa = true;           // of a modulus from min_rsa_bits to max_rsa_bits
  int min_rsa_bits = kMinRsaBits;  // less than kMinRsaBits counts as kMinRsaBits
  int max_rsa_bits = kMaxRsaBits;  // more than kMaxRsaBits counts as kMaxRsaBits
};

// By which algorithm a key signs, and for EC on which curve.
enum class PublicKeyKind { kEcP256, kEcP384, kRsa };

// The numbers of a key, within the octets that were read.
struct PublicKey {
  PublicKeyKind kind;  // decides which of the members below are empty
  // Content of the subjectPublicKey BIT STRING; of an EC key the point, of the right length and
  // form, but nobody has looked yet whether it lies on the curve: ca/keys/key_verification.h does.
  absl::string_view bits;
  // RSA only: big-endian, without a leading zero; else empty.
  absl::string_view modulus;
  // RSA only: as the modulus, at most 8 octets; else empty.
  absl::string_view exponent;
};

// Reads one SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), whole, and checks the key: P-256 or
// P-384 by name (RFC 5480 section 2.1.1) with an uncompressed point; or RSA (RFC 3279
// section 2.3.1) with an odd modulus of an accepted size and an odd exponent of at least 65537
// (FIPS 186-5 section A.1.1) and below 2^64: OpenSSL verifies nothing with a larger one beside a
// modulus of more than 3072 bits, and each bit of it costs time in every verification. What is
// accepted is byte for byte what an encoder would write.
// Errors, with field `pkcs10`: REQUEST_MALFORMED, KEY_UNSUPPORTED, KEY_SIZE_REFUSED, KEY_INVALID.
// Safe to call from several threads.
absl::StatusOr<PublicKey> ReadPublicKey(absl::string_view subject_public_key_info,
                                        const KeyPolicy& policy);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_KEYS_PUBLIC_KEY_H_
