// What the service may do to partitions of the journal: functions in the database that run as its
// owner, since the service's role may not make or drop a table.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_JOURNAL_FUNCTIONS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_JOURNAL_FUNCTIONS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hourglass::issuance::postgresql {

// Of version 1, after kSchemaVersion1. Lives as long as the process.
extern const absl::string_view kJournalFunctions;

// The names of those that the service's role may run (EXECUTE). No two functions have one name.
// Lives as long as the process.
absl::Span<const absl::string_view> JournalFunctionsOfService();

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_JOURNAL_FUNCTIONS_H_
