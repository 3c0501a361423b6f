// How the journal is read, as issuance/store/journal_store.h describes it.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_QUERY_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_QUERY_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

// Each is one statement, and reads by indices alone.
absl::StatusOr<JournalRecord> FindByRequestId(Connection& connection, absl::string_view tenant_id,
                                              absl::string_view request_id);
absl::StatusOr<JournalRecord> FindBySerialNumber(Connection& connection,
                                                 absl::string_view tenant_id,
                                                 absl::string_view serial_number);
absl::StatusOr<Page<JournalRecord>> ListJournal(Connection& connection, absl::string_view tenant_id,
                                                const JournalFilter& filter, int page_size,
                                                absl::string_view page_token);

// As TimeRecords has it (issuance/store/time_records.h); misses none. Looks at each tenant's newest
// in the newest partition that has any.
absl::StatusOr<std::optional<Timestamp>> NewestIntent(Connection& connection);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_QUERY_H_
