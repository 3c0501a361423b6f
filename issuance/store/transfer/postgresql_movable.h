// A store in PostgreSQL, as it is moved.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_POSTGRESQL_MOVABLE_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_POSTGRESQL_MOVABLE_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/postgresql/engine/connection_parameters.h"
#include "issuance/store/postgresql/engine/server_rules.h"
#include "issuance/store/transfer/movable_store.h"

namespace hourglass::issuance {

struct PostgresqlMoveOptions {
  // As the role that owns the schema: what is moved includes history, which the service's role may
  // only add to. `application_name` must begin with `hourglass store `.
  postgresql::ConnectionParameters connection;
  postgresql::ServerDemands demands;
  // Whose clock the time mark is of: the replica that takes the place of the one machine.
  std::string machine;
  // The time that one partition of the journal is of.
  std::chrono::hours partition_span{24 * 30};
};

// To be read: until this object is gone, everything in it is locked against change. Errors of both:
// JOURNAL_UNAVAILABLE: no server that is fit (as postgresql::Connection and CheckServer: a wrong
// password, no standby); no schema, another one, another application's (CheckSchema); a role that
// does not own it; a service that is connected, or was seen within ReplicaDirectory::kNameIsKept
// (which); another move.
absl::StatusOr<std::unique_ptr<MovableStore>> OpenPostgresqlSource(
    const PostgresqlMoveOptions& options);

// To be filled.
absl::StatusOr<std::unique_ptr<MovableStore>> OpenPostgresqlTarget(
    const PostgresqlMoveOptions& options);

// Takes the mark of a store away that was moved elsewhere: it may be served again, with what it
// had. Errors: as above; JOURNAL_UNAVAILABLE where it is not marked as moved away.
absl::Status ReopenPostgresqlStore(const PostgresqlMoveOptions& options);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_POSTGRESQL_MOVABLE_H_
