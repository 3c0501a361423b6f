// The statements about roots, as TenantStore describes them. Those that read are one statement
// each. Those that write need a transaction of the caller's, in which he holds the administration
// (ConnectionPool::Administer) and which he rolls back after an error; they tell the other
// processes when it is committed (issuance/store/postgresql/tables/postgresql_tenant_notices.h).
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_ROOTS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_ROOTS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/records.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance::postgresql {

// The state of a column. Errors: JOURNAL_UNAVAILABLE for what is none.
absl::StatusOr<ca::RootState> ParseState(absl::string_view name);
absl::Status AddRoot(Connection& connection, const RootRecord& root);
absl::StatusOr<RootRecord> GetRoot(Connection& connection, absl::string_view tenant_id,
                                   absl::string_view root_id);
absl::StatusOr<std::vector<RootRecord>> ListRoots(Connection& connection,
                                                  absl::string_view tenant_id);
// Where the epoch changes, it waits first until no transaction holds the tenant's epoch, and none
// holds it again until this one has ended (LockForPromotion,
// issuance/store/postgresql/engine/fence.h): promise 6.
absl::Status ChangeRootStates(Connection& connection, absl::string_view tenant_id,
                              std::uint64_t expected_revision,
                              absl::Span<const RootStateChange> changes,
                              const RootChangeOrder& order);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_ROOTS_H_
