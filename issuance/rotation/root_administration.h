// Makes a tenant's roots and moves them between their states.
#ifndef HOURGLASS_ISSUANCE_ROTATION_ROOT_ADMINISTRATION_H_
#define HOURGLASS_ISSUANCE_ROTATION_ROOT_ADMINISTRATION_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/issuers/root_states.h"
#include "hsm/key/signing_key.h"
#include "hsm/store/key_store.h"
#include "issuance/authorities/tenants.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/log/event_log.h"
#include "issuance/rotation/key_claims.h"
#include "issuance/rotation/key_destruction.h"
#include "issuance/rotation/key_permission.h"
#include "issuance/rotation/promotion_obstacles.h"
#include "issuance/rotation/tenant_turns.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// How request ids begin that the service itself makes up. Whoever takes a request id from others
// refuses such.
inline constexpr absl::string_view kOwnRequestIdPrefix = "hourglassd:";

struct RootOrder {
  std::string tenant_id;
  std::chrono::seconds duration;
  hsm::KeyType key_type;
  std::string key_uri;                        // empty: a new key in the default place
  KeyReach key_reach = KeyReach::kOwnTenant;  // of the caller, in key_uri
  std::string caller = "";                    // for the log and RootRecord::created_by
  std::string request_id;                     // may be empty
  bool issuing_sub_keys = false;              // as ca::RootSpecification has it
};

// `r3`: the id of a tenant's root of this generation.
std::string RootIdOf(int generation);

// A promotion, and what the administrator knows of it.
struct PromotionOrder {
  std::string tenant_id;
  std::string root_id;
  std::string caller = "";
  // Not empty: relying parties that have not acknowledged the root do not hold it up.
  std::string override_reason = "";
  // That there are no relying parties does not hold it up.
  bool without_relying_parties = false;
};

enum class KeyFate { kKeep, kDestroy };
enum class KeyOrigin { kMadeHere, kFound };

// Safe to call from several threads. Tenants do not wait for each other; a tenant makes one root at
// a time in this process, and moves its roots while a key is being made or destroyed. What another
// process does on the same store meanwhile, the store decides: see Create and Promote.
class RootAdministration {
 public:
  // All must outlive this object.
  RootAdministration(Store* store, hsm::KeyStore* keys, Tenants* tenants, Entropy* entropy,
                     const Clock* clock, EventLog log = EventLog::Silent())
      : store_(store),
        keys_(keys),
        tenants_(tenants),
        entropy_(entropy),
        clock_(clock),
        destruction_(store, keys, &claims_, clock, std::move(log)) {}

  // A key and a STAGED root; never touches the primary (promise 1). Where the request id made a
  // root before, that one is returned. A key made here is destroyed again if the root cannot be.
  //
  // A key counts as made here only where that is proved: its public key was noted when it was made
  // (PlannedKey), or it has the id, 16 octets of chance, that was planned for it. With an empty
  // `key_uri`, what a run that was interrupted after it made its key left behind is taken up again:
  // the oldest such key under a name of the default place, that is there, is of this type and is no
  // root's, becomes the root of the number that it was made for. One of another type is neither
  // used nor destroyed: what is destroyed cannot be had again, and it still serves an order of its
  // type; `keys list` shows it and `keys destroy` takes it away.
  //
  // Where two processes on one store make roots of one tenant at once, both are made, unless both
  // have the same request id: then one is, and returned to both, whatever the one that came second
  // met on its way. Where one takes up the key that the other has just made, or has begun to take
  // back, the one that is left without a key makes another, a few times. A key that both name
  // becomes the root of one, and the other is refused with KEY_EXISTS, or with KEY_IN_USE while the
  // first still makes its root: asked again, it knows. No root is added whose key the other has
  // begun to take back: Store::AddRoot takes the plan of its key in its transaction, and
  // RootKeyStore::CondemnPlannedKey keeps it from doing so. A key that was there before its root
  // has no plan: where another process destroys it just then, the root is STAGED without its key,
  // and cannot be promoted. The quotas may be exceeded by one for each other process.
  //
  // Errors: CLOCK_UNTRUSTED, TENANT_UNKNOWN, FIELD_INVALID, QUOTA_EXCEEDED, REQUEST_ID_REUSED where
  // the request id made a root of another kind, KEY_NOT_PERMITTED as KeyPermission says, KEY_EXISTS
  // where another root has or had the key or its name, or `key_uri` is empty and the token holds a
  // key of the default name already, KEY_IN_USE where another change has the key in hand,
  // KEY_DESTROYED, KEY_UNFIT where it is of another type, KEY_NOT_FOUND where a key bound to
  // the tenant is gone, and what KeyStore says.
  //
  // `is_new`, where it is given and a root is returned, says whether this call made it.
  absl::StatusOr<RootRecord> Create(const RootOrder& order, bool* is_new = nullptr);

  // STAGED to PRIMARY, and the primary of before to RETIRING, in one transaction; from its commit
  // on nothing signed by the other is released (promise 6). PROMOTION_BLOCKED, with all of it
  // (ObstaclesOf), where something is in the way: a relying party that has not acknowledged the
  // root, or that there is none; a key that does not sign what verifies; a root that is not valid
  // for as long as its leaves. The order, or the tenant's policy, may let the first two pass, and
  // nothing the others. Relying parties hold up no tenant's first primary: nobody is cut off, and
  // nobody can check a trust bundle that no primary has signed. The store repeats the
  // look at relying parties in the transaction. A clock that is not believed holds up nothing, and
  // its time is not looked at. Errors: TENANT_UNKNOWN, ROOT_UNKNOWN, ROOT_MOVE_ILLEGAL also for a
  // RETIRING root (RollBack) and for one that has expired, SUB_KEY_NOT_ALLOWED as
  // Tenants::OpenAuthority says, PRIMARY_CHANGED where another process came first.
  absl::StatusOr<RootRecord> Promote(const PromotionOrder& order);

  // What would be in the way of the same, where the order lets nothing pass; empty where nothing
  // is. Tries the key. A root that has expired ends too soon, and one that allows no sub-key where
  // the configuration wants one cannot sign. Errors: TENANT_UNKNOWN, ROOT_UNKNOWN, and
  // ROOT_MOVE_ILLEGAL for a root that is not STAGED.
  absl::StatusOr<std::vector<PromotionObstacle>> Obstacles(absl::string_view tenant_id,
                                                           absl::string_view root_id);

  // RETIRING to PRIMARY, and the primary to RETIRING, as Promote does, of the root that became
  // RETIRING last (RootRecord::state_revision) and no other; relying parties trust it still, and
  // hold up nothing. But for the step forward again, to a younger root than the primary: that one
  // they may never have acknowledged, and it awaits them as Promote does. `reason` is for the
  // journal and may be empty. Errors: as Promote, and ROOT_MOVE_ILLEGAL for any other root, with
  // field `root_id` and the name of the one that it may be.
  absl::StatusOr<RootRecord> RollBack(absl::string_view tenant_id, absl::string_view root_id,
                                      absl::string_view caller, absl::string_view reason);

  // RETIRING to RETIRED, which takes a clock that is believed (CLOCK_UNTRUSTED), and STAGED to
  // DISCARDED, which does not. With kDestroy the key is destroyed afterwards
  // (KeyDestruction), if it is the one in the root's certificate; where that fails the root is in
  // its new state all the same, and the error says so. Asked again of a root that is there already,
  // with kDestroy, only the key is destroyed; once. Errors: as Promote, and what KeyDestruction
  // says; with field `destroy_key`, and nothing is changed, FIELD_INVALID for a key that was there
  // before the root, and KEY_DESTROYED for one that was destroyed before. `caller` is for the log
  // and the journal.
  absl::StatusOr<RootRecord> Retire(absl::string_view tenant_id, absl::string_view root_id,
                                    KeyFate fate, absl::string_view caller = "");
  absl::StatusOr<RootRecord> Discard(absl::string_view tenant_id, absl::string_view root_id,
                                     KeyFate fate, absl::string_view caller = "");

  // Whether the tenant may have one more key: as CheckKeyQuota.
  absl::Status CheckRoomForKey(absl::string_view tenant_id);

  // While it lives, no root of the tenant is made in this process, and no key for one.
  [[nodiscard]] TenantTurns::Turn HoldCreation(absl::string_view tenant_id) {
    return creations_.Take(tenant_id);
  }

  KeyClaims& claims() { return claims_; }
  KeyDestruction& destruction() { return destruction_; }

 private:
  // A key, and the root that it is for.
  struct KeyForRoot {
    int generation;
    std::string uri;  // canonical, with the key's id
    KeyOrigin origin;
    std::unique_ptr<hsm::SigningKey> key;
    KeyClaims::Claim claim;
  };

  absl::StatusOr<KeyForRoot> KeyForOrder(const RootOrder& order, const KeyPermission& permission,
                                         absl::string_view uri);
  absl::StatusOr<KeyForRoot> NewKey(const RootOrder& order);
  absl::StatusOr<KeyForRoot> NamedKey(const RootOrder& order, const KeyPermission& permission,
                                      absl::string_view uri);
  absl::StatusOr<std::optional<KeyForRoot>> InterruptedKey(const RootOrder& order);
  absl::StatusOr<std::string> DefaultKeyUri(absl::string_view tenant_id, int generation) const;
  // `uri` names no key that is there, and is claimed.
  absl::StatusOr<KeyForRoot> MakeKey(const RootOrder& order, int generation, absl::string_view uri,
                                     KeyClaims::Claim claim);
  // Plans a key that was not there a moment ago. Where the tenant has a plan of it that is still
  // without a key, the plan's number becomes that of `key`.
  absl::Status PlanNewKey(PlannedKey& key);
  // Nothing where the plan's key is not to be had for this order.
  absl::StatusOr<std::optional<KeyForRoot>> TakeUp(const RootOrder& order,
                                                   const PlannedKey& planned);
  // Destroys what a taking back that was interrupted left.
  absl::Status FinishTakingBack(const RootOrder& order, const PlannedKey& planned);
  // Whether a key that was there may be the root's, and where it comes from.
  absl::Status CheckFound(const RootOrder& order, KeyForRoot& key);
  absl::StatusOr<bool> WasMadeHere(const RootOrder& order, const KeyForRoot& key);
  absl::StatusOr<RootRecord> Issue(const RootOrder& order, const TenantRecord& tenant,
                                   KeyForRoot& key);
  absl::Status Add(const RootRecord& root);
  absl::StatusOr<RootRecord> End(absl::string_view tenant_id, absl::string_view root_id,
                                 ca::RootMove move, KeyFate fate, absl::string_view caller);
  // Returns the root as it was before.
  absl::StatusOr<RootRecord> MoveToEnd(absl::string_view tenant_id, absl::string_view root_id,
                                       ca::RootMove move, KeyFate fate, absl::string_view caller);
  absl::StatusOr<RootRecord> CreateAnew(const RootOrder& order, const TenantRecord& tenant,
                                        const KeyPermission& permission, absl::string_view uri);
  // Destroys the key that was made for a root that could not be; `why` it could not.
  absl::Status TakeBackKey(const RootOrder& order, KeyForRoot& key, const absl::Status& why);
  ca::RootFacts FactsOf(const RootRecord& root) const;

  // A tenant and one of its roots, which may become its primary.
  struct Candidate {
    TenantRecord tenant;
    RootRecord root;
    std::vector<RootRecord> roots;  // of the tenant, by generation
  };
  // What relying parties have to say to a promotion.
  struct Acceptance {
    std::vector<PromotionObstacle> in_the_way;
    // The store is to look at it again, and in its transaction.
    bool is_awaited = false;
    bool may_be_nobody = false;  // nobody is awaited where there is nobody
    bool overrides = false;      // something was let pass
  };

  absl::StatusOr<Candidate> CandidateOf(absl::string_view tenant_id, absl::string_view root_id);
  absl::StatusOr<Acceptance> AcceptanceOf(const Candidate& candidate, const PromotionOrder& order);
  // OK where the root's state lets it become PRIMARY by this move, and it has not expired.
  absl::Status CheckMayBePrimary(const RootRecord& root, ca::RootMove move) const;
  // What the time and the key of the root are in the way of. `trial` is what OpenAuthority says.
  std::vector<PromotionObstacle> FaultsOf(const RootRecord& root, const absl::Status& trial) const;
  // Tries the key. PROMOTION_BLOCKED by whatever is wrong with the root, and by `others`.
  absl::Status CheckNothingBlocks(const RootRecord& root, std::vector<PromotionObstacle> others);
  absl::Status MakePrimary(const Candidate& candidate, const RootChangeOrder& order);

  Store* const store_;
  hsm::KeyStore* const keys_;
  Tenants* const tenants_;
  Entropy* const entropy_;
  const Clock* const clock_;
  KeyClaims claims_;
  KeyDestruction destruction_;
  TenantTurns creations_;  // held for a whole creation
  // Held for a whole move, and while a root is added: a move that an added root has overtaken is
  // refused. Taken after `creations_`.
  TenantTurns moves_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_ROOT_ADMINISTRATION_H_
