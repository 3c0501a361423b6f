#include "issuance/store/postgresql/tables/postgresql_tenant_notices.h"

namespace hourglass::issuance::postgresql {

absl::Status NotifyOfTenant(Connection& connection, absl::string_view tenant_id) {
  return connection.Query("SELECT pg_notify($1, $2)", {Text{kTenantChannel}, Text{tenant_id}})
      .status();
}

}  // namespace hourglass::issuance::postgresql
