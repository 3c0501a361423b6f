// ECDSA signatures, from the form of tokens to the form of certificates.
#ifndef HOURGLASS_HSM_PKCS11_ECDSA_VALUE_H_
#define HOURGLASS_HSM_PKCS11_ECDSA_VALUE_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::hsm {

// From r || s, big endian, each half of `raw` (PKCS #11 v2.40 section 2.3.1), to an
// Ecdsa-Sig-Value, DER (RFC 3279 section 2.2.3). Nothing where r or s is zero, which no signature
// has, or `raw` is not two equal halves of 1 to 66 octets.
std::optional<std::string> EncodeEcdsaValue(absl::string_view raw);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_ECDSA_VALUE_H_
