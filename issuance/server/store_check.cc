#include "issuance/server/store_check.h"

#include <memory>

#include "hsm/base/status_macros.h"
#include "issuance/server/store_connection.h"
#include "issuance/store/postgresql/engine/connection_pool.h"
#include "issuance/store/postgresql/engine/postgresql_move_mark.h"
#include "issuance/store/postgresql/engine/schema.h"
#include "issuance/store/postgresql/replicas.h"

namespace hourglass::issuance {

absl::StatusOr<DatabaseRecord> CheckPostgresqlStore(const PostgresqlConfig& config) {
  ASSIGN_OR_RETURN(const postgresql::ConnectionParameters connection, ConnectionOf(config));
  ASSIGN_OR_RETURN(const std::unique_ptr<postgresql::ConnectionPool> pool,
                   postgresql::ConnectionPool::Open(connection, DemandsOf(config),
                                                    {.issuing = 1, .listing = 1}));
  RETURN_IF_ERROR(pool->Run([](postgresql::Connection& connected) -> absl::Status {
    RETURN_IF_ERROR(postgresql::CheckSchema(connected, postgresql::Migrations()));
    return postgresql::CheckNotMarked(connected);
  }));
  return Replicas(pool.get()).Describe();
}

}  // namespace hourglass::issuance
