// The statements about tenants, as TenantStore describes them. Those that write
// need a transaction of the caller's.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_TENANTS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_TENANTS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/records.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance::sqlite {

// Gives the names of their roots to tenants that an older program made, oldest first; one that
// shares its name with an older one stays without, and both go on.
absl::Status NameTenants(Connection& connection);
absl::Status CreateTenant(Connection& connection, const TenantRecord& tenant);
absl::StatusOr<TenantRecord> GetTenant(Connection& connection, absl::string_view tenant_id);
absl::StatusOr<std::vector<TenantRecord>> ListTenants(Connection& connection);
absl::StatusOr<int> ReserveGeneration(Connection& connection, absl::string_view tenant_id);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_TENANTS_H_
