// The journal of schema version 3 and before, which was tables of the main file.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_OLD_JOURNAL_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_OLD_JOURNAL_H_

#include <cstdint>

#include "absl/status/status.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/key_index/key_hash.h"
#include "issuance/store/sqlite/segments/segment_file.h"

namespace hourglass::issuance::sqlite {

// Moves all records of a file at kVersionWithOldJournal to segments of `intents` each, indexed, and
// brings the file to the newest version. A record leaves the main file in the transaction that
// enters its segment into the catalog: an interrupted move is taken up where it was. Several
// processes may do so at once. Errors: JOURNAL_UNAVAILABLE.
absl::Status MoveOldJournal(Connection& main, const JournalFolder& folder, std::int64_t intents);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_OLD_JOURNAL_H_
