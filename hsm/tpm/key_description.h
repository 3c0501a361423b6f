// A TPM's words for a signing key, and ours.
#ifndef HOURGLASS_HSM_TPM_KEY_DESCRIPTION_H_
#define HOURGLASS_HSM_TPM_KEY_DESCRIPTION_H_

#include <tss2/tss2_tpm2_types.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/custodian.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

// What to make a key of `type` from: made in the TPM, never to leave it, signing alone, in its one
// algorithm. A key without a PIN is not counted against the lock for wrong PINs.
TPM2B_PUBLIC SigningKeyTemplate(KeyType type, bool with_pin);

// The TCG's template of an ECC storage root key (TPM v2.0 Provisioning Guidance 1.0 section 7.5.1):
// whoever makes the primary key from it gets the same key.
TPM2B_PUBLIC StorageKeyTemplate();

// What is known of an object from its public area, fit or not.
KeyListing DescribeObject(const KeySelector& selector, const TPM2B_PUBLIC& object);

// Whether it may be taken for a key made to sign for somebody, even if unfit. Storage, endorsement
// and attestation keys, and what is sealed, are the machine's.
bool IsSomebodysSigningKey(const TPM2B_PUBLIC& object);

// Whether what is kept under it is known to the TPM alone: it was made there, never leaves, and
// only wraps others. It has no policy to satisfy.
bool IsStorageKey(const TPM2B_PUBLIC& object);

// The algorithm of a key of `type`, and its hash.
TPMT_SIG_SCHEME SignatureSchemeOf(KeyType type);

// What SigningKey::Sign returns. Errors: KEY_MISMATCH where the answer cannot be a signature by a
// key of `type`.
absl::StatusOr<std::string> EncodeSignature(KeyType type, const TPMT_SIGNATURE& signature);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_KEY_DESCRIPTION_H_
