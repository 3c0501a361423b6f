// The signatures that strangers make: which algorithms a PKCS#10 request may be signed with, and
// whether it was.
#ifndef HOURGLASS_CA_REQUEST_REQUEST_SIGNATURE_H_
#define HOURGLASS_CA_REQUEST_REQUEST_SIGNATURE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ca/keys/public_key.h"

namespace hourglass::ca {

// Verifies `signature` over `message` with `key`. `algorithm` is the content of an
// AlgorithmIdentifier, DER: ECDSA with SHA-256, SHA-384 or SHA-512 (RFC 5758 section 3.2), RSA
// PKCS#1 v1.5 with one of them (RFC 4055 section 5; parameters NULL or absent), or RSASSA-PSS with
// one of them, MGF1 with the same, and any salt that fits (RFC 4055 section 3.1). Errors, with
// field `pkcs10`: REQUEST_MALFORMED, KEY_UNSUPPORTED for other algorithms, and those of
// CheckSignature. Safe to call from several threads.
absl::Status VerifyRequestSignature(const PublicKey& key, absl::string_view algorithm,
                                    absl::string_view message, absl::string_view signature);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_REQUEST_REQUEST_SIGNATURE_H_
