// The key pairs of a token, in one session: read, make, destroy, as KeyCustodian says.
#ifndef HOURGLASS_HSM_PKCS11_KEY_PAIRS_H_
#define HOURGLASS_HSM_PKCS11_KEY_PAIRS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/custodian.h"
#include "hsm/pkcs11/session_pool.h"

namespace hourglass::hsm {

// KeyCustodian::Open.
absl::StatusOr<CustodialKey> ReadKeyPair(Session& session, const KeySelector& selector);

// KeyCustodian::Generate, in a writable session. What it makes does not stay where it is then found
// unfit. Half a pair of exactly this label and id, which no key can be opened by, is replaced.
absl::StatusOr<CustodialKey> MakeKeyPair(Session& session, const KeySelector& selector,
                                         KeyType type);

// KeyCustodian::Destroy, in a writable session.
absl::Status DestroyKeyPair(Session& session, const KeySelector& selector);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_KEY_PAIRS_H_
