// The parts of the journal, each of a span of time: made ahead, forgotten and deleted whole. By the
// functions of the database that issuance/store/postgresql/engine/journal_functions.h describes.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_PARTITIONS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_PARTITIONS_H_

#include <chrono>

#include "absl/status/status.h"
#include "issuance/base/clock.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

// Each step of these is a transaction of its own: no transaction may be open. Several processes may
// call them at once.

// Sees to it that there is one for what is intended at `at`. `span`: an hour at least.
absl::Status MakePartition(Connection& connection, Timestamp at, std::chrono::hours span);

// The one of `now` and the next one, so that no append has to make it.
absl::Status MakePartitionsAhead(Connection& connection, Timestamp now, std::chrono::hours span);

// As JournalStore has it: whole partitions, and none that ends less than the minimum retention of
// the database before its own clock. Records are not found any more at once; their request ids and
// serial numbers become free by and by until it returns, or by a later call where it fails. Errors:
// also JOURNAL_UNAVAILABLE where readers never left the journal alone for a moment; what was
// forgotten until then is.
absl::Status DropJournalBefore(Connection& connection, Timestamp before);

// As JournalStore has it; and nothing that was forgotten less than the minimum keeping ago by the
// database's clock.
absl::Status DeleteDroppedJournal(Connection& connection, Timestamp now);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_PARTITIONS_H_
