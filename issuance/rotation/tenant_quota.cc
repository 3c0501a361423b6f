#include "issuance/rotation/tenant_quota.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {

absl::Status CheckRootQuota(Store& store, absl::string_view tenant_id, const TenantQuota& quota) {
  ASSIGN_OR_RETURN(const std::vector<RootRecord> roots, store.ListRoots(tenant_id));
  int living = 0;
  for (const RootRecord& root : roots) living += ca::NeedsItsKey(root.state) ? 1 : 0;
  if (living < quota.roots) return absl::OkStatus();
  return Error(ErrorReason::kQuotaExceeded, "tenant_id",
               absl::StrCat(living,
                            " roots of the tenant are STAGED, PRIMARY or RETIRING, and "
                            "issuing.max_roots is ",
                            quota.roots, ": retire or discard some"));
}

absl::Status CheckKeyQuota(Store& store, absl::string_view tenant_id, const TenantQuota& quota) {
  ASSIGN_OR_RETURN(const std::vector<RootRecord> roots, store.ListRoots(tenant_id));
  ASSIGN_OR_RETURN(const std::vector<PlannedKey> planned, store.ListPlannedKeys(tenant_id));
  ASSIGN_OR_RETURN(const std::vector<BoundKey> bound, store.ListBoundKeys());
  std::size_t keys = planned.size();
  for (const RootRecord& root : roots) keys += root.key_destroyed_at.has_value() ? 0 : 1;
  for (const BoundKey& key : bound) {
    if (key.tenant_id != tenant_id) continue;
    bool has_root = false;
    for (const RootRecord& root : roots) {
      has_root |= absl::StrContains(root.certificate, key.public_key);
    }
    keys += has_root ? 0 : 1;
  }
  if (keys < static_cast<std::size_t>(quota.keys)) return absl::OkStatus();
  return Error(ErrorReason::kQuotaExceeded, "tenant_id",
               absl::StrCat("the tenant has ", keys, " keys, and issuing.max_keys is ", quota.keys,
                            ": destroy those of roots that are retired or discarded"));
}

absl::Status CheckRelyingPartyQuota(RelyingPartyStore& store, absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(const std::vector<RelyingPartyRecord> parties,
                   store.ListRelyingParties(tenant_id));
  if (parties.size() < kMaxRelyingParties) return absl::OkStatus();
  return Error(ErrorReason::kQuotaExceeded, "tenant_id",
               absl::StrCat("the tenant has ", parties.size(),
                            " relying parties, and can have no more: remove those that are gone"));
}

}  // namespace hourglass::issuance
