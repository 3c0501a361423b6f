// Which processes have a SQLite file open.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_OPENERS_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_OPENERS_H_

#include <string>

#include "absl/status/status.h"

namespace hourglass::issuance {

// JOURNAL_UNAVAILABLE with the process (`hourglassd, process 4711`) where another one has the
// database open, of those with a write-ahead log: SQLite locks the index of the log for as long as
// a connection lives. One that belongs to another pid namespace has no number. This process must
// have no connection to it: looking would take away its locks.
absl::Status CheckNobodyHasOpen(const std::string& path);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_OPENERS_H_
