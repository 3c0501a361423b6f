// A store in PostgreSQL, for several machines.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_POSTGRESQL_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_POSTGRESQL_STORE_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/postgresql/engine/connection_parameters.h"
#include "issuance/store/postgresql/engine/connection_pool.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

struct PostgresqlStoreOptions {
  postgresql::ConnectionParameters connection;
  postgresql::ServerDemands demands;
  postgresql::PoolSizes pool;
  // The time that one partition of the journal is of.
  std::chrono::hours partition_span{24 * 30};
  // Called by a thread of the store's own, or by one that writes: where the listener for changes by
  // others, or the upkeep of partitions, fails, and again only when it fails in another way; with
  // OK when all of it works again. Requests go on meanwhile. Must not use the store.
  std::function<void(const absl::Status&)> upkeep_observer = nullptr;
  // Called when a server on a new timeline was found fit: a standby was promoted. `message` is for
  // people. Must not use the store.
  std::function<void(const std::string& message)> timeline_observer = nullptr;
};

// Opens the store in a database whose schema `hourglass store prepare` has made. The threads of the
// store's own listen for changes through other processes, and keep partitions ahead of the time.
//
// A server on a new timeline, or that was started again, is used only once it is found to have what
// this object was last told is durable: the newest releases of certificates and intermediates, and
// the newest moves of roots. Where one is missing, the database has forgotten what it acknowledged
// (its standby was not synchronous, or a server was restored from an older copy), and this object
// refuses everything from then on, with JOURNAL_UNAVAILABLE and the serial number. Releases that
// retention may have dropped by then are not looked for.
//
// Errors: JOURNAL_UNAVAILABLE, as postgresql::ConnectionPool, postgresql::CheckSchema and
// postgresql::CheckNotMarked. The latter two look at each new connection too: a process that was
// cut off while the tables were upgraded or moved away does not go on. The object goes once a round
// trip that is under way has ended.
absl::StatusOr<std::unique_ptr<Store>> OpenPostgresqlStore(const PostgresqlStoreOptions& options);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_POSTGRESQL_STORE_H_
