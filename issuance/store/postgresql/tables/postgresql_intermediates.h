// The statements about intermediates, as IntermediateStore describes them. Those that write need a
// transaction of the caller's (ConnectionPool::Write), which he rolls back after an error; it holds
// the tenant's epoch from then on (HoldTenant, issuance/store/postgresql/engine/fence.h), and needs
// no administration.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_INTERMEDIATES_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_INTERMEDIATES_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/page.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/records.h"

namespace hourglass::issuance::postgresql {

absl::Status AddIntermediate(Connection& connection, const IntermediateRecord& intermediate);
absl::Status ReleaseIntermediate(Connection& connection, absl::string_view tenant_id,
                                 absl::string_view root_id, absl::string_view serial_number,
                                 absl::string_view certificate, Timestamp released_at);
absl::StatusOr<IntermediateRecord> GetIntermediate(Connection& connection,
                                                   absl::string_view tenant_id,
                                                   absl::string_view root_id,
                                                   absl::string_view serial_number);
absl::StatusOr<Page<IntermediateRecord>> ListIntermediates(Connection& connection,
                                                           absl::string_view tenant_id,
                                                           absl::string_view root_id, int page_size,
                                                           absl::string_view page_token);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_INTERMEDIATES_H_
