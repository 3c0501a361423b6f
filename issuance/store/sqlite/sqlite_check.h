// Looks at every octet of a store's files.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SQLITE_CHECK_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SQLITE_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// What is wrong with the store at `path`, a line each with the very file; nothing where it is
// sound: what OpenSqliteStore looks at, SQLite's integrity_check and foreign_key_check of each
// file, that each segment has the records that the catalog says, and that each record is found by
// its request id and serial number, where its key run is there. Some seconds a segment, for a store
// that no process has open. Changes nothing but what SQLite does when it opens a file after a
// crash. Errors: JOURNAL_UNAVAILABLE where that cannot be told: no file, of another version, a log
// that is not the file's.
absl::StatusOr<std::vector<std::string>> CheckSqliteStore(absl::string_view path);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SQLITE_CHECK_H_
