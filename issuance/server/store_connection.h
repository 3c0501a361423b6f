// From the configuration of a database to a connection to it.
#ifndef HOURGLASS_ISSUANCE_SERVER_STORE_CONNECTION_H_
#define HOURGLASS_ISSUANCE_SERVER_STORE_CONNECTION_H_

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

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_STORE_CONNECTION_H_
