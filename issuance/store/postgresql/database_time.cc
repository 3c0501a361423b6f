#include "issuance/store/postgresql/database_time.h"

#include <chrono>
#include <cstdint>

#include "hsm/base/status_macros.h"

namespace hourglass::issuance::postgresql {

absl::StatusOr<Timestamp> DatabaseTime(Connection& connection) {
  ASSIGN_OR_RETURN(
      const std::int64_t now,
      connection.QueryInteger("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"));
  return Timestamp(std::chrono::microseconds(now));
}

}  // namespace hourglass::issuance::postgresql
