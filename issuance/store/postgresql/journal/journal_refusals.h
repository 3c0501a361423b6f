// Why writes to the journal were refused.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_REFUSALS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_REFUSALS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

// One status a write: OK where it was written, else the reason, in the order of the contract
// (issuance/store/journal_store.h). Reads, in one round trip after the transaction of the writes,
// what is there by now; what stood in the way and no longer does is PRIMARY_CHANGED, with which the
// request begins anew. Where that cannot be read its error is the status of each refused write.
std::vector<absl::Status> StatusesOf(Connection& connection, absl::Span<const JournalWrite> writes,
                                     const std::vector<bool>& written);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_REFUSALS_H_
