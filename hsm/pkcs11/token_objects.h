// The key objects of a token, in one session: find, read, make, destroy.
#ifndef HOURGLASS_HSM_PKCS11_TOKEN_OBJECTS_H_
#define HOURGLASS_HSM_PKCS11_TOKEN_OBJECTS_H_

#include <p11-kit/pkcs11.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/custodian.h"
#include "hsm/key/signing_key.h"
#include "hsm/pkcs11/session_pool.h"

namespace hourglass::hsm {

// All objects of this class that `key` selects. Errors: KEY_UNAVAILABLE, also where the login or
// the token was lost, since a token then hides its private keys without a word.
absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> FindObjects(Session& session, CK_OBJECT_CLASS kind,
                                                          const KeySelector& key);

// All objects of this class, whatever they are called. Errors: as above.
absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> FindAll(Session& session, CK_OBJECT_CLASS kind);

// The one private key. Errors: KEY_NOT_FOUND, KEY_EXISTS where several answer, KEY_UNAVAILABLE.
absl::StatusOr<CK_OBJECT_HANDLE> FindPrivateKey(Session& session, const KeySelector& key);

// Whether the token shows any private key at all. Errors: KEY_UNAVAILABLE.
absl::StatusOr<bool> HoldsPrivateKeys(Session& session);

// Whether it shows one with this id, under any label. Errors: KEY_UNAVAILABLE.
absl::StatusOr<bool> HoldsPrivateKeyOfId(Session& session, absl::string_view id);

// An object's CKA_LABEL and CKA_ID, of any octets, possibly empty. Errors: KEY_UNAVAILABLE.
absl::StatusOr<KeySelector> ReadSelector(Session& session, CK_OBJECT_HANDLE object);

// The same of a private key, and whether it is fit, read at once. `fitness` is OK or KEY_UNFIT: it
// refuses a key that has ever been, or may become, known outside the token (CKA_SENSITIVE,
// CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE and CKA_LOCAL must be true, CKA_EXTRACTABLE false),
// that may not sign, or that asks for a login for every signature (CKA_ALWAYS_AUTHENTICATE). An
// attribute that the token does not know counts against the key, but for the last. Errors:
// KEY_UNAVAILABLE.
struct PrivateKeyReading {
  KeySelector selector;
  absl::Status fitness;
};
absl::StatusOr<PrivateKeyReading> ReadPrivateKey(Session& session, CK_OBJECT_HANDLE private_key);

// The one public object's SubjectPublicKeyInfo, DER. Errors: KEY_UNFIT where there is none,
// KEY_EXISTS where several answer, KEY_UNSUPPORTED, KEY_INVALID, KEY_UNAVAILABLE.
absl::StatusOr<std::string> ReadPublicKey(Session& session, const KeySelector& key);

// Makes a pair that is fit (ReadPrivateKey), may sign and do nothing else (but see
// module_chooses_uses), and has `key`'s label and id (which must be given). Takes a writable
// session. Errors: KEY_UNAVAILABLE, KEY_UNSUPPORTED.
struct NewPair {
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
};
absl::StatusOr<NewPair> GenerateKeyPair(Session& session, KeyType type, const KeySelector& key);

// Destroys the object. Takes a writable session. Errors: KEY_UNAVAILABLE.
absl::Status DestroyObject(Session& session, CK_OBJECT_HANDLE object);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_TOKEN_OBJECTS_H_
