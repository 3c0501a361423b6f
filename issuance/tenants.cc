#include "issuance/tenants.h"

#include <chrono>
#include <utility>
#include <vector>

#include "ca/intermediate_certificate.h"
#include "ca/profile.h"
#include "ca/root_certificate.h"
#include "ca/root_states.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

// For another caller who opens the same key.
constexpr std::chrono::seconds kLongestWait(1);

}  // namespace

Tenants::Tenants(Store* store, hsm::KeyStore* keys, IssuingConfig issuing,
                 std::map<std::string, IssuingConfig> overrides, SubKeys* sub_keys)
    : store_(store),
      keys_(keys),
      sub_keys_(sub_keys),
      issuing_(issuing),
      overrides_(std::move(overrides)) {}

const IssuingConfig& Tenants::Issuing(absl::string_view tenant_id) const {
  const auto found = overrides_.find(std::string(tenant_id));
  return found == overrides_.end() ? issuing_ : found->second;
}

std::shared_ptr<const TenantSnapshot> Tenants::Cached(absl::string_view tenant_id) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(std::string(tenant_id));
  return found == slots_.end() ? nullptr : found->second->snapshot;
}

absl::Status Tenants::CheckExists(absl::string_view tenant_id) {
  if (Cached(tenant_id) != nullptr) return absl::OkStatus();
  return store_->GetTenant(tenant_id).status();
}

std::shared_ptr<Tenants::Slot> Tenants::SlotOf(absl::string_view tenant_id) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Slot>& slot = slots_[std::string(tenant_id)];
  if (slot == nullptr) slot = std::make_shared<Slot>();
  return slot;
}

absl::StatusOr<std::shared_ptr<const TenantSnapshot>> Tenants::Snapshot(
    absl::string_view tenant_id) {
  if (auto cached = Cached(tenant_id); cached != nullptr) {
    if (sub_keys_ == nullptr || cached->primary == nullptr ||
        sub_keys_->IsCurrent(tenant_id, *cached->primary)) {
      return cached;
    }
    Forget(tenant_id);
  }
  // Slots are made for tenants that exist only, so that made-up names cost no memory.
  RETURN_IF_ERROR(store_->GetTenant(tenant_id).status());
  const std::shared_ptr<Slot> slot = SlotOf(tenant_id);
  ASSIGN_OR_RETURN(const std::unique_lock<std::timed_mutex> turn, TurnToLoad(*slot));
  std::uint64_t forgotten_before;
  {
    const std::lock_guard lock(mutex_);
    if (slot->snapshot != nullptr) return slot->snapshot;
    forgotten_before = slot->forgotten;
  }
  absl::StatusOr<std::shared_ptr<const TenantSnapshot>> snapshot = Load(tenant_id, *slot);
  const std::lock_guard lock(mutex_);
  slot->failure = snapshot.status();
  ++slot->loads;
  // A change that came while this was being loaded must not be hidden by it.
  if (snapshot.ok() && slot->forgotten == forgotten_before) slot->snapshot = *snapshot;
  return snapshot;
}

absl::StatusOr<std::unique_lock<std::timed_mutex>> Tenants::TurnToLoad(Slot& slot) {
  std::unique_lock turn(slot.loading, std::try_to_lock);
  if (turn.owns_lock()) return turn;
  std::uint64_t loads_before;
  {
    const std::lock_guard lock(mutex_);
    if (!slot.failure.ok()) return slot.failure;
    loads_before = slot.loads;
  }
  const bool waited_enough = !turn.try_lock_for(kLongestWait);
  const std::lock_guard lock(mutex_);
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
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(std::string(tenant_id));
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
