// From the configuration of a database to a connection to it.
#ifndef HOURGLASS_ISSUANCE_SERVER_STORE_CONNECTION_H_
#define HOURGLASS_ISSUANCE_SERVER_STORE_CONNECTION_H_

#include <chrono>
#include <optional>

#include "absl/status/statusor.h"
#include "issuance/config/store_config.h"
#include "issuance/store/postgresql/engine/connection_parameters.h"
#include "issuance/store/postgresql/engine/server_rules.h"

namespace hourglass::issuance {

// What the service connects with: reads the password's file. `application_name` is `hourglass` and
// the replica's name. Errors: CONFIGURATION_INVALID, as ReadPasswordFile. Safe to call from several
// threads.
absl::StatusOr<postgresql::ConnectionParameters> ConnectionOf(const PostgresqlConfig& config);

// What it asks of a server.
postgresql::ServerDemands DemandsOf(const PostgresqlConfig& config);

// The time that one partition of the journal is of, where records are kept for `retention`: a
// sixteenth of that in whole days, 1 to 30; 30 where they are kept for ever. A partition is dropped
// whole, so that records stay as much longer at most; and each costs every question of the journal
// that names no time.
std::chrono::hours PartitionSpanFor(std::optional<std::chrono::seconds> retention);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_STORE_CONNECTION_H_
