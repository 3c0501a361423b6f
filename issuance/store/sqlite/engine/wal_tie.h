// Whether the write-ahead log beside a database was written for it.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_WAL_TIE_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_WAL_TIE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance::sqlite {

// SQL that makes the row, in a Transaction, which renews it: zeros say that there was none before.
inline constexpr absl::string_view kMakeTie = R"sql(
CREATE TABLE wal_tie (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  previous BLOB NOT NULL,
  id BLOB NOT NULL
) STRICT;
INSERT INTO wal_tie VALUES (1, zeroblob(16), zeroblob(16));
)sql";

// To be called before SQLite reads the database at `path`, which would replay whatever log lies
// beside it. OK where there is none, or SQLite would replay nothing of it, or its first transaction
// follows the database's last, or the database has a part of it already. A database of before there
// was a row goes with a log of before. Other processes may write meanwhile. Errors:
// JOURNAL_UNAVAILABLE, with both files and the remedy, where the log is of another history, or
// damaged at its head, so that SQLite would forget all it holds.
absl::Status CheckWriteAheadLog(const std::string& path);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_WAL_TIE_H_
