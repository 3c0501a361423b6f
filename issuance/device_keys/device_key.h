// The key of a device: what may be one, and whether it signed.
#ifndef HOURGLASS_ISSUANCE_DEVICE_KEYS_DEVICE_KEY_H_
#define HOURGLASS_ISSUANCE_DEVICE_KEYS_DEVICE_KEY_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// A larger SubjectPublicKeyInfo is refused before it is read, in octets. One of RSA-4096 has 550.
inline constexpr std::size_t kMaxDeviceKeySize = 1024;

// Whether this may be a device's key: one SubjectPublicKeyInfo, whole, canonical DER, of P-256,
// P-384 or RSA from 2048 to 4096 bits, and none that CheckKeyStrength (ca/keys/weak_keys.h) knows.
// What a tenant accepts for certificates does not count: another key is certified. Errors, with
// field `public_key`: FIELD_MISSING; REQUEST_MALFORMED, KEY_UNSUPPORTED, KEY_SIZE_REFUSED,
// KEY_INVALID, KEY_WEAK; INTERNAL_ERROR. Safe to call from several threads.
absl::Status CheckDeviceKey(absl::string_view subject_public_key_info);

// What a device key is called: the SHA-256 of its SubjectPublicKeyInfo, 64 hexadecimal digits.
std::string DeviceKeyId(absl::string_view subject_public_key_info);

// OK only if `signature` is the key's over `message`, by the one algorithm that the key has: ECDSA
// with SHA-256 on P-256 and with SHA-384 on P-384, RSASSA-PKCS1-v1_5 with SHA-256. `field` names
// the signature. Errors: DEVICE_PROOF_REFUSED with `field`; INTERNAL_ERROR, also where
// `subject_public_key_info` is none that CheckDeviceKey accepted. Safe to call from several
// threads.
absl::Status CheckDeviceSignature(absl::string_view subject_public_key_info,
                                  absl::string_view message, absl::string_view signature,
                                  absl::string_view field);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_DEVICE_KEYS_DEVICE_KEY_H_
