#include "issuance/store/postgresql/replicas.h"

#include <cstdint>

#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/database_time.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"

namespace hourglass::issuance {
namespace {

using postgresql::Connection;
using postgresql::Rows;
using postgresql::Text;
using postgresql::ValueOf;
using std::chrono::microseconds;

absl::Status Measure(Connection& connection, const Clock& clock, ReplicaRecord& replica) {
  // The first on this connection also prepares the statement.
  RETURN_IF_ERROR(postgresql::DatabaseTime(connection).status());
  const Timestamp before = clock.Now();
  ASSIGN_OR_RETURN(const Timestamp database, postgresql::DatabaseTime(connection));
  const Timestamp after = clock.Now();
  // Negative where the clock was set back meanwhile: it was ahead by one of both then, or between.
  const microseconds passed = after - before;
  replica.clock_ahead = before + passed / 2 - database;
  replica.clock_uncertainty = (std::chrono::abs(passed) + microseconds(1)) / 2;
  return absl::OkStatus();
}

absl::Status Put(Connection& connection, ReplicaRecord& replica) {
  ASSIGN_OR_RETURN(replica.seen_at, postgresql::DatabaseTime(connection));
  return connection
      .Change(
          "INSERT INTO replicas (name, run_id, program_version, address, started_at, seen_at, "
          "clock_ahead, clock_uncertainty) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
          "ON CONFLICT (name) DO UPDATE SET run_id = excluded.run_id, "
          "program_version = excluded.program_version, address = excluded.address, "
          "started_at = excluded.started_at, seen_at = excluded.seen_at, "
          "clock_ahead = excluded.clock_ahead, clock_uncertainty = excluded.clock_uncertainty",
          {Text{replica.name}, Text{replica.run_id}, Text{replica.program_version},
           Text{replica.address}, ValueOf(replica.started_at), ValueOf(replica.seen_at),
           std::int64_t{replica.clock_ahead.count()},
           std::int64_t{replica.clock_uncertainty.count()}})
      .status();
}

}  // namespace

absl::StatusOr<ReplicaRecord> Replicas::Announce(const ReplicaRecord& replica) {
  return pool_.Write([&](Connection& connection) -> absl::StatusOr<ReplicaRecord> {
    ReplicaRecord announced = replica;
    RETURN_IF_ERROR(Measure(connection, clock_, announced));
    RETURN_IF_ERROR(Put(connection, announced));
    return announced;
  });
}

absl::StatusOr<ReplicaList> Replicas::List() {
  return pool_.Run([](Connection& connection) -> absl::StatusOr<ReplicaList> {
    ReplicaList list;
    ASSIGN_OR_RETURN(
        Rows rows,
        connection.Query("SELECT name, run_id, program_version, address, started_at, seen_at, "
                         "clock_ahead, clock_uncertainty FROM replicas ORDER BY name"));
    while (rows.Next()) {
      ReplicaRecord& replica = list.replicas.emplace_back();
      replica.name = rows.TakeOctets();
      replica.run_id = rows.TakeOctets();
      replica.program_version = rows.TakeOctets();
      replica.address = rows.TakeOctets();
      replica.started_at = postgresql::TakeTimestamp(rows);
      replica.seen_at = postgresql::TakeTimestamp(rows);
      replica.clock_ahead = microseconds(rows.TakeInteger());
      replica.clock_uncertainty = microseconds(rows.TakeInteger());
    }
    ASSIGN_OR_RETURN(list.now, postgresql::DatabaseTime(connection));
    return list;
  });
}

absl::Status Replicas::Forget(absl::string_view name) {
  return pool_.Write([&](Connection& connection) {
    return connection.Change("DELETE FROM replicas WHERE name = $1", {Text{name}}).status();
  });
}

}  // namespace hourglass::issuance
