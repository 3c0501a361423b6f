// The role of the store that keeps what is known of the keys of roots: their generations, plans,
// bindings and ends.
#ifndef HOURGLASS_ISSUANCE_STORE_ROOT_KEY_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_ROOT_KEY_STORE_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

// The contract that all roles share stands at Store (issuance/store/store.h).
class RootKeyStore {
 public:
  virtual ~RootKeyStore() = default;
  RootKeyStore(const RootKeyStore&) = delete;
  RootKeyStore& operator=(const RootKeyStore&) = delete;

  // A generation number that no call returned for this tenant before, from 1 up. Errors:
  // TENANT_UNKNOWN.
  virtual absl::StatusOr<int> ReserveGeneration(absl::string_view tenant_id) = 0;
  // Notes that a key is to be made; and again with the public key that it got, which is noted once.
  // Repeating it changes nothing. Condemns nothing, whatever `key` says. Errors: TENANT_UNKNOWN;
  // KEY_EXISTS with field `key_uri` where the URI is a root's; INTERNAL_ERROR where it is planned
  // for another root or with another public key, or condemned.
  virtual absl::Status PlanKey(const PlannedKey& key) = 0;
  // Takes the note away, if it is there; with a public key, which may be empty, only where it notes
  // that one: what was noted of the key meanwhile stays.
  virtual absl::Status ForgetPlannedKey(absl::string_view key_uri,
                                        std::optional<absl::string_view> public_key) = 0;
  // Marks the plan of a key that is about to be destroyed: AddRoot refuses the key from now on,
  // whichever process asks, so that no root is added whose key is going. By the public key, and by
  // the URI where none is noted or `public_key` is empty. The mark goes with the plan. Changes
  // nothing where none is planned: a key that was there before its root has no plan, and is
  // protected from other processes by nothing.
  virtual absl::Status CondemnPlannedKey(absl::string_view key_uri,
                                         absl::string_view public_key) = 0;
  // By generation.
  virtual absl::StatusOr<std::vector<PlannedKey>> ListPlannedKeys(absl::string_view tenant_id) = 0;

  // The roots of all tenants, whatever their state, whose certificate holds this
  // SubjectPublicKeyInfo, DER: a key belongs to one root for ever. None for an empty one. Reads
  // every root.
  virtual absl::StatusOr<std::vector<RootOfKey>> RootsOfPublicKey(absl::string_view public_key) = 0;
  // The same by the name of the key: whose key URI is this one, apart from an id in either. Reads
  // every root.
  virtual absl::StatusOr<std::vector<RootOfKey>> RootsOfKeyName(absl::string_view key_uri) = 0;
  // Records that a key is no more: in its root, which must be RETIRED or DISCARDED and keeps the
  // time that it has already, and by forgetting that it was planned or bound. By the public key;
  // where that is empty, plans and bindings by the URI. Errors: INTERNAL_ERROR where another root
  // has it.
  virtual absl::Status NoteKeyDestroyed(absl::string_view key_uri, absl::string_view public_key,
                                        Timestamp now) = 0;

  // Sets a key apart for a tenant. Repeating it changes nothing. Errors: TENANT_UNKNOWN;
  // KEY_NOT_PERMITTED with field `tenant_id` where the URI or the public key is bound otherwise.
  virtual absl::Status BindKey(const BoundKey& key) = 0;
  // Of all tenants, by URI.
  virtual absl::StatusOr<std::vector<BoundKey>> ListBoundKeys() = 0;

 protected:
  RootKeyStore() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_ROOT_KEY_STORE_H_
