// What libpq hands out, owned.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_LIBPQ_HANDLES_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_LIBPQ_HANDLES_H_

#include <memory>

struct pg_conn;
struct pg_result;

namespace hourglass::issuance::postgresql {

struct FinishConnection {
  // Does not wait: the connections of this room are non-blocking (PQsetnonblocking), and so is
  // libpq's farewell.
  void operator()(pg_conn* connection) const;
};
using PgConnection = std::unique_ptr<pg_conn, FinishConnection>;

struct ClearResult {
  void operator()(pg_result* result) const;
};
using PgResult = std::unique_ptr<pg_result, ClearResult>;

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_LIBPQ_HANDLES_H_
