// Which server may be trusted with the store: pure decisions, safe to call from several threads.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SERVER_RULES_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SERVER_RULES_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

// What a server says of itself.
struct ServerFacts {
  std::string system_identifier;  // of the cluster: pg_control_system()
  std::uint32_t timeline = 0;     // of the write-ahead log that is being written
  bool is_in_recovery = false;    // a standby
  bool is_read_only = false;      // default_transaction_read_only
  std::string synchronous_standby_names;
  std::string synchronous_commit;
  bool fsync = false;
  bool full_page_writes = false;
  int version = 0;  // server_version_num
  Timestamp now;    // clock_timestamp() when it was asked
  // pg_postmaster_start_time(): another one for each start, also of an older copy of its folder.
  Timestamp started_at;

  bool operator==(const ServerFacts&) const = default;
};

// Reads them. In recovery `timeline` is 0.
absl::StatusOr<ServerFacts> ReadServerFacts(Connection& connection);

// What the configuration asks of servers.
struct ServerDemands {
  // A synchronous standby that is named: without one, what was released is lost with the server.
  bool synchronous_standby = true;
  // Where set, the only cluster that is accepted (pg_controldata, "Database system identifier").
  std::optional<std::string> system_identifier = std::nullopt;
};

// What this process has seen of servers so far.
struct SeenServers {
  std::optional<std::string> system_identifier;  // of the first that was fit
  std::uint32_t timeline = 0;                    // the newest
};

// Whether a server that says this may be used. Errors: JOURNAL_UNAVAILABLE with what is wrong and
// what to do: a standby; read-only; another cluster than before; an older timeline than one that
// was seen; older than PostgreSQL 15; fsync or full_page_writes off; synchronous_commit not on (nor
// remote_apply) for this session; and where a standby is demanded, synchronous_standby_names that
// is empty or names none but with `*`, of which a base backup that is running could be the standby.
absl::Status CheckServer(const ServerFacts& facts, const ServerDemands& demands,
                         const SeenServers& seen);

// Whether the list in synchronous_standby_names names every standby that it may choose: no `*`.
// Read as PostgreSQL's manual has it (19.6.2), also with FIRST and ANY. False where it is empty.
bool NamesStandbys(absl::string_view synchronous_standby_names);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SERVER_RULES_H_
