// The form of a tenant's id.
#ifndef HOURGLASS_ISSUANCE_BASE_TENANT_ID_H_
#define HOURGLASS_ISSUANCE_BASE_TENANT_ID_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

inline constexpr std::size_t kMaxTenantIdSize = 63;

// Whether this may be a tenant's id: 1 to 63 characters a-z, 0-9 and inner hyphens (the form of a
// label of RFC 1123 section 2.1). Such an id is safe as a file name.
bool IsTenantId(absl::string_view text);

// What is wrong where IsTenantId is false, for messages.
inline constexpr char kTenantIdForm[] = "must be 1 to 63 characters a-z, 0-9 and inner hyphens";

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_TENANT_ID_H_
