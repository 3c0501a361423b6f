// The one clock that all processes on a database share: its own.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_DATABASE_TIME_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_DATABASE_TIME_H_

#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

// What time it is there now, also within a transaction. One round trip. Errors: as Connection.
absl::StatusOr<Timestamp> DatabaseTime(Connection& connection);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_DATABASE_TIME_H_
