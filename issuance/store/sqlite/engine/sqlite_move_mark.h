// The mark of a SQLite store that is being moved, or was.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_MOVE_MARK_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_MOVE_MARK_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/move_mark.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance::sqlite {

// The mark is a table, and another application id in the file's header: programs that know nothing
// of marks take the file for another program's, and open it as little as others do. Without a mark
// nothing is left of it. Errors of all: as Connection.

// Nullopt where there is none.
absl::StatusOr<std::optional<MoveMark>> ReadMoveMark(Connection& main);

// Both need a Transaction of the caller's, of which they change the schema. Putting one replaces
// the one that is there; without one, removing changes nothing.
absl::Status PutMoveMark(Connection& main, const MoveMark& mark);
absl::Status RemoveMoveMark(Connection& main);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_MOVE_MARK_H_
