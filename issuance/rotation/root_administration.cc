#include "issuance/rotation/root_administration.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/root_certificate.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {
namespace {

// `uri` is the order's, in its canonical form, or empty.
absl::StatusOr<RootRecord> MadeBefore(const RootOrder& order, absl::string_view uri,
                                      const RootRecord& root) {
  // As IssueRoot reckons it.
  const auto duration = root.not_after - std::chrono::floor<std::chrono::seconds>(root.created_at);
  ASSIGN_OR_RETURN(const ca::RootCertificate certificate,
                   ca::RootCertificate::Parse(root.certificate));
  if (root.key_type != order.key_type || duration != order.duration ||
      certificate.allows_issuing_sub_keys() != order.issuing_sub_keys ||
      (!uri.empty() && root.key_uri != uri)) {
    return Error(ErrorReason::kRequestIdReused, "request_id",
                 absl::StrCat("made root ", root.root_id, " before, of another kind"));
  }
  return root;
}

absl::Status HasRootAlready() {
  return Error(ErrorReason::kKeyExists, "key_uri",
               "is the key of a root that there is or was; a key belongs to one root for ever");
}

}  // namespace

std::string RootIdOf(int generation) { return absl::StrCat("r", generation); }

ca::RootFacts RootAdministration::FactsOf(const RootRecord& root) const {
  return {root.state, root.last_leaf_not_after, root.not_after,
          std::chrono::floor<std::chrono::seconds>(clock_->Now())};
}

absl::StatusOr<RootRecord> RootAdministration::Create(const RootOrder& order) {
  const std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(const TenantRecord tenant, store_->GetTenant(order.tenant_id));
  std::string uri;
  if (!order.key_uri.empty()) {
    ASSIGN_OR_RETURN(uri, keys_->CanonicalUri(order.key_uri));
  }
  ASSIGN_OR_RETURN(const std::vector<RootRecord> roots, store_->ListRoots(order.tenant_id));
  for (const RootRecord& root : roots) {
    if (!order.request_id.empty() && root.request_id == order.request_id) {
      return MadeBefore(order, uri, root);
    }
  }
  // Refused before a key is made for it. A root that is dated by a clock that leapt would be wrong
  // for years; who needs one at once has another that is STAGED.
  RETURN_IF_ERROR(ca::CheckRootDuration(order.duration));
  RETURN_IF_ERROR(DecidingTime(*clock_).status());
  ASSIGN_OR_RETURN(KeyForRoot key, KeyForOrder(order, uri));
  absl::StatusOr<RootRecord> root = Issue(order, tenant, key);
  const absl::Status added = root.ok() ? store_->AddRoot(*root) : root.status();
  tenants_->Forget(order.tenant_id);
  if (added.ok()) return root;
  // Where the answer to a commit was lost, the root may be there all the same and needs its key.
  const absl::StatusOr<RootRecord> there =
      store_->GetRoot(order.tenant_id, RootIdOf(key.generation));
  if (there.ok() && root.ok() && there->certificate == root->certificate) return there;
  return key.origin == KeyOrigin::kMadeHere ? TakeBackKey(key.uri, added) : added;
}

absl::Status RootAdministration::TakeBackKey(const std::string& uri, const absl::Status& why) {
  // Another process may have taken the key up meanwhile.
  const absl::StatusOr<bool> has_root = store_->KeyHasRoot(uri);
  if (has_root.ok() && *has_root) return why;
  absl::Status left = has_root.ok() ? keys_->Destroy(uri) : has_root.status();
  if (left.ok()) left = store_->ForgetPlannedKey(uri);
  if (left.ok()) return why;
  return Error(
      ReasonOf(why), FieldOf(why),
      absl::StrCat(why.message(), "; and the key made for it is left behind: ", left.message()));
}

absl::StatusOr<RootAdministration::KeyForRoot> RootAdministration::KeyForOrder(
    const RootOrder& order, absl::string_view uri) {
  if (!uri.empty()) return NamedKey(order, uri);
  ASSIGN_OR_RETURN(std::optional<KeyForRoot> interrupted, InterruptedKey(order));
  if (interrupted.has_value()) return *std::move(interrupted);
  return NewKey(order);
}

absl::StatusOr<std::string> RootAdministration::DefaultKeyUri(absl::string_view tenant_id,
                                                              int generation) const {
  ASSIGN_OR_RETURN(const std::string uri,
                   keys_->DefaultUri(absl::StrCat("hourglass-", tenant_id, "-r", generation)));
  return keys_->CanonicalUri(uri);
}

absl::StatusOr<std::optional<RootAdministration::KeyForRoot>> RootAdministration::InterruptedKey(
    const RootOrder& order) {
  ASSIGN_OR_RETURN(const std::vector<PlannedKey> planned_keys,
                   store_->ListPlannedKeys(order.tenant_id));
  for (const PlannedKey& planned : planned_keys) {
    ASSIGN_OR_RETURN(const std::string uri, DefaultKeyUri(order.tenant_id, planned.generation));
    if (planned.key_uri != uri) continue;
    absl::StatusOr<std::unique_ptr<hsm::SigningKey>> key = keys_->Open(uri);
    if (ReasonOf(key.status()) == ErrorReason::kKeyNotFound) {
      RETURN_IF_ERROR(store_->ForgetPlannedKey(uri));
      continue;
    }
    if (!key.ok() || (*key)->type() != order.key_type) continue;
    ASSIGN_OR_RETURN(const bool has_root, store_->PublicKeyHasRoot((*key)->public_key()));
    if (has_root) continue;
    return KeyForRoot{planned.generation, uri, KeyOrigin::kMadeHere, *std::move(key)};
  }
  return std::nullopt;
}

absl::StatusOr<std::unique_ptr<hsm::SigningKey>> RootAdministration::MakeKey(
    const RootOrder& order, int generation, const std::string& uri) {
  // The name is free, so whatever was planned for it is not there.
  RETURN_IF_ERROR(store_->ForgetPlannedKey(uri));
  RETURN_IF_ERROR(store_->PlanKey({order.tenant_id, generation, uri}));
  return keys_->Generate(uri, order.key_type);
}

absl::StatusOr<RootAdministration::KeyForRoot> RootAdministration::NewKey(const RootOrder& order) {
  ASSIGN_OR_RETURN(const int generation, store_->ReserveGeneration(order.tenant_id));
  ASSIGN_OR_RETURN(const std::string uri, DefaultKeyUri(order.tenant_id, generation));
  ASSIGN_OR_RETURN(const bool has_root, store_->KeyHasRoot(uri));
  if (has_root) return HasRootAlready();
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
  ASSIGN_OR_RETURN(std::unique_ptr<hsm::SigningKey> key, MakeKey(order, generation, uri));
  return KeyForRoot{generation, uri, KeyOrigin::kMadeHere, std::move(key)};
}

absl::StatusOr<RootAdministration::KeyForRoot> RootAdministration::NamedKey(const RootOrder& order,
                                                                            absl::string_view uri) {
  ASSIGN_OR_RETURN(const int generation, store_->ReserveGeneration(order.tenant_id));
  KeyForRoot named{generation, std::string(uri), KeyOrigin::kMadeHere, nullptr};
  ASSIGN_OR_RETURN(const bool has_root, store_->KeyHasRoot(uri));
  if (has_root) return HasRootAlready();
  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> key = keys_->Open(uri);
  if (ReasonOf(key.status()) == ErrorReason::kKeyNotFound) {
    ASSIGN_OR_RETURN(named.key, MakeKey(order, generation, named.uri));
    return named;
  }
  RETURN_IF_ERROR(key.status());
  // A key can have several URIs, with its id and without: were it taken for a second root, the
  // tenant of that one could destroy it.
  ASSIGN_OR_RETURN(const bool has_another_uri, store_->PublicKeyHasRoot((*key)->public_key()));
  if (has_another_uri) return HasRootAlready();
  if ((*key)->type() != order.key_type) {
    return Error(ErrorReason::kKeyUnfit, "key_uri",
                 "the key that is there is of another type than key_type");
  }
  ASSIGN_OR_RETURN(const std::vector<PlannedKey> planned, store_->ListPlannedKeys(order.tenant_id));
  const bool made_here = std::any_of(planned.begin(), planned.end(),
                                     [&](const PlannedKey& p) { return p.key_uri == uri; });
  if (!made_here) named.origin = KeyOrigin::kFound;
  named.key = *std::move(key);
  return named;
}

absl::StatusOr<RootRecord> RootAdministration::Issue(const RootOrder& order,
                                                     const TenantRecord& tenant, KeyForRoot& key) {
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  ca::RootSpecification specification;
  specification.display_name = tenant.display_name;
  specification.generation = key.generation;
  specification.now = std::chrono::floor<std::chrono::seconds>(now);
  specification.duration = order.duration;
  specification.issuing_sub_keys = order.issuing_sub_keys;
  ASSIGN_OR_RETURN(specification.serial_entropy, entropy_->Take(ca::kSerialSize));
  ASSIGN_OR_RETURN(const ca::RootCertificate certificate, ca::IssueRoot(specification, *key.key));
  RootRecord root;
  root.tenant_id = order.tenant_id;
  root.root_id = RootIdOf(key.generation);
  root.generation = key.generation;
  root.state = ca::RootState::kStaged;
  root.key_type = order.key_type;
  root.key_uri = key.uri;
  root.key_made_for_root = key.origin == KeyOrigin::kMadeHere;
  root.certificate = certificate.der();
  root.not_before = certificate.not_before();
  root.not_after = certificate.not_after();
  root.created_at = now;
  root.state_since = now;
  root.request_id = order.request_id;
  return root;
}

absl::StatusOr<RootRecord> RootAdministration::Promote(absl::string_view tenant_id,
                                                       absl::string_view root_id) {
  const std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(const TenantRecord tenant, store_->GetTenant(tenant_id));
  ASSIGN_OR_RETURN(const RootRecord root, store_->GetRoot(tenant_id, root_id));
  ca::RootFacts facts = FactsOf(root);
  // An emergency may not wait for a clock. Should the root have expired, its leaves are refused.
  if (!DecidingTime(*clock_).ok()) facts.now = std::min(facts.now, root.not_after);
  ASSIGN_OR_RETURN(const ca::RootState promoted, ca::StateAfter(facts, ca::RootMove::kPromote));
  RETURN_IF_ERROR(tenants_->OpenAuthority(root).status());
  std::vector<RootStateChange> changes;
  ASSIGN_OR_RETURN(const std::vector<RootRecord> roots, store_->ListRoots(tenant_id));
  for (const RootRecord& other : roots) {
    if (other.state != ca::RootState::kPrimary) continue;
    ASSIGN_OR_RETURN(const ca::RootState demoted,
                     ca::StateAfter(FactsOf(other), ca::RootMove::kDemote));
    changes.push_back({other.root_id, other.state, demoted});
  }
  changes.push_back({root.root_id, root.state, promoted});
  RETURN_IF_ERROR(store_->ChangeRootStates(tenant_id, tenant.revision, changes, clock_->Now()));
  tenants_->Forget(tenant_id);
  return store_->GetRoot(tenant_id, root_id);
}

absl::StatusOr<RootRecord> RootAdministration::Retire(absl::string_view tenant_id,
                                                      absl::string_view root_id, KeyFate fate) {
  return End(tenant_id, root_id, ca::RootMove::kRetire, ca::RootState::kRetired, fate);
}

absl::StatusOr<RootRecord> RootAdministration::Discard(absl::string_view tenant_id,
                                                       absl::string_view root_id, KeyFate fate) {
  return End(tenant_id, root_id, ca::RootMove::kDiscard, ca::RootState::kDiscarded, fate);
}

absl::StatusOr<RootRecord> RootAdministration::End(absl::string_view tenant_id,
                                                   absl::string_view root_id, ca::RootMove move,
                                                   ca::RootState end, KeyFate fate) {
  const std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(const TenantRecord tenant, store_->GetTenant(tenant_id));
  ASSIGN_OR_RETURN(const RootRecord root, store_->GetRoot(tenant_id, root_id));
  if (fate == KeyFate::kDestroy && !root.key_made_for_root) {
    return Error(
        ErrorReason::kFieldInvalid, "destroy_key",
        "the key was there before this root and may serve others: destroy it by itself, with "
        "hourglass keys destroy, once the root is retired or discarded");
  }
  const bool only_the_key_is_left = root.state == end && fate == KeyFate::kDestroy;
  // By a clock that leapt the last leaf seems to have expired long ago.
  if (move == ca::RootMove::kRetire) RETURN_IF_ERROR(DecidingTime(*clock_).status());
  if (!only_the_key_is_left) {
    ASSIGN_OR_RETURN(const ca::RootState after, ca::StateAfter(FactsOf(root), move));
    RETURN_IF_ERROR(store_->ChangeRootStates(tenant_id, tenant.revision,
                                             {{root.root_id, root.state, after}}, clock_->Now()));
    tenants_->Forget(tenant_id);
  }
  if (fate == KeyFate::kDestroy) {
    if (const absl::Status destroyed = keys_->Destroy(root.key_uri); !destroyed.ok()) {
      return Error(ReasonOf(destroyed), "destroy_key",
                   absl::StrCat("the root is ", ca::RootStateName(end),
                                ", but its key was not destroyed: ", destroyed.message()));
    }
  }
  return store_->GetRoot(tenant_id, root_id);
}

}  // namespace hourglass::issuance
