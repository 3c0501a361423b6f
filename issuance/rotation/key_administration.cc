#include "issuance/rotation/key_administration.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/root_certificate.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key_type.h"
#include "hsm/key_uri.h"

namespace hourglass::issuance {
namespace {

using hsm::KeyStore;

// Whether the first, canonical, may name the second, which a place listed: the id of a token's key
// may be left out.
bool MayName(absl::string_view name, absl::string_view listed) {
  if (name == listed) return true;
  const absl::StatusOr<hsm::KeyUri> one = hsm::ParseKeyUri(name);
  const absl::StatusOr<hsm::KeyUri> other = hsm::ParseKeyUri(listed);
  if (!one.ok() || !other.ok()) return false;
  const auto* const a = std::get_if<hsm::TokenKeyUri>(&*one);
  const auto* const b = std::get_if<hsm::TokenKeyUri>(&*other);
  return a != nullptr && b != nullptr && a->token_label == b->token_label &&
         a->token_serial == b->token_serial && a->object == b->object &&
         (a->id.empty() || b->id.empty() || a->id == b->id);
}

bool IsIn(const KeyStore::Place& place, absl::string_view uri) {
  if (place.kind == "pkcs11") return absl::StartsWith(uri, absl::StrCat(place.name, ";"));
  return absl::StartsWith(uri, absl::StrCat(place.kind, ":"));
}

bool NeedsItsKey(ca::RootState state) {
  switch (state) {
    case ca::RootState::kStaged:
    case ca::RootState::kPrimary:
    case ca::RootState::kRetiring:
      return true;
    case ca::RootState::kRetired:
    case ca::RootState::kDiscarded:
      return false;
  }
  return true;
}

struct RootKey {
  KeyUser user;
  std::string uri;
  std::string public_key;
};

// Nothing where the key is of another root, or of none.
bool IsKeyOf(const KeyStore::StoredKey& key, const RootKey& root) {
  if (!key.public_key.empty() && key.public_key == root.public_key) return true;
  if (key.public_key.empty()) return MayName(root.uri, key.uri);
  return root.uri == key.uri;
}

}  // namespace

struct KeyAdministration::Users {
  std::vector<RootKey> roots;
  std::vector<PlannedKey> planned;

  AdministeredKey Of(KeyStore::StoredKey stored) const {
    AdministeredKey key{std::move(stored), std::nullopt, std::nullopt};
    const RootKey* found = nullptr;
    for (const RootKey& root : roots) {
      if (!IsKeyOf(key.stored, root)) continue;
      // One that still needs its key goes before one that has ended.
      if (found == nullptr || NeedsItsKey(root.user.state)) found = &root;
    }
    if (found != nullptr) {
      key.used_by = found->user;
      if (found->public_key != key.stored.public_key && key.stored.unfit_because.empty()) {
        key.stored.unfit_because = "is not the key in the certificate of its root";
      }
      return key;
    }
    for (const PlannedKey& plan : planned) {
      if (MayName(plan.key_uri, key.stored.uri)) key.left_by = plan;
    }
    return key;
  }
};

absl::StatusOr<KeyAdministration::Users> KeyAdministration::ReadUsers() {
  Users users;
  ASSIGN_OR_RETURN(const std::vector<TenantRecord> tenants, store_->ListTenants());
  for (const TenantRecord& tenant : tenants) {
    ASSIGN_OR_RETURN(const std::vector<RootRecord> roots, store_->ListRoots(tenant.tenant_id));
    for (const RootRecord& root : roots) {
      ASSIGN_OR_RETURN(const ca::RootCertificate certificate,
                       ca::RootCertificate::Parse(root.certificate));
      users.roots.push_back({{root.tenant_id, root.root_id, root.state},
                             root.key_uri,
                             std::string(certificate.public_key())});
    }
    ASSIGN_OR_RETURN(const std::vector<PlannedKey> planned,
                     store_->ListPlannedKeys(tenant.tenant_id));
    users.planned.insert(users.planned.end(), planned.begin(), planned.end());
  }
  return users;
}

absl::StatusOr<std::vector<AdministeredPlace>> KeyAdministration::List() {
  // The roots after the keys: what a root was made of meanwhile is not shown as free.
  std::vector<KeyStore::Place> places = keys_->List();
  ASSIGN_OR_RETURN(const Users users, ReadUsers());
  const std::vector<std::pair<std::string, hsm::CustodianStatus>> conditions = keys_->Status();
  std::vector<AdministeredPlace> administered;
  for (KeyStore::Place& place : places) {
    AdministeredPlace& shown = administered.emplace_back();
    shown.name = place.name;
    shown.kind = place.kind;
    shown.status = place.status;
    for (const auto& [name, condition] : conditions) {
      if (name == place.name) shown.condition = condition;
    }
    for (KeyStore::StoredKey& key : place.keys) shown.keys.push_back(users.Of(std::move(key)));
    std::sort(shown.keys.begin(), shown.keys.end(),
              [](const auto& one, const auto& other) { return one.stored.uri < other.stored.uri; });
  }
  return administered;
}

absl::StatusOr<KeyAdministration::Creation> KeyAdministration::Create(absl::string_view uri,
                                                                      hsm::KeyType type) {
  const std::unique_lock lock = roots_->HoldChanges();
  ASSIGN_OR_RETURN(std::string canonical, keys_->CanonicalUri(uri));
  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> key = keys_->Open(uri);
  const bool missing = ReasonOf(key.status()) == ErrorReason::kKeyNotFound;
  if (missing) key = keys_->Generate(uri, type);
  RETURN_IF_ERROR(key.status());
  if ((*key)->type() != type) {
    return Error(ErrorReason::kKeyExists, "key_uri",
                 absl::StrCat("a key of this name is there, of type ",
                              hsm::KeyTypeName((*key)->type()), ": choose another name"));
  }
  return Creation{std::move(canonical), (*key)->public_key(), missing};
}

absl::StatusOr<AdministeredKey> KeyAdministration::Destroy(absl::string_view uri) {
  const std::unique_lock lock = roots_->HoldChanges();
  ASSIGN_OR_RETURN(const std::string canonical, keys_->CanonicalUri(uri));
  std::vector<KeyStore::StoredKey> found;
  for (KeyStore::Place& place : keys_->List()) {
    if (!IsIn(place, canonical)) continue;
    RETURN_IF_ERROR(place.status);
    for (KeyStore::StoredKey& key : place.keys) {
      if (MayName(canonical, key.uri)) found.push_back(std::move(key));
    }
  }
  if (found.empty()) {
    return Error(ErrorReason::kKeyNotFound, "key_uri", "no key of this name is there");
  }
  if (found.size() > 1) {
    return Error(ErrorReason::kKeyExists, "key_uri",
                 absl::StrCat("several keys answer; give one's id, such as ", found[0].uri));
  }
  ASSIGN_OR_RETURN(const Users users, ReadUsers());
  AdministeredKey key = users.Of(std::move(found[0]));
  if (key.used_by.has_value() && NeedsItsKey(key.used_by->state)) {
    return Error(
        ErrorReason::kKeyInUse, "key_uri",
        absl::StrCat("is the key of root ", key.used_by->root_id, " of tenant ",
                     key.used_by->tenant_id, ", which is ", ca::RootStateName(key.used_by->state)));
  }
  RETURN_IF_ERROR(keys_->Destroy(key.stored.uri));
  if (key.left_by.has_value()) RETURN_IF_ERROR(store_->ForgetPlannedKey(key.left_by->key_uri));
  return key;
}

}  // namespace hourglass::issuance
