// How a key is destroyed.
#ifndef HOURGLASS_ISSUANCE_ROTATION_KEY_DESTRUCTION_H_
#define HOURGLASS_ISSUANCE_ROTATION_KEY_DESTRUCTION_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/store/key_store.h"
#include "issuance/base/clock.h"
#include "issuance/log/event_log.h"
#include "issuance/rotation/key_claims.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

struct KeyDestructionOrder {
  std::string key_uri;  // canonical
  // SubjectPublicKeyInfo, DER, of the key that is meant: whatever else answers to the URI is left
  // alone. Nothing, for who may destroy any key: the one that answers is meant.
  std::optional<std::string> public_key;
  // Whose it is, where that is known; for the log.
  std::string tenant_id;
  std::string root_id;
  std::string caller;
};

// The one way to it: nothing else calls hsm::KeyStore::Destroy. Safe to call from several threads.
class KeyDestruction {
 public:
  // All must outlive this object.
  KeyDestruction(Store* store, hsm::KeyStore* keys, KeyClaims* claims, const Clock* clock,
                 EventLog log)
      : store_(store), keys_(keys), claims_(claims), clock_(clock), log_(std::move(log)) {}

  // Destroys the key, fit or not, for good; logs it as `key_destroyed`; and records it
  // (Store::NoteKeyDestroyed). A name proves nothing: the key is known by its public key. No root
  // of any tenant that is STAGED, PRIMARY or RETIRING loses its key: one whose certificate holds
  // the public key; one whose URI is exactly the key's; and where the public key cannot be read,
  // one whose URI may be the key's. Nor does any get it meanwhile: in this process the key is
  // claimed, and in every process one that was planned is condemned first
  // (RootKeyStore::CondemnPlannedKey). One that is planned for no root is not protected from
  // another process that makes a root of it just then. A
  // condemned key that could not be destroyed gets no root any more, and the next root that its
  // tenant makes destroys it. Returns what was destroyed.
  //
  // Errors, with field `key_uri`: KEY_NOT_FOUND where none answers; KEY_MISMATCH where one is
  // meant and what answers is another, or shows no public key; KEY_EXISTS where none is meant and
  // several answer; KEY_IN_USE; and what KeyStore says.
  absl::StatusOr<hsm::KeyStore::StoredKey> Destroy(const KeyDestructionOrder& order);

 private:
  absl::StatusOr<hsm::KeyStore::StoredKey> KeyThatIsMeant(const KeyDestructionOrder& order);
  // KEY_IN_USE where a root needs it, else the roots of its public key, which need it no more.
  absl::StatusOr<std::vector<RootOfKey>> RootsUnlessInUse(const hsm::KeyStore::StoredKey& key,
                                                          const KeyDestructionOrder& order);
  void Log(const hsm::KeyStore::StoredKey& key, const KeyDestructionOrder& order) const;

  Store* const store_;
  hsm::KeyStore* const keys_;
  KeyClaims* const claims_;
  const Clock* const clock_;
  const EventLog log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_KEY_DESTRUCTION_H_
