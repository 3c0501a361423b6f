#include "issuance/server/changes_elsewhere.h"

#include <utility>
#include <vector>

namespace hourglass::issuance {

void ChangesElsewhere::Look() {
  std::vector<std::string> changed;
  {
    const MutexLock lock(mutex_);
    const auto tenants = tenants_->ListTenants();
    if (!tenants.ok()) return;
    for (const TenantRecord& tenant : *tenants) {
      // One that is new has had no roots when it was looked at last.
      // Both only grow, and so does their sum.
      const std::uint64_t revision = tenant.revision + tenant.policy_revision;
      if (std::exchange(revisions_[tenant.tenant_id], revision) == revision) continue;
      if (looked_) changed.push_back(tenant.tenant_id);
    }
    looked_ = true;
  }
  for (const std::string& tenant_id : changed) tenants_->changes().Publish(tenant_id);
}

}  // namespace hourglass::issuance
