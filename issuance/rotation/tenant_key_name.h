// Which tenant a key is of, by its name alone.
#ifndef HOURGLASS_ISSUANCE_ROTATION_TENANT_KEY_NAME_H_
#define HOURGLASS_ISSUANCE_ROTATION_TENANT_KEY_NAME_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// `hourglass-TENANT-rGENERATION`: what the key of this root is called where nobody names it.
std::string TenantKeyName(absl::string_view tenant_id, int generation);

// The tenant of the one name that TenantKeyName gives so, or nothing. A tenant's id may hold
// hyphens and even end as a name does: all before the last `-r` and digits is the id, so that no
// name is of two tenants.
std::optional<std::string> TenantOfKeyName(absl::string_view name);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_TENANT_KEY_NAME_H_
