// How many roots, keys and relying parties a tenant may have.
#ifndef HOURGLASS_ISSUANCE_ROTATION_TENANT_QUOTA_H_
#define HOURGLASS_ISSUANCE_ROTATION_TENANT_QUOTA_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/config/issuing_config.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// OK where the tenant may have one more root that is STAGED, PRIMARY or RETIRING. Errors:
// QUOTA_EXCEEDED, JOURNAL_UNAVAILABLE.
absl::Status CheckRootQuota(Store& store, absl::string_view tenant_id, const TenantQuota& quota);

// OK where it may have one more key: of its roots, whatever their state, those that were not
// destroyed count; those that interrupted creations may have left; and those that are bound to it
// and have no root yet. Errors: as above.
absl::Status CheckKeyQuota(Store& store, absl::string_view tenant_id, const TenantQuota& quota);

// Of one tenant. Each is looked at for every promotion.
inline constexpr std::size_t kMaxRelyingParties = 1000;

// OK where it may have one more relying party. Errors: as above.
absl::Status CheckRelyingPartyQuota(RelyingPartyStore& store, absl::string_view tenant_id);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_TENANT_QUOTA_H_
