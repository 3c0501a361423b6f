// Databases that go out of the journal: moved whole, or deleted where they were proved empty.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_MOVED_FILES_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_MOVED_FILES_H_

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance::sqlite {

// Errors of all: JOURNAL_UNAVAILABLE, with the very file. `path` names a database that need not be
// one, or be there; what SQLite puts beside it goes where it goes. Links are not followed.

// Whether there is a file of exactly this name. What cannot be looked at is there.
bool IsThere(const std::string& path);
// Whether there is one of these names.
bool AnyOf(const std::string& path);
// Whether it is certain that a segment has no record, and never had: its file is empty, or SQLite
// reads it without an error, and it has no more than its tables' first pages. Nothing that fails
// proves anything, nor does a file with a write-ahead log or rollback journal of its own.
bool IsProvedEmpty(const std::string& path, std::chrono::milliseconds busy_timeout);
// Whether there is no database `to`, and nothing that would be in the way of Move. What only lies
// beside `to` and is in nobody's way may be of an interrupted Move.
bool IsFreeFor(const std::string& path, const std::string& to);
// Renames it to `path` with `ending` behind it and, where that is taken, a number; returns the new
// name. The folder is not synchronised. After an interruption it goes on under the same name.
absl::StatusOr<std::string> MoveAway(const std::string& path, absl::string_view ending);
// Whether something is already there under the name that MoveAway would give, as an interrupted one
// leaves it: a log, without which the database may look empty.
bool IsMovedAwayByHalf(const std::string& path, absl::string_view ending);
// Renames each file of it that is there, one after the other: where one fails, those before it have
// the new name. Fails where a file of that name is there, and replaces none; but on a file system
// that cannot rename so (RENAME_NOREPLACE), whoever calls must have looked.
absl::Status Move(const std::string& path, const std::string& to);
// Nothing where it is not there.
absl::Status Delete(const std::string& path);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_MOVED_FILES_H_
