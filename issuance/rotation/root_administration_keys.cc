// Where the key of a new root comes from.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_uri.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/rotation/tenant_key_name.h"

namespace hourglass::issuance {
namespace {

absl::Status HasRootAlready() {
  return Error(ErrorReason::kKeyExists, "key_uri",
               "is the key, or has the name, of a root that there is or was; a key belongs to one "
               "root for ever, and a new one under an old name has to be named with its id");
}

absl::Status MadeElsewhere() {
  return Error(ErrorReason::kKeyInUse, "key_uri",
               "another process has just made a key of this name; ask again");
}

// Whether this key is the one that was made, and not another that somebody put under its name.
bool IsTheOnePlanned(const PlannedKey& planned, absl::string_view uri, const hsm::SigningKey& key) {
  if (planned.key_uri != uri) return false;
  // Nobody else knew the id before the key was there.
  if (planned.public_key.empty()) return hsm::UriWithoutId(uri) != uri;
  return planned.public_key == key.public_key();
}

// Opens the very key whose URI it says.
absl::Status OpenWithId(hsm::KeyStore& keys, absl::string_view uri, std::string& with_id,
                        std::unique_ptr<hsm::SigningKey>& key) {
  ASSIGN_OR_RETURN(with_id, keys.UriWithId(uri));
  ASSIGN_OR_RETURN(key, keys.Open(with_id));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RootAdministration::KeyForRoot> RootAdministration::KeyForOrder(
    const RootOrder& order, const KeyPermission& permission, absl::string_view uri) {
  if (!uri.empty()) return NamedKey(order, permission, uri);
  ASSIGN_OR_RETURN(std::optional<KeyForRoot> interrupted, InterruptedKey(order));
  if (interrupted.has_value()) return *std::move(interrupted);
  return NewKey(order);
}

absl::StatusOr<std::string> RootAdministration::DefaultKeyUri(absl::string_view tenant_id,
                                                              int generation) const {
  ASSIGN_OR_RETURN(const std::string uri, keys_->DefaultUri(TenantKeyName(tenant_id, generation)));
  return keys_->CanonicalUri(uri);
}

absl::StatusOr<std::optional<RootAdministration::KeyForRoot>> RootAdministration::InterruptedKey(
    const RootOrder& order) {
  ASSIGN_OR_RETURN(const std::vector<PlannedKey> planned_keys,
                   store_->ListPlannedKeys(order.tenant_id));
  for (const PlannedKey& planned : planned_keys) {
    if (planned.is_condemned) {
      RETURN_IF_ERROR(FinishTakingBack(order, planned));
      continue;
    }
    ASSIGN_OR_RETURN(std::optional<KeyForRoot> key, TakeUp(order, planned));
    if (key.has_value()) return key;
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<RootAdministration::KeyForRoot>> RootAdministration::TakeUp(
    const RootOrder& order, const PlannedKey& planned) {
  ASSIGN_OR_RETURN(const std::string name, DefaultKeyUri(order.tenant_id, planned.generation));
  if (hsm::UriWithoutId(planned.key_uri) != name) return std::nullopt;
  absl::StatusOr<KeyClaims::Claim> claim = claims_.ClaimName(planned.key_uri);
  if (!claim.ok()) return std::nullopt;
  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> key = keys_->Open(planned.key_uri);
  if (ReasonOf(key.status()) == ErrorReason::kKeyNotFound) {
    // Should another process be making it just now, it notes it again, or has: that stays.
    RETURN_IF_ERROR(store_->ForgetPlannedKey(planned.key_uri, planned.public_key));
    return std::nullopt;
  }
  if (!key.ok() || (*key)->type() != order.key_type) return std::nullopt;
  if (!IsTheOnePlanned(planned, planned.key_uri, **key)) return std::nullopt;
  if (!claim->ClaimPublicKey((*key)->public_key()).ok()) return std::nullopt;
  ASSIGN_OR_RETURN(const std::vector<RootOfKey> roots,
                   store_->RootsOfPublicKey((*key)->public_key()));
  if (!roots.empty()) return std::nullopt;
  return KeyForRoot{planned.generation, planned.key_uri, KeyOrigin::kMadeHere, *std::move(key),
                    *std::move(claim)};
}

absl::Status RootAdministration::FinishTakingBack(const RootOrder& order,
                                                  const PlannedKey& planned) {
  KeyDestructionOrder destruction{planned.key_uri, std::nullopt, order.tenant_id,
                                  RootIdOf(planned.generation), order.caller};
  if (!planned.public_key.empty()) destruction.public_key = planned.public_key;
  // Without an id or a public key, what answers to the URI may be another.
  const bool is_known =
      !planned.public_key.empty() || hsm::UriWithoutId(planned.key_uri) != planned.key_uri;
  const absl::Status gone =
      is_known ? destruction_.Destroy(destruction).status() : keys_->Open(planned.key_uri).status();
  const ErrorReason reason = ReasonOf(gone);
  if (reason == ErrorReason::kKeyNotFound || reason == ErrorReason::kKeyMismatch) {
    return store_->ForgetPlannedKey(planned.key_uri, planned.public_key);
  }
  // What cannot be destroyed now hinders no other key.
  return absl::OkStatus();
}

absl::Status RootAdministration::PlanNewKey(PlannedKey& key) {
  absl::Status planned = store_->PlanKey(key);
  if (ReasonOf(planned) != ErrorReason::kInternalError) return planned;
  ASSIGN_OR_RETURN(const std::vector<PlannedKey> plans, store_->ListPlannedKeys(key.tenant_id));
  const auto same = std::find_if(plans.begin(), plans.end(), [&](const PlannedKey& plan) {
    return plan.key_uri == key.key_uri && !plan.is_condemned && plan.public_key.empty();
  });
  if (same != plans.end()) {
    // Of a process that makes the key just now, or was lost before it did. With its number both may
    // go on, and one of them makes the key.
    key.generation = same->generation;
  } else {
    // What has the plan is missing still, since it was taken away or is another tenant's that never
    // came to be; or it was made since it was looked for.
    const absl::Status there = keys_->Open(key.key_uri).status();
    if (there.ok()) return MadeElsewhere();
    if (ReasonOf(there) != ErrorReason::kKeyNotFound) return there;
    RETURN_IF_ERROR(store_->ForgetPlannedKey(key.key_uri, std::nullopt));
  }
  planned = store_->PlanKey(key);
  return ReasonOf(planned) == ErrorReason::kInternalError ? MadeElsewhere() : planned;
}

absl::StatusOr<RootAdministration::KeyForRoot> RootAdministration::MakeKey(const RootOrder& order,
                                                                           int generation,
                                                                           absl::string_view uri,
                                                                           KeyClaims::Claim claim) {
  RETURN_IF_ERROR(CheckRoomForKey(order.tenant_id));
  ASSIGN_OR_RETURN(const std::string new_uri, keys_->NewKeyUri(uri));
  PlannedKey planned{order.tenant_id, generation, new_uri, "", false};
  RETURN_IF_ERROR(PlanNewKey(planned));
  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> made = keys_->Generate(new_uri, order.key_type);
  if (!made.ok()) {
    const ErrorReason reason = ReasonOf(made.status());
    const bool is_made_elsewhere = reason == ErrorReason::kKeyExists;
    // What cannot be made was not: its plan would count as a key. One whose id is not of this very
    // creation may be the plan of what was made.
    if (reason == ErrorReason::kKeyUnsupported || (is_made_elsewhere && new_uri != uri)) {
      RETURN_IF_ERROR(store_->ForgetPlannedKey(new_uri, planned.public_key));
    }
    return is_made_elsewhere ? MadeElsewhere() : made.status();
  }
  KeyForRoot key{planned.generation, new_uri, KeyOrigin::kMadeHere, *std::move(made),
                 std::move(claim)};
  planned.public_key = key.key->public_key();
  absl::Status noted = store_->PlanKey(planned);
  if (noted.ok()) noted = key.claim.ClaimPublicKey(planned.public_key);
  if (!noted.ok()) return TakeBackKey(order, key, noted);
  return key;
}

absl::StatusOr<RootAdministration::KeyForRoot> RootAdministration::NewKey(const RootOrder& order) {
  // Before a number is spent on it.
  RETURN_IF_ERROR(CheckRoomForKey(order.tenant_id));
  ASSIGN_OR_RETURN(const int generation, store_->ReserveGeneration(order.tenant_id));
  ASSIGN_OR_RETURN(const std::string uri, DefaultKeyUri(order.tenant_id, generation));
  ASSIGN_OR_RETURN(const std::vector<RootOfKey> roots, store_->RootsOfKeyName(uri));
  if (!roots.empty()) return HasRootAlready();
  ASSIGN_OR_RETURN(KeyClaims::Claim claim, claims_.ClaimName(uri));
  const absl::Status there = keys_->Open(uri).status();
  // The number of the root is new, so this is a key that an older database was restored without, or
  // of another service: nobody has said that it may sign for this one.
  if (there.ok()) {
    return Error(ErrorReason::kKeyExists, "key_uri",
                 absl::StrCat(uri,
                              " is there, of a root that is not in the database; asked again, "
                              "the root gets the next number and a key of its own"));
  }
  if (ReasonOf(there) != ErrorReason::kKeyNotFound) return there;
  return MakeKey(order, generation, uri, std::move(claim));
}

absl::StatusOr<bool> RootAdministration::WasMadeHere(const RootOrder& order,
                                                     const KeyForRoot& key) {
  ASSIGN_OR_RETURN(const std::vector<PlannedKey> planned, store_->ListPlannedKeys(order.tenant_id));
  return std::any_of(planned.begin(), planned.end(), [&](const PlannedKey& plan) {
    return !plan.is_condemned && IsTheOnePlanned(plan, key.uri, *key.key);
  });
}

absl::StatusOr<RootAdministration::KeyForRoot> RootAdministration::NamedKey(
    const RootOrder& order, const KeyPermission& permission, absl::string_view uri) {
  ASSIGN_OR_RETURN(const int generation, store_->ReserveGeneration(order.tenant_id));
  ASSIGN_OR_RETURN(KeyClaims::Claim claim, claims_.ClaimName(uri));
  ASSIGN_OR_RETURN(const std::vector<RootOfKey> named, store_->RootsOfKeyName(uri));
  for (const RootOfKey& root : named) {
    if (hsm::MayNameOneKey(root.key_uri, uri)) return HasRootAlready();
  }
  KeyForRoot key{generation, "", KeyOrigin::kFound, nullptr, std::move(claim)};
  const absl::Status there = OpenWithId(*keys_, uri, key.uri, key.key);
  if (ReasonOf(there) == ErrorReason::kKeyNotFound && permission.MayMake(uri)) {
    return MakeKey(order, generation, uri, std::move(key.claim));
  }
  RETURN_IF_ERROR(there);
  RETURN_IF_ERROR(key.claim.ClaimPublicKey(key.key->public_key()));
  RETURN_IF_ERROR(CheckFound(order, key));
  return key;
}

absl::Status RootAdministration::CheckFound(const RootOrder& order, KeyForRoot& key) {
  // Only now nobody binds it any more.
  ASSIGN_OR_RETURN(const KeyPermission permission,
                   KeyPermission::Of(*store_, order.tenant_id, order.key_reach));
  RETURN_IF_ERROR(permission.CheckFound(key.uri, key.key->public_key()));
  // A key can have several URIs: were it taken for a second root, the tenant of that one could
  // destroy it.
  ASSIGN_OR_RETURN(const std::vector<RootOfKey> roots,
                   store_->RootsOfPublicKey(key.key->public_key()));
  if (!roots.empty()) return HasRootAlready();
  if (key.key->type() != order.key_type) {
    return Error(ErrorReason::kKeyUnfit, "key_uri",
                 "the key that is there is of another type than key_type");
  }
  ASSIGN_OR_RETURN(const bool made_here, WasMadeHere(order, key));
  if (made_here) key.origin = KeyOrigin::kMadeHere;
  // One that is bound counts already.
  if (made_here || permission.IsBound(key.key->public_key())) return absl::OkStatus();
  return CheckRoomForKey(order.tenant_id);
}

}  // namespace hourglass::issuance
