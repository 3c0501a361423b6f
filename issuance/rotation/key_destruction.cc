#include "issuance/rotation/key_destruction.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/digest.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

using hsm::KeyStore;

absl::Status InUse(const RootOfKey& root, const KeyDestructionOrder& order) {
  // Who may not see every key is not told whose this one is.
  if (order.public_key.has_value()) {
    return Error(ErrorReason::kKeyInUse, "key_uri", "is the key of another root, which needs it");
  }
  return Error(ErrorReason::kKeyInUse, "key_uri",
               absl::StrCat("is the key of root ", root.root_id, " of tenant ", root.tenant_id,
                            ", which is ", ca::RootStateName(root.state)));
}

}  // namespace

absl::StatusOr<KeyStore::StoredKey> KeyDestruction::KeyThatIsMeant(
    const KeyDestructionOrder& order) {
  ASSIGN_OR_RETURN(std::vector<KeyStore::StoredKey> found, keys_->Find(order.key_uri));
  if (found.empty()) {
    return Error(ErrorReason::kKeyNotFound, "key_uri", "no key of this name is there");
  }
  if (!order.public_key.has_value()) {
    if (found.size() == 1) return std::move(found[0]);
    return Error(ErrorReason::kKeyExists, "key_uri",
                 absl::StrCat("several keys answer; give one's id, such as ", found[0].uri));
  }
  for (KeyStore::StoredKey& key : found) {
    if (!key.public_key.empty() && key.public_key == *order.public_key) return std::move(key);
  }
  return Error(
      ErrorReason::kKeyMismatch, "key_uri",
      "what answers to this name now is another key, or shows no public key to compare; it "
      "is left alone");
}

absl::StatusOr<std::vector<RootOfKey>> KeyDestruction::RootsUnlessInUse(
    const KeyStore::StoredKey& key, const KeyDestructionOrder& order) {
  ASSIGN_OR_RETURN(std::vector<RootOfKey> roots, store_->RootsOfPublicKey(key.public_key));
  for (const RootOfKey& root : roots) {
    if (ca::NeedsItsKey(root.state)) return InUse(root, order);
  }
  ASSIGN_OR_RETURN(const std::vector<RootOfKey> named, store_->RootsOfKeyName(key.uri));
  for (const RootOfKey& root : named) {
    if (!ca::NeedsItsKey(root.state)) continue;
    if (root.key_uri == key.uri || key.public_key.empty()) return InUse(root, order);
  }
  return roots;
}

void KeyDestruction::Log(const KeyStore::StoredKey& key, const KeyDestructionOrder& order) const {
  const std::string digest =
      key.public_key.empty() ? "" : absl::BytesToHexString(ca::Sha256(key.public_key));
  log_.Info("key_destroyed", {{"tenant", order.tenant_id},
                              {"root", order.root_id},
                              {"key", key.uri},
                              {"public_key_sha256", digest},
                              {"caller", order.caller}});
}

absl::StatusOr<KeyStore::StoredKey> KeyDestruction::Destroy(const KeyDestructionOrder& order) {
  ASSIGN_OR_RETURN(KeyClaims::Claim claim, claims_->ClaimName(order.key_uri));
  ASSIGN_OR_RETURN(KeyStore::StoredKey key, KeyThatIsMeant(order));
  RETURN_IF_ERROR(claim.ClaimPublicKey(key.public_key));
  // Looked at before, so that no plan is condemned for a key that stays; and after, because until
  // then a root could be added.
  RETURN_IF_ERROR(RootsUnlessInUse(key, order).status());
  RETURN_IF_ERROR(store_->CondemnPlannedKey(key.uri, key.public_key));
  ASSIGN_OR_RETURN(const std::vector<RootOfKey> roots, RootsUnlessInUse(key, order));
  KeyDestructionOrder done = order;
  if (done.root_id.empty() && !roots.empty()) {
    done.tenant_id = roots[0].tenant_id;
    done.root_id = roots[0].root_id;
  }
  RETURN_IF_ERROR(keys_->Destroy(key.uri));
  Log(key, done);
  const absl::Status noted = store_->NoteKeyDestroyed(key.uri, key.public_key, clock_->Now());
  if (noted.ok()) return key;
  return Error(ReasonOf(noted), FieldOf(noted),
               absl::StrCat("the key was destroyed, but that is not recorded: ", noted.message()));
}

}  // namespace hourglass::issuance
