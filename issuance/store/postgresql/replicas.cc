#include "issuance/store/postgresql/replicas.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/database_time.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/postgresql/engine/server_rules.h"

namespace hourglass::issuance {
namespace {

using postgresql::Connection;
using postgresql::Rows;
using postgresql::Text;
using postgresql::ValueOf;
using std::chrono::microseconds;

constexpr std::chrono::hours kListed(24);

constexpr absl::string_view kAnnounce =
    "INSERT INTO replicas AS r (name, run_id, program_version, address, started_at, seen_at, "
    "clock_ahead, clock_uncertainty) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
    "ON CONFLICT (name) DO UPDATE SET run_id = excluded.run_id, "
    "program_version = excluded.program_version, address = excluded.address, "
    "started_at = excluded.started_at, seen_at = excluded.seen_at, "
    "clock_ahead = excluded.clock_ahead, clock_uncertainty = excluded.clock_uncertainty "
    "WHERE r.run_id = excluded.run_id OR r.seen_at < $9";

constexpr absl::string_view kColumns =
    "SELECT name, run_id, program_version, address, started_at, seen_at, clock_ahead, "
    "clock_uncertainty FROM replicas ";

// Whose state is not told has columns of NULL: to see them takes pg_monitor.
constexpr absl::string_view kStandbys = R"sql(
SELECT coalesce(application_name, ''), state IS NOT NULL, coalesce(state, ''),
       coalesce(sync_state, ''), (extract(epoch FROM replay_lag) * 1000000)::bigint,
       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint
  FROM pg_stat_replication ORDER BY application_name
)sql";

constexpr absl::string_view kServer = R"sql(
SELECT coalesce(host(inet_server_addr()) || ':' || inet_server_port(), 'socket'),
       current_setting('server_version')
)sql";

ReplicaRecord TakeReplica(Rows& rows) {
  ReplicaRecord replica;
  replica.name = rows.TakeOctets();
  replica.run_id = rows.TakeOctets();
  replica.program_version = rows.TakeOctets();
  replica.address = rows.TakeOctets();
  replica.started_at = postgresql::TakeTimestamp(rows);
  replica.seen_at = postgresql::TakeTimestamp(rows);
  replica.clock_ahead = microseconds(rows.TakeInteger());
  replica.clock_uncertainty = microseconds(rows.TakeInteger());
  return replica;
}

absl::StatusOr<ReplicaRecord> Put(Connection& connection, const ReplicaRecord& own) {
  ASSIGN_OR_RETURN(const Timestamp now, postgresql::DatabaseTime(connection));
  RETURN_IF_ERROR(
      connection
          .Change(kAnnounce,
                  {Text{own.name}, Text{own.run_id}, Text{own.program_version}, Text{own.address},
                   ValueOf(own.started_at), ValueOf(now), std::int64_t{own.clock_ahead.count()},
                   std::int64_t{own.clock_uncertainty.count()},
                   ValueOf(now - ReplicaDirectory::kNameIsKept)})
          .status());
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query(absl::StrCat(kColumns, "WHERE name = $1"), {Text{own.name}}));
  if (rows.Next()) return TakeReplica(rows);
  return Error(ErrorReason::kJournalUnavailable, "",
               "database: this replica is gone from the list of replicas as it was written");
}

absl::StatusOr<std::optional<std::vector<StandbyRecord>>> ReadStandbys(Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kStandbys));
  std::vector<StandbyRecord> standbys;
  while (rows.Next()) {
    StandbyRecord& standby = standbys.emplace_back();
    standby.name = rows.TakeOctets();
    if (!rows.TakeBoolean()) return std::nullopt;
    standby.state = rows.TakeOctets();
    standby.sync_state = rows.TakeOctets();
    const std::optional<std::int64_t> lag = rows.TakeOptionalInteger();
    if (lag.has_value()) standby.lag = microseconds(*lag);
    standby.lag_octets = rows.TakeOptionalInteger();
  }
  return standbys;
}

absl::StatusOr<DatabaseRecord> ReadDatabase(Connection& connection) {
  ASSIGN_OR_RETURN(const postgresql::ServerFacts facts, postgresql::ReadServerFacts(connection));
  DatabaseRecord database;
  database.system_identifier = facts.system_identifier;
  database.timeline = facts.timeline;
  database.synchronous_standby_names = facts.synchronous_standby_names;
  database.now = facts.now;
  ASSIGN_OR_RETURN(Rows server, connection.Query(kServer));
  if (server.Next()) {
    database.address = server.TakeOctets();
    database.version = server.TakeOctets();
  }
  ASSIGN_OR_RETURN(database.standbys, ReadStandbys(connection));
  return database;
}

}  // namespace

absl::StatusOr<Timestamp> Replicas::DatabaseTime() {
  return pool_.Run([](Connection& connection) { return postgresql::DatabaseTime(connection); });
}

absl::StatusOr<ReplicaRecord> Replicas::Announce(const ReplicaRecord& own) {
  return pool_.Write([&](Connection& connection) { return Put(connection, own); });
}

absl::Status Replicas::Withdraw(absl::string_view name, absl::string_view run_id) {
  return pool_.Write([&](Connection& connection) {
    return connection
        .Change("DELETE FROM replicas WHERE name = $1 AND run_id = $2", {Text{name}, Text{run_id}})
        .status();
  });
}

absl::StatusOr<std::vector<ReplicaRecord>> Replicas::List() {
  return pool_.Run([](Connection& connection) -> absl::StatusOr<std::vector<ReplicaRecord>> {
    ASSIGN_OR_RETURN(const Timestamp now, postgresql::DatabaseTime(connection));
    ASSIGN_OR_RETURN(Rows rows,
                     connection.Query(absl::StrCat(kColumns, "WHERE seen_at > $1 ORDER BY name"),
                                      {ValueOf(now - kListed)}));
    std::vector<ReplicaRecord> replicas;
    while (rows.Next()) replicas.push_back(TakeReplica(rows));
    return replicas;
  });
}

absl::StatusOr<DatabaseRecord> Replicas::Describe() { return pool_.Run(ReadDatabase); }

}  // namespace hourglass::issuance
