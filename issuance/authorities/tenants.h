// The immutable picture of a tenant that a request works with.
#ifndef HOURGLASS_ISSUANCE_AUTHORITIES_TENANTS_H_
#define HOURGLASS_ISSUANCE_AUTHORITIES_TENANTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/authority.h"
#include "ca/request/certificate_request.h"
#include "hsm/base/mutex.h"
#include "hsm/store/key_store.h"
#include "issuance/authorities/sub_keys.h"
#include "issuance/config/issuing_config.h"
#include "issuance/store/tenant_changes.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// Immutable: a request that holds one sees one primary, one template and one epoch from beginning
// to end.
struct TenantSnapshot {
  std::string tenant_id;
  std::uint64_t epoch = 0;
  // Empty and null where the tenant has no primary.
  std::string primary_root_id;
  // The root's own authority, or that of an issuing sub-key under it.
  std::shared_ptr<const ca::Authority> primary;
};

// Keeps the snapshots of the tenants that were asked for last, some 10 kB each with an EC key of
// software. Safe to call from several threads.
class Tenants {
 public:
  // `store`, `keys` and `sub_keys` must outlive this object. `sub_keys` may be null where the
  // configuration enables none. Of more than `most_loaded` tenants, at least 1, those that were
  // asked for longest ago are dropped.
  Tenants(TenantStore* store, hsm::KeyStore* keys, IssuingConfig issuing,
          const std::map<std::string, IssuingConfig>& overrides, SubKeys* sub_keys = nullptr,
          std::size_t most_loaded = 20'000);

  // What the configuration says of the tenant. Does not look whether it exists.
  const IssuingConfig& Issuing(absl::string_view tenant_id) const;

  // Errors: TENANT_UNKNOWN, JOURNAL_UNAVAILABLE.
  absl::Status CheckExists(absl::string_view tenant_id);

  // The newest snapshot that this process knows; loaded from the store, and the primary's key
  // opened, when it is first asked for and after the store has told of a change
  // (TenantStore::changes). One without a primary is not kept. Another process may have moved on
  // since: the journal's fence refuses what was built on an old epoch, and the store tells of that,
  // too. Where a snapshot cannot issue for another reason, LookAgain. While one caller opens a key,
  // others that want it wait for a second at most. Errors: TENANT_UNKNOWN, JOURNAL_UNAVAILABLE, and
  // what KeyStore::Open, ca::Authority::Create and SubKeys::SignerFor say; SUB_KEY_NOT_ALLOWED
  // where the configuration wants a sub-key and the primary allows none.
  absl::StatusOr<std::shared_ptr<const TenantSnapshot>> Snapshot(absl::string_view tenant_id);

  // The same where it is there already, without waiting for anybody; null where Snapshot would load
  // it.
  std::shared_ptr<const TenantSnapshot> IfLoaded(absl::string_view tenant_id);

  // For whoever finds that a snapshot cannot issue though the store refused nothing, as where its
  // root nears its end: another process may have changed the tenant, and nobody has told. The next
  // request loads it anew.
  void LookAgain(absl::string_view tenant_id) { Forget(tenant_id); }

  // How many tenants are kept now.
  std::size_t loaded() const;

  // A root with its key, checked and linted as the primary's is, without making it one: what a
  // promotion tries first. Errors: as KeyStore::Open and ca::Authority::Create, and
  // SUB_KEY_NOT_ALLOWED as above.
  absl::StatusOr<std::shared_ptr<const ca::Authority>> OpenAuthority(const RootRecord& root);

 private:
  // One tenant's place: loading it holds up only those who ask for the same tenant.
  struct Slot {
    // Guarded by Tenants::mutex_, like all that does not say otherwise.
    std::shared_ptr<const TenantSnapshot> snapshot;
    std::uint64_t last_used = 0;  // Tenants::uses_ of that time
    int users = 0;                // who load or wait; it is not dropped meanwhile
    // Why the last load failed, or that the one under way takes long, or OK; and how many there
    // were.
    absl::Status failure;
    std::uint64_t loads = 0;
    std::uint64_t forgotten = 0;  // times
    std::timed_mutex loading;
    // The authority last loaded, so that a change of another root does not open the key again;
    // guarded by loading.
    std::string authority_root_id;
    std::shared_ptr<const ca::Authority> authority;
  };
  using Slots = absl::flat_hash_map<std::string, std::unique_ptr<Slot>>;

  // A slot that is in use.
  class SlotUse {
   public:
    SlotUse(Tenants* tenants, Slot* slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tenants->mutex_)
        : tenants_(tenants), slot_(slot) {
      ++slot_->users;
    }
    ~SlotUse();
    SlotUse(SlotUse&& other) noexcept
        : tenants_(other.tenants_), slot_(std::exchange(other.slot_, nullptr)) {}
    SlotUse& operator=(SlotUse&&) = delete;
    Slot& operator*() const { return *slot_; }
    Slot* operator->() const { return slot_; }

   private:
    Tenants* const tenants_;
    Slot* slot_;
  };

  std::shared_ptr<const TenantSnapshot> Cached(absl::string_view tenant_id);
  // Makes the slot if there is none. Errors: TENANT_UNKNOWN, JOURNAL_UNAVAILABLE.
  absl::StatusOr<SlotUse> UseSlot(absl::string_view tenant_id);
  // Drops the snapshot.
  void Forget(absl::string_view tenant_id);
  // Takes the slots out that are over the bound; to be destroyed without mutex_.
  std::vector<std::unique_ptr<Slot>> TakeOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits for the turn to load: only briefly, and not at all where the last load failed or others
  // waited in vain, so that a token that gives no answer takes no threads from other tenants.
  // Errors: how another's load failed meanwhile, or last; KEY_UNAVAILABLE.
  absl::StatusOr<std::unique_lock<std::timed_mutex>> TurnToLoad(Slot& slot);
  absl::StatusOr<std::shared_ptr<const TenantSnapshot>> Load(absl::string_view tenant_id,
                                                             Slot& slot);

  absl::StatusOr<std::shared_ptr<const ca::Authority>> SignerOf(
      const TenantRecord& tenant, const RootRecord& primary,
      const std::shared_ptr<const ca::Authority>& authority);

  TenantStore* const store_;
  hsm::KeyStore* const keys_;
  SubKeys* const sub_keys_;
  const IssuingConfig issuing_;
  const absl::flat_hash_map<std::string, IssuingConfig> overrides_;
  const std::size_t most_loaded_;
  mutable Mutex mutex_;
  Slots slots_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t uses_ ABSL_GUARDED_BY(mutex_) = 0;  // of all slots
  // The last member: nothing is told once the others go.
  const TenantChanges::Subscription subscription_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_AUTHORITIES_TENANTS_H_
