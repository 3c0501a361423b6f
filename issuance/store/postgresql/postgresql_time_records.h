// What the time guard remembers, in the PostgreSQL store.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_POSTGRESQL_TIME_RECORDS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_POSTGRESQL_TIME_RECORDS_H_

#include <memory>
#include <string>

#include "issuance/store/postgresql/engine/connection_pool.h"
#include "issuance/store/time_records.h"

namespace hourglass::issuance {

// The mark is that of `machine`, a name that no other machine on this database has: each has a
// clock of its own. Intents and reports are those of all machines. `pool` must outlive the records;
// it need not be the store's, so that nothing else makes the clock wait.
std::unique_ptr<TimeRecords> MakePostgresqlTimeRecords(postgresql::ConnectionPool* pool,
                                                       const std::string& machine);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_POSTGRESQL_TIME_RECORDS_H_
