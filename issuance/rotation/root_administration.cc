#include "issuance/rotation/root_administration.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/issuers/root_certificate.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_uri.h"
#include "issuance/rotation/tenant_quota.h"
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
      (!uri.empty() && !hsm::MayNameOneKey(root.key_uri, uri))) {
    return Error(ErrorReason::kRequestIdReused, "request_id",
                 absl::StrCat("made root ", root.root_id, " before, of another kind"));
  }
  return root;
}

// Nothing where the order has no request id, or no root was made for it.
absl::StatusOr<std::optional<RootRecord>> RootOfRequest(TenantStore& store,
                                                        const RootOrder& order) {
  if (order.request_id.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(std::vector<RootRecord> roots, store.ListRoots(order.tenant_id));
  for (RootRecord& root : roots) {
    if (root.request_id == order.request_id) return std::move(root);
  }
  return std::nullopt;
}

// Each of them loses its key to a root that another process makes meanwhile.
constexpr int kAttempts = 3;

absl::Status TakenUpElsewhere() {
  return Error(ErrorReason::kKeyInUse, "key_uri",
               "another process took up the key that was made for the root; ask again");
}

// Nobody named the key, so the next one does as well.
bool KeyWentToAnother(const RootOrder& order, const absl::Status& why) {
  const ErrorReason reason = ReasonOf(why);
  return order.key_uri.empty() &&
         (reason == ErrorReason::kKeyInUse || reason == ErrorReason::kKeyDestroyed);
}

ca::RootState EndOf(ca::RootMove move) {
  return move == ca::RootMove::kRetire ? ca::RootState::kRetired : ca::RootState::kDiscarded;
}

absl::Status CheckKeyMayGo(const RootRecord& root) {
  if (root.key_destroyed_at.has_value()) {
    return Error(ErrorReason::kKeyDestroyed, "destroy_key",
                 "the key of this root was destroyed before; whatever has its name now is another");
  }
  if (root.key_made_for_root) return absl::OkStatus();
  return Error(
      ErrorReason::kFieldInvalid, "destroy_key",
      "the key was there before this root and may serve others: destroy it by itself, with "
      "hourglass keys destroy, once the root is retired or discarded");
}

}  // namespace

std::string RootIdOf(int generation) { return absl::StrCat("r", generation); }

ca::RootFacts RootAdministration::FactsOf(const RootRecord& root) const {
  return {root.state, root.last_leaf_not_after, root.not_after,
          std::chrono::floor<std::chrono::seconds>(clock_->Now())};
}

absl::StatusOr<RootRecord> RootAdministration::Create(const RootOrder& order, bool* is_new) {
  const TenantTurns::Turn turn = creations_.Take(order.tenant_id);
  ASSIGN_OR_RETURN(const TenantRecord tenant, store_->GetTenant(order.tenant_id));
  ASSIGN_OR_RETURN(const KeyPermission permission,
                   KeyPermission::Of(*store_, order.tenant_id, order.key_reach));
  std::string uri;
  if (!order.key_uri.empty()) {
    ASSIGN_OR_RETURN(uri, permission.Resolve(*keys_, order.key_uri));
  }
  if (is_new != nullptr) *is_new = false;
  ASSIGN_OR_RETURN(std::optional<RootRecord> of_request, RootOfRequest(*store_, order));
  absl::StatusOr<RootRecord> made;
  for (int i = 0; i < kAttempts && !of_request.has_value(); ++i) {
    made = CreateAnew(order, tenant, permission, uri);
    if (is_new != nullptr) *is_new = made.ok();
    // A store that does not answer is not asked again: whoever asks has to come again anyway.
    if (made.ok() || ReasonOf(made.status()) == ErrorReason::kJournalUnavailable) return made;
    // Another process may have made it meanwhile, and so have been in the way of this one: of its
    // key, its name, the quota.
    ASSIGN_OR_RETURN(of_request, RootOfRequest(*store_, order));
    if (!KeyWentToAnother(order, made.status())) break;
  }
  return of_request.has_value() ? MadeBefore(order, uri, *of_request) : made;
}

absl::StatusOr<RootRecord> RootAdministration::CreateAnew(const RootOrder& order,
                                                          const TenantRecord& tenant,
                                                          const KeyPermission& permission,
                                                          absl::string_view uri) {
  // Refused before a key is made for it. A root that is dated by a clock that leapt would be wrong
  // for years; who needs one at once has another that is STAGED.
  RETURN_IF_ERROR(ca::CheckRootDuration(order.duration));
  RETURN_IF_ERROR(DecidingTime(*clock_).status());
  RETURN_IF_ERROR(
      CheckRootQuota(*store_, order.tenant_id, tenants_->Issuing(order.tenant_id).quota));
  ASSIGN_OR_RETURN(KeyForRoot key, KeyForOrder(order, permission, uri));
  absl::StatusOr<RootRecord> root = Issue(order, tenant, key);
  const absl::Status added = root.ok() ? Add(*root) : root.status();
  const absl::StatusOr<RootRecord> there =
      store_->GetRoot(order.tenant_id, RootIdOf(key.generation));
  // As it is on record: with the versions that the store gave it.
  if (added.ok()) return there.ok() ? there : root;
  // Where the answer to a commit was lost, the root may be there all the same and needs its key.
  if (there.ok() && root.ok() && there->certificate == root->certificate) return there;
  return key.origin == KeyOrigin::kMadeHere ? TakeBackKey(order, key, added) : added;
}

absl::Status RootAdministration::Add(const RootRecord& root) {
  const TenantTurns::Turn turn = moves_.Take(root.tenant_id);
  return store_->AddRoot(root);
}

absl::Status RootAdministration::TakeBackKey(const RootOrder& order, KeyForRoot& key,
                                             const absl::Status& why) {
  key.claim.Release();
  // Another process may have taken the key up meanwhile.
  const absl::StatusOr<std::vector<RootOfKey>> roots =
      store_->RootsOfPublicKey(key.key->public_key());
  if (roots.ok() && !roots->empty()) {
    const bool was_named = !order.key_uri.empty();
    return was_named || ReasonOf(why) != ErrorReason::kKeyExists ? why : TakenUpElsewhere();
  }
  const absl::Status left = roots.ok()
                                ? destruction_
                                      .Destroy({key.uri, key.key->public_key(), order.tenant_id,
                                                RootIdOf(key.generation), order.caller})
                                      .status()
                                : roots.status();
  if (left.ok() || ReasonOf(left) == ErrorReason::kKeyNotFound) return why;
  return Error(
      ReasonOf(why), FieldOf(why),
      absl::StrCat(why.message(), "; and the key made for it is left behind: ", left.message()));
}

absl::Status RootAdministration::CheckRoomForKey(absl::string_view tenant_id) {
  return CheckKeyQuota(*store_, tenant_id, tenants_->Issuing(tenant_id).quota);
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
  root.created_by = order.caller;
  return root;
}

absl::StatusOr<RootRecord> RootAdministration::Retire(absl::string_view tenant_id,
                                                      absl::string_view root_id, KeyFate fate,
                                                      absl::string_view caller) {
  return End(tenant_id, root_id, ca::RootMove::kRetire, fate, caller);
}

absl::StatusOr<RootRecord> RootAdministration::Discard(absl::string_view tenant_id,
                                                       absl::string_view root_id, KeyFate fate,
                                                       absl::string_view caller) {
  return End(tenant_id, root_id, ca::RootMove::kDiscard, fate, caller);
}

absl::StatusOr<RootRecord> RootAdministration::MoveToEnd(absl::string_view tenant_id,
                                                         absl::string_view root_id,
                                                         ca::RootMove move, KeyFate fate,
                                                         absl::string_view caller) {
  const TenantTurns::Turn turn = moves_.Take(tenant_id);
  ASSIGN_OR_RETURN(const TenantRecord tenant, store_->GetTenant(tenant_id));
  ASSIGN_OR_RETURN(const RootRecord root, store_->GetRoot(tenant_id, root_id));
  if (fate == KeyFate::kDestroy) RETURN_IF_ERROR(CheckKeyMayGo(root));
  RETURN_IF_ERROR(ca::RootCertificate::Parse(root.certificate).status());
  // By a clock that leapt the last leaf seems to have expired long ago.
  if (move == ca::RootMove::kRetire) RETURN_IF_ERROR(DecidingTime(*clock_).status());
  const bool only_the_key_is_left = root.state == EndOf(move) && fate == KeyFate::kDestroy;
  if (only_the_key_is_left) return root;
  ASSIGN_OR_RETURN(const ca::RootState after, ca::StateAfter(FactsOf(root), move));
  RETURN_IF_ERROR(store_->ChangeRootStates(tenant_id, tenant.revision,
                                           {{root.root_id, root.state, after}},
                                           {.now = clock_->Now(), .caller = std::string(caller)}));
  return root;
}

absl::StatusOr<RootRecord> RootAdministration::End(absl::string_view tenant_id,
                                                   absl::string_view root_id, ca::RootMove move,
                                                   KeyFate fate, absl::string_view caller) {
  ASSIGN_OR_RETURN(const RootRecord root, MoveToEnd(tenant_id, root_id, move, fate, caller));
  if (fate == KeyFate::kKeep) return store_->GetRoot(tenant_id, root_id);
  // A token may take seconds for it, and no move leads out of the end.
  ASSIGN_OR_RETURN(const ca::RootCertificate certificate,
                   ca::RootCertificate::Parse(root.certificate));
  const absl::Status destroyed = destruction_
                                     .Destroy({root.key_uri, std::string(certificate.public_key()),
                                               root.tenant_id, root.root_id, std::string(caller)})
                                     .status();
  if (destroyed.ok()) return store_->GetRoot(tenant_id, root_id);
  return Error(ReasonOf(destroyed), "destroy_key",
               absl::StrCat("the root is ", ca::RootStateName(EndOf(move)),
                            ", but its key was not destroyed: ", destroyed.message()));
}

}  // namespace hourglass::issuance
