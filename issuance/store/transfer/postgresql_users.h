// Who uses a database, and whether it may be moved.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_POSTGRESQL_USERS_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_POSTGRESQL_USERS_H_

#include "absl/status/status.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

// JOURNAL_UNAVAILABLE with the names of the programs of Hourglass that are connected, but for
// `hourglass store …`, and of the replicas that were seen within ReplicaDirectory::kNameIsKept.
absl::Status CheckNobodyServes(Connection& owner);

// Whether this role owns the schema. Errors: JOURNAL_UNAVAILABLE with the role that does.
absl::Status CheckIsOwner(Connection& owner);

// The right to move, for as long as the connection lives. Errors: JOURNAL_UNAVAILABLE where another
// one has it.
absl::Status TakeTheMove(Connection& owner);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_POSTGRESQL_USERS_H_
