#include "issuance/authorities/tenants.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "ca/certificate/profile.h"
#include "ca/issuers/intermediate_certificate.h"
#include "ca/issuers/root_certificate.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

// For another caller who opens the same key.
constexpr std::chrono::seconds kLongestWait(1);

}  // namespace

Tenants::Tenants(TenantStore* store, hsm::KeyStore* keys, IssuingConfig issuing,
                 const std::map<std::string, IssuingConfig>& overrides, SubKeys* sub_keys,
                 std::size_t most_loaded)
    : store_(store),
      keys_(keys),
      sub_keys_(sub_keys),
      issuing_(std::move(issuing)),
      overrides_(overrides.begin(), overrides.end()),
      most_loaded_(most_loaded),
      subscription_(
          store->changes().Subscribe([this](absl::string_view tenant_id) { Forget(tenant_id); })) {}

const IssuingConfig& Tenants::Issuing(absl::string_view tenant_id) const {
  const auto found = overrides_.find(tenant_id);
  return found == overrides_.end() ? issuing_ : found->second;
}

std::shared_ptr<const TenantSnapshot> Tenants::Cached(absl::string_view tenant_id) {
  const MutexLock lock(mutex_);
  const auto found = slots_.find(tenant_id);
  if (found == slots_.end()) return nullptr;
  found->second->last_used = ++uses_;
  return found->second->snapshot;
}

std::shared_ptr<const TenantSnapshot> Tenants::IfLoaded(absl::string_view tenant_id) {
  std::shared_ptr<const TenantSnapshot> cached = Cached(tenant_id);
  if (cached == nullptr || sub_keys_ == nullptr || cached->primary == nullptr ||
      sub_keys_->IsCurrent(tenant_id, *cached->primary)) {
    return cached;
  }
  Forget(tenant_id);
  return nullptr;
}

absl::Status Tenants::CheckExists(absl::string_view tenant_id) {
  if (Cached(tenant_id) != nullptr) return absl::OkStatus();
  return store_->GetTenant(tenant_id).status();
}

std::size_t Tenants::loaded() const {
  const MutexLock lock(mutex_);
  return slots_.size();
}

Tenants::SlotUse::~SlotUse() {
  if (slot_ == nullptr) return;
  const MutexLock lock(tenants_->mutex_);
  slot_->last_used = ++tenants_->uses_;
  --slot_->users;
}

absl::StatusOr<Tenants::SlotUse> Tenants::UseSlot(absl::string_view tenant_id) {
  {
    const MutexLock lock(mutex_);
    const auto found = slots_.find(tenant_id);
    if (found != slots_.end()) return SlotUse(this, found->second.get());
  }
  // Slots are made for tenants that exist only, so that made-up names cost no memory.
  RETURN_IF_ERROR(store_->GetTenant(tenant_id).status());
  std::vector<std::unique_ptr<Slot>> dropped;
  const MutexLock lock(mutex_);
  std::unique_ptr<Slot>& slot = slots_[tenant_id];
  if (slot == nullptr) slot = std::make_unique<Slot>();
  SlotUse use(this, slot.get());
  if (slots_.size() > most_loaded_) dropped = TakeOldest();
  return use;
}

// A tenth at once: each time it looks at all of them. Nothing that has to be remembered goes: the
// fence is the store's, and that a key is out of service the key store's.
std::vector<std::unique_ptr<Tenants::Slot>> Tenants::TakeOldest() {
  std::vector<std::pair<std::uint64_t, absl::string_view>> idle;
  for (const auto& [tenant_id, slot] : slots_) {
    if (slot->users == 0) idle.emplace_back(slot->last_used, tenant_id);
  }
  const std::size_t wanted = slots_.size() - most_loaded_ + most_loaded_ / 10;
  const std::size_t count = std::min(wanted, idle.size());
  const auto end = idle.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(idle.begin(), end, idle.end());
  std::vector<std::unique_ptr<Slot>> oldest;
  for (auto it = idle.begin(); it != end; ++it) {
    oldest.push_back(std::move(slots_.extract(it->second).mapped()));
  }
  return oldest;
}

absl::StatusOr<std::shared_ptr<const TenantSnapshot>> Tenants::Snapshot(
    absl::string_view tenant_id) {
  if (auto loaded = IfLoaded(tenant_id); loaded != nullptr) return loaded;
  ASSIGN_OR_RETURN(const SlotUse slot, UseSlot(tenant_id));
  ASSIGN_OR_RETURN(const std::unique_lock<std::timed_mutex> turn, TurnToLoad(*slot));
  std::uint64_t forgotten_before;
  {
    const MutexLock lock(mutex_);
    if (slot->snapshot != nullptr) return slot->snapshot;
    forgotten_before = slot->forgotten;
  }
  absl::StatusOr<std::shared_ptr<const TenantSnapshot>> snapshot = Load(tenant_id, *slot);
  const MutexLock lock(mutex_);
  slot->failure = snapshot.status();
  ++slot->loads;
  // A change that came while this was being loaded must not be hidden by it. One without a primary
  // writes nothing that the store's fence could refuse, so nothing would tell that it is old.
  if (snapshot.ok() && (*snapshot)->primary != nullptr && slot->forgotten == forgotten_before) {
    slot->snapshot = *snapshot;
  }
  return snapshot;
}

absl::StatusOr<std::unique_lock<std::timed_mutex>> Tenants::TurnToLoad(Slot& slot) {
  std::unique_lock turn(slot.loading, std::try_to_lock);
  if (turn.owns_lock()) return turn;
  std::uint64_t loads_before;
  {
    const MutexLock lock(mutex_);
    if (!slot.failure.ok()) return slot.failure;
    loads_before = slot.loads;
  }
  const bool waited_enough = !turn.try_lock_for(kLongestWait);
  const MutexLock lock(mutex_);
  if (waited_enough) {
    const absl::Status being_opened =
        Error(ErrorReason::kKeyUnavailable, "", "the primary root's key is being opened");
    // Nobody else needs to wait for this load in vain.
    if (slot.loads == loads_before) slot.failure = being_opened;
    return being_opened;
  }
  if (slot.loads != loads_before && !slot.failure.ok()) return slot.failure;
  return turn;
}

void Tenants::Forget(absl::string_view tenant_id) {
  const MutexLock lock(mutex_);
  const auto found = slots_.find(tenant_id);
  if (found == slots_.end()) return;
  ++found->second->forgotten;
  found->second->snapshot = nullptr;
}

absl::StatusOr<std::shared_ptr<const ca::Authority>> Tenants::OpenAuthority(
    const RootRecord& root) {
  ASSIGN_OR_RETURN(const ca::LeafProfile profile,
                   ca::LeafProfile::Create(Issuing(root.tenant_id).profile));
  ASSIGN_OR_RETURN(ca::RootCertificate certificate, ca::RootCertificate::Parse(root.certificate));
  if (Issuing(root.tenant_id).sub_key.enabled) {
    RETURN_IF_ERROR(ca::CheckAllowsSubKeys(certificate));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<hsm::SigningKey> key, keys_->Open(root.key_uri));
  ASSIGN_OR_RETURN(std::unique_ptr<ca::Authority> authority,
                   ca::Authority::Create(std::move(certificate), std::move(key), profile));
  return std::shared_ptr<const ca::Authority>(std::move(authority));
}

absl::StatusOr<std::shared_ptr<const TenantSnapshot>> Tenants::Load(absl::string_view tenant_id,
                                                                    Slot& slot) {
  auto snapshot = std::make_shared<TenantSnapshot>();
  // The tenant before its roots: if a change comes between, the epoch is too old and the fence
  // refuses, never too new.
  ASSIGN_OR_RETURN(const TenantRecord tenant, store_->GetTenant(tenant_id));
  ASSIGN_OR_RETURN(const std::vector<RootRecord> roots, store_->ListRoots(tenant_id));
  snapshot->tenant_id = tenant.tenant_id;
  snapshot->epoch = tenant.epoch;
  for (const RootRecord& root : roots) {
    if (root.state != ca::RootState::kPrimary) continue;
    if (slot.authority_root_id != root.root_id) {
      slot.authority_root_id.clear();
      ASSIGN_OR_RETURN(slot.authority, OpenAuthority(root));
      slot.authority_root_id = root.root_id;
    }
    snapshot->primary_root_id = root.root_id;
    ASSIGN_OR_RETURN(snapshot->primary, SignerOf(tenant, root, slot.authority));
  }
  return std::shared_ptr<const TenantSnapshot>(std::move(snapshot));
}

absl::StatusOr<std::shared_ptr<const ca::Authority>> Tenants::SignerOf(
    const TenantRecord& tenant, const RootRecord& primary,
    const std::shared_ptr<const ca::Authority>& authority) {
  const SubKeyConfig& config = Issuing(tenant.tenant_id).sub_key;
  if (!config.enabled) return authority;
  if (sub_keys_ == nullptr) {
    return Error(ErrorReason::kInternalError, "issuing.sub_key",
                 "is enabled, and nothing makes it");
  }
  return sub_keys_->SignerFor({tenant, primary.root_id, primary.generation, authority}, config);
}

}  // namespace hourglass::issuance
