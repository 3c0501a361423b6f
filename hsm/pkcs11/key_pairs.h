// The key pairs of a token, in one session: read, make, destroy, as KeyCustodian says.
#ifndef HOURGLASS_HSM_PKCS11_KEY_PAIRS_H_
#define HOURGLASS_HSM_PKCS11_KEY_PAIRS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/key/custodian.h"
#include "hsm/pkcs11/session_pool.h"

namespace hourglass::hsm {

// KeyCustodian::Open.
absl::StatusOr<CustodialKey> ReadKeyPair(Session& session, const KeySelector& selector);

// KeyCustodian::Generate, in a writable session. What it makes does not stay where it is then found
// unfit, or where another process has made one of the same name meanwhile. A lone public half of
// exactly this label and id, without a private key of that id, is replaced. A lone private half is
// KEY_EXISTS, since it may be all that is left of a key in use: where a module that makes the
// private half first was interrupted in between, an administrator must destroy it. Who is
// interrupted before he takes his own back leaves two of the name, of which none can be opened by
// it.
absl::StatusOr<CustodialKey> MakeKeyPair(Session& session, const KeySelector& selector,
                                         KeyType type);

// KeyCustodian::Destroy, in a writable session.
absl::Status DestroyKeyPair(Session& session, const KeySelector& selector);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_KEY_PAIRS_H_
