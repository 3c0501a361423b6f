// The main file of a SQLite store that is moved: who has it open, and whose it is.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_FILES_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_FILES_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance {

// JOURNAL_UNAVAILABLE with the process (`hourglassd, process 4711`) where another one has the
// database open, of those with a write-ahead log: SQLite locks the index of the log for as long as
// a connection lives. One that belongs to another pid namespace has no number. This process must
// have no connection to it: looking would take away its locks.
absl::Status CheckNobodyHasOpen(const std::string& path);

// Opens a file that nobody else has open, nor can open while the connection lives. Errors: as
// CheckNobodyHasOpen, sqlite::CheckWriteAheadLog and sqlite::Connection.
absl::StatusOr<std::unique_ptr<sqlite::Connection>> OpenAlone(const std::string& path);

// Run by root, gives the store's files to whom the folder belongs. Errors: JOURNAL_UNAVAILABLE.
absl::Status GiveToOwnerOf(const std::string& directory, const std::string& path);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_FILES_H_
