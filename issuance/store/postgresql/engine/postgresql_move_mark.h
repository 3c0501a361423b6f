// The mark of a store in PostgreSQL that is being moved, or was.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_POSTGRESQL_MOVE_MARK_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_POSTGRESQL_MOVE_MARK_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/move_mark.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

// All need the schema. Errors of all: as Connection.

// Nullopt where there is none.
absl::StatusOr<std::optional<MoveMark>> ReadMoveMark(Connection& connection);

// Errors: also JOURNAL_UNAVAILABLE where there is one: nobody may serve the store.
absl::Status CheckNotMarked(Connection& connection);

// Both as the schema's owner. Putting one replaces the one that is there; without one, removing
// changes nothing.
absl::Status PutMoveMark(Connection& owner, const MoveMark& mark);
absl::Status RemoveMoveMark(Connection& owner);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_POSTGRESQL_MOVE_MARK_H_
