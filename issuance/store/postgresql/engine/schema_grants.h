// What the service's role may do in the schema.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_GRANTS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_GRANTS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

// Gives `service_role`, which is there, what the table in the source file says, of what the schema
// has, and takes from it and from PUBLIC all else, in the transaction that is open. Errors: as
// Connection.
absl::Status GrantToService(Connection& owner, absl::string_view service_role);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_GRANTS_H_
