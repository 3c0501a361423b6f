#include "issuance/rotation/root_administration.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/root_certificate.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

std::string RootIdOf(int generation) { return absl::StrCat("r", generation); }

// `uri` is the order's, in its canonical form, or empty.
absl::StatusOr<RootRecord> MadeBefore(const RootOrder& order, absl::string_view uri,
                                      const RootRecord& root) {
  // As IssueRoot reckons it.
  const auto duration = root.not_after - std::chrono::floor<std::chrono::seconds>(root.created_at);
  if (root.key_type != order.key_type || duration != order.duration ||
      (!uri.empty() && root.key_uri != uri)) {
    return Error(ErrorReason::kRequestIdReused, "request_id",
                 absl::StrCat("made root ", root.root_id, " before, of another kind"));
  }
  return root;
}

}  // namespace

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
  // Refused before a key is made for it.
  RETURN_IF_ERROR(ca::CheckRootDuration(order.duration));
  ASSIGN_OR_RETURN(const int generation, store_->ReserveGeneration(order.tenant_id));
  if (uri.empty()) {
    ASSIGN_OR_RETURN(
        uri, keys_->DefaultUri(absl::StrCat("hourglass-", order.tenant_id, "-r", generation)));
    ASSIGN_OR_RETURN(uri, keys_->CanonicalUri(uri));
  }
  bool made = false;
  ASSIGN_OR_RETURN(const std::unique_ptr<hsm::SigningKey> key, ObtainKey(order, uri, made));
  // The number of the root is new, so this is a key that an older database was restored without, or
  // of another service: nobody has said that it may sign for this one.
  if (order.key_uri.empty() && !made) {
    return Error(ErrorReason::kKeyExists, "key_uri",
                 absl::StrCat(uri,
                              " is there, of a root that is not in the database; asked again, "
                              "the root gets the next number and a key of its own"));
  }
  absl::StatusOr<RootRecord> root = IssueAndAdd(
      order, tenant, generation, uri, made ? KeyOrigin::kMadeHere : KeyOrigin::kFound, *key);
  if (root.ok() || !made) return root;
  return TakeBackKey(order.tenant_id, RootIdOf(generation), uri, root.status());
}

absl::StatusOr<RootRecord> RootAdministration::TakeBackKey(absl::string_view tenant_id,
                                                           absl::string_view root_id,
                                                           absl::string_view uri,
                                                           const absl::Status& why) {
  // Where the answer to a commit was lost, the root may be there all the same and needs its key.
  absl::StatusOr<RootRecord> root = store_->GetRoot(tenant_id, root_id);
  if (root.ok()) return root;
  const absl::Status left =
      ReasonOf(root.status()) == ErrorReason::kRootUnknown ? keys_->Destroy(uri) : root.status();
  if (left.ok()) return why;
  return Error(
      ReasonOf(why), FieldOf(why),
      absl::StrCat(why.message(), "; and the key made for it is left behind: ", left.message()));
}

absl::StatusOr<std::unique_ptr<hsm::SigningKey>> RootAdministration::ObtainKey(
    const RootOrder& order, absl::string_view uri, bool& made) {
  const auto has_root_already = [] {
    return Error(ErrorReason::kKeyExists, "key_uri",
                 "is the key of a root that there is or was; a key belongs to one root for ever");
  };
  ASSIGN_OR_RETURN(const bool has_root, store_->KeyHasRoot(uri));
  if (has_root) return has_root_already();
  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> key = keys_->Open(uri);
  if (ReasonOf(key.status()) == ErrorReason::kKeyNotFound) {
    made = true;
    return keys_->Generate(uri, order.key_type);
  }
  RETURN_IF_ERROR(key.status());
  // A key can have several URIs, with its id and without: were it taken for a second root, the
  // tenant of that one could destroy it.
  ASSIGN_OR_RETURN(const bool has_another_uri, store_->PublicKeyHasRoot((*key)->public_key()));
  if (has_another_uri) return has_root_already();
  if ((*key)->type() != order.key_type) {
    return Error(ErrorReason::kKeyUnfit, "key_uri",
                 "the key that is there is of another type than key_type");
  }
  return key;
}

absl::StatusOr<RootRecord> RootAdministration::IssueAndAdd(const RootOrder& order,
                                                           const TenantRecord& tenant,
                                                           int generation, absl::string_view uri,
                                                           KeyOrigin origin, hsm::SigningKey& key) {
  const Timestamp now = clock_->Now();
  ca::RootSpecification specification;
  specification.display_name = tenant.display_name;
  specification.generation = generation;
  specification.now = std::chrono::floor<std::chrono::seconds>(now);
  specification.duration = order.duration;
  ASSIGN_OR_RETURN(specification.serial_entropy, entropy_->Take(ca::kSerialSize));
  ASSIGN_OR_RETURN(const ca::RootCertificate certificate, ca::IssueRoot(specification, key));
  RootRecord root;
  root.tenant_id = order.tenant_id;
  root.root_id = RootIdOf(generation);
  root.generation = generation;
  root.state = ca::RootState::kStaged;
  root.key_type = order.key_type;
  root.key_uri = std::string(uri);
  root.key_made_for_root = origin == KeyOrigin::kMadeHere;
  root.certificate = certificate.der();
  root.not_before = certificate.not_before();
  root.not_after = certificate.not_after();
  root.created_at = now;
  root.state_since = now;
  root.request_id = order.request_id;
  const absl::Status added = store_->AddRoot(root);
  tenants_->Forget(order.tenant_id);
  RETURN_IF_ERROR(added);
  return root;
}

absl::StatusOr<RootRecord> RootAdministration::Promote(absl::string_view tenant_id,
                                                       absl::string_view root_id) {
  const std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(const TenantRecord tenant, store_->GetTenant(tenant_id));
  ASSIGN_OR_RETURN(const RootRecord root, store_->GetRoot(tenant_id, root_id));
  ASSIGN_OR_RETURN(const ca::RootState promoted,
                   ca::StateAfter(FactsOf(root), ca::RootMove::kPromote));
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
        "the key was there before this root and may serve others: destroy it in its token");
  }
  const bool only_the_key_is_left = root.state == end && fate == KeyFate::kDestroy;
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
