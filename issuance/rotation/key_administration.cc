#include "issuance/rotation/key_administration.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/issuers/root_certificate.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/key/key_uri.h"
#include "issuance/rotation/key_claims.h"
#include "issuance/rotation/key_destruction.h"
#include "issuance/rotation/tenant_key_name.h"
#include "issuance/rotation/tenant_turns.h"

namespace hourglass::issuance {
namespace {

using hsm::KeyStore;

struct RootKey {
  KeyUser user;
  std::string uri;
  std::string public_key;
};

// Nothing where the key is of another root, or of none.
bool IsKeyOf(const KeyStore::StoredKey& key, const RootKey& root) {
  if (!key.public_key.empty() && key.public_key == root.public_key) return true;
  if (key.public_key.empty()) return hsm::MayNameOneKey(root.uri, key.uri);
  return root.uri == key.uri;
}

}  // namespace

struct KeyAdministration::Users {
  std::vector<RootKey> roots;
  std::vector<PlannedKey> planned;
  std::vector<BoundKey> bound;

  AdministeredKey Of(KeyStore::StoredKey stored) const {
    AdministeredKey key{std::move(stored), std::nullopt, std::nullopt, ""};
    for (const BoundKey& one : bound) {
      if (one.public_key == key.stored.public_key) key.bound_to = one.tenant_id;
    }
    const RootKey* found = nullptr;
    for (const RootKey& root : roots) {
      if (!IsKeyOf(key.stored, root)) continue;
      // One that still needs its key goes before one that has ended.
      if (found == nullptr || ca::NeedsItsKey(root.user.state)) found = &root;
    }
    if (found != nullptr) {
      key.used_by = found->user;
      if (found->public_key != key.stored.public_key && key.stored.unfit_because.empty()) {
        key.stored.unfit_because = "is not the key in the certificate of its root";
      }
      return key;
    }
    for (const PlannedKey& plan : planned) {
      const bool known = !plan.public_key.empty() && !key.stored.public_key.empty();
      if (known ? plan.public_key == key.stored.public_key
                : hsm::MayNameOneKey(plan.key_uri, key.stored.uri)) {
        key.left_by = plan;
      }
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
  ASSIGN_OR_RETURN(users.bound, store_->ListBoundKeys());
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

absl::Status KeyAdministration::CheckTenantOf(absl::string_view uri, absl::string_view tenant_id) {
  RETURN_IF_ERROR(store_->GetTenant(tenant_id).status());
  ASSIGN_OR_RETURN(const hsm::KeyUri parsed, hsm::ParseKeyUri(uri));
  const std::optional<std::string> named_for = TenantOfKeyName(hsm::KeyNameOf(parsed));
  if (!named_for.has_value() || *named_for == tenant_id) return absl::OkStatus();
  return Error(ErrorReason::kKeyNotPermitted, "tenant_id",
               absl::StrCat("the key is named as those of tenant ", *named_for, " are"));
}

absl::Status KeyAdministration::Bind(const Creation& key, absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(const std::vector<RootOfKey> roots, store_->RootsOfPublicKey(key.public_key));
  for (const RootOfKey& root : roots) {
    if (root.tenant_id == tenant_id) continue;
    return Error(ErrorReason::kKeyExists, "tenant_id",
                 absl::StrCat("is the key of a root of tenant ", root.tenant_id));
  }
  return store_->BindKey({std::string(tenant_id), key.uri, key.public_key});
}

absl::StatusOr<KeyAdministration::Creation> KeyAdministration::Create(absl::string_view uri,
                                                                      hsm::KeyType type,
                                                                      absl::string_view tenant_id) {
  // No lock where no tenant is named: making a key takes seconds.
  std::optional<TenantTurns::Turn> turn;
  if (!tenant_id.empty()) turn.emplace(roots_->HoldCreation(tenant_id));
  if (!tenant_id.empty()) RETURN_IF_ERROR(CheckTenantOf(uri, tenant_id));
  ASSIGN_OR_RETURN(const std::string canonical, keys_->CanonicalUri(uri));
  ASSIGN_OR_RETURN(KeyClaims::Claim claim, roots_->claims().ClaimName(canonical));
  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> key = keys_->Open(uri);
  bool missing = ReasonOf(key.status()) == ErrorReason::kKeyNotFound;
  absl::StatusOr<std::string> with_id = missing ? keys_->NewKeyUri(uri) : keys_->UriWithId(uri);
  RETURN_IF_ERROR(with_id.status());
  if (missing) {
    if (!tenant_id.empty()) RETURN_IF_ERROR(roots_->CheckRoomForKey(tenant_id));
    // Whatever was planned or bound under this very URI is no more.
    RETURN_IF_ERROR(store_->NoteKeyDestroyed(*with_id, "", Timestamp()));
    key = keys_->Generate(*with_id, type);
  }
  if (missing && ReasonOf(key.status()) == ErrorReason::kKeyExists) {
    // Another process came first, so it was there already.
    missing = false;
    with_id = keys_->UriWithId(uri);
    RETURN_IF_ERROR(with_id.status());
    key = keys_->Open(*with_id);
  }
  RETURN_IF_ERROR(key.status());
  RETURN_IF_ERROR(claim.ClaimPublicKey((*key)->public_key()));
  if ((*key)->type() != type) {
    return Error(ErrorReason::kKeyExists, "key_uri",
                 absl::StrCat("a key of this name is there, of type ",
                              hsm::KeyTypeName((*key)->type()), ": choose another name"));
  }
  const Creation creation{*std::move(with_id), (*key)->public_key(), missing};
  if (!tenant_id.empty()) RETURN_IF_ERROR(Bind(creation, tenant_id));
  return creation;
}

absl::StatusOr<AdministeredKey> KeyAdministration::Destroy(absl::string_view uri,
                                                           absl::string_view caller) {
  KeyDestructionOrder order;
  ASSIGN_OR_RETURN(order.key_uri, keys_->CanonicalUri(uri));
  order.caller = std::string(caller);
  ASSIGN_OR_RETURN(const Users users, ReadUsers());
  ASSIGN_OR_RETURN(KeyStore::StoredKey destroyed, roots_->destruction().Destroy(order));
  return users.Of(std::move(destroyed));
}

}  // namespace hourglass::issuance
