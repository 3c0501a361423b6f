// How processes on one database tell each other that a tenant has changed.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_TENANT_NOTICES_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_TENANT_NOTICES_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

// The channel of LISTEN. The payload of each notice is the id of a tenant of which a root was
// added, or the state of a root or a policy was changed.
inline constexpr absl::string_view kTenantChannel = "hourglass_tenant";

// Needs a transaction of the caller's: the notice is sent when that is committed, and not at all
// where it is not. To all who listen, on any connection, this one included.
absl::Status NotifyOfTenant(Connection& connection, absl::string_view tenant_id);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_TENANT_NOTICES_H_
