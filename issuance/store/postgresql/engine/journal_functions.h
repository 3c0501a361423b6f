// The functions of the database that make, drop and delete partitions of the journal.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_JOURNAL_FUNCTIONS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_JOURNAL_FUNCTIONS_H_

#include "absl/strings/string_view.h"

namespace hourglass::issuance::postgresql {

// Statements, separated by semicolons, that make them in the schema `hourglass`, which must have
// the tables of kSchemaVersion1. They run with the rights of who makes them, may be called by
// nobody else until that is granted, and replace what is there of the same names. Times are
// microseconds since 1970-01-01 UTC. Lives as long as the process.
//
// make_journal_partition(at, span): there is a partition for what is intended at `at`, of `span`
//   microseconds, an hour at least, or of less between two others. The parent is never locked
//   against appends.
// drop_journal_before(before): of the partitions that end by `before`, and by the minimum retention
//   before the database's clock, takes the oldest in which every certificate has expired by
//   `before` out of the journal, into the schema `hourglass_dropped`. Returns how many it took, 1 or
//   0, or -1 where others used the journal for a tenth of a second on end: whoever reads or appends
//   waits for as long at most. For that is a lock of the whole journal needed, which is held until
//   the commit; DETACH CONCURRENTLY, which needs none, cannot run in a function, which the service
//   needs, whose role may not change tables.
// free_journal_keys(): frees the keys of some of what was dropped: 1024 pages of the oldest.
//   Returns whether it may be called again for more. In portions, since an append of a key that is
//   being freed waits until it is.
// delete_dropped_journal(now): as JournalStore::DeleteDroppedJournal says
//   (issuance/store/journal_store.h), but nothing whose keys are not free, or that was dropped less
//   than the minimum keeping ago by the database's clock. Returns how many partitions.
extern const absl::string_view kJournalFunctions;

// What the service's role must be allowed to execute, with the types of the arguments.
inline constexpr absl::string_view kJournalFunctionsOfService[] = {
    "make_journal_partition(bigint, bigint)",
    "drop_journal_before(bigint)",
    "free_journal_keys()",
    "delete_dropped_journal(bigint)",
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_JOURNAL_FUNCTIONS_H_
