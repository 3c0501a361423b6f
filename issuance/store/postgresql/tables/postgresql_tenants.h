// The statements about tenants, as TenantStore and RootKeyStore describe them. Those that read are
// one statement each. Those that write need a transaction of the caller's, in which he holds the
// administration (ConnectionPool::Administer) and which he rolls back after an error.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_TENANTS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_TENANTS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/records.h"

namespace hourglass::issuance::postgresql {

absl::Status CreateTenant(Connection& connection, const TenantRecord& tenant);
absl::StatusOr<TenantRecord> GetTenant(Connection& connection, absl::string_view tenant_id);
absl::StatusOr<std::vector<TenantRecord>> ListTenants(Connection& connection);
absl::StatusOr<int> ReserveGeneration(Connection& connection, absl::string_view tenant_id);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_TENANTS_H_
