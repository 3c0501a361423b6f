// Whether the service could open its database as it is now.
#ifndef HOURGLASS_ISSUANCE_SERVER_STORE_CHECK_H_
#define HOURGLASS_ISSUANCE_SERVER_STORE_CHECK_H_

#include "absl/status/statusor.h"
#include "issuance/config/store_config.h"
#include "issuance/store/replica_directory.h"

namespace hourglass::issuance {

// Connects as the service would, looks at the server and at the schema, and describes what it
// found. Changes nothing; a service may run meanwhile. Errors, of the first thing that is wrong:
// CONFIGURATION_INVALID as ConnectionOf; JOURNAL_UNAVAILABLE as postgresql::ConnectionPool and
// postgresql::CheckSchema.
absl::StatusOr<DatabaseRecord> CheckPostgresqlStore(const PostgresqlConfig& config);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_STORE_CHECK_H_
