// The functions of the database that make, drop and delete partitions of the journal.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_JOURNAL_FUNCTIONS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_JOURNAL_FUNCTIONS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hourglass::issuance::postgresql {

// Of version 1, after kSchemaVersion1: statements, separated by semicolons, that make them in the
// schema `hourglass`. They run with the rights of its owner, since the service's role may not make
// or drop a table. Times are microseconds since 1970-01-01 UTC. Lives as long as the process.
//
// make_journal_partition(at, span): there is a partition for what is intended at `at`, of `span`
//   microseconds, an hour at least, or of less between two others. The parent is never locked
//   against appends.
// drop_journal_before(before): of the partitions that end by `before`, and by the minimum retention
//   before the database's clock, takes the oldest in which every certificate has expired by
//   `before` out of the journal, into the schema `hourglass_dropped`. Returns how many it took, 1
//   or 0, or -1 where others used the journal for a tenth of a second on end: whoever reads or
//   appends waits for as long at most. The lock is needed to detach a partition, and held until the
//   commit; DETACH CONCURRENTLY, which needs none, cannot run in a function.
// free_journal_keys(): frees the keys of some of what was dropped: 1024 pages of the oldest.
//   Returns whether it may be called again for more. In portions, since an append of a key that is
//   being freed waits until it is.
// delete_dropped_journal(now): as JournalStore::DeleteDroppedJournal says
//   (issuance/store/journal_store.h), but nothing whose keys are not free, or that was dropped less
//   than the minimum keeping ago by the database's clock. Returns how many partitions.
extern const absl::string_view kJournalFunctions;

// The names of those that the service's role may run (EXECUTE). No two functions have one name.
// Lives as long as the process.
absl::Span<const absl::string_view> JournalFunctionsOfService();

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_JOURNAL_FUNCTIONS_H_
