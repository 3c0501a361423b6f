// The statements about intents and releases, as issuance/store/store.h describes them.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/records.h"
#include "issuance/store/sqlite.h"
#include "issuance/store/store.h"

namespace hourglass::issuance::sqlite {

// Needs a transaction of the caller's, who rolls it back where the outer status is an error.
absl::StatusOr<std::vector<absl::Status>> AppendToJournal(Connection& connection,
                                                          absl::Span<const JournalWrite> writes);

absl::StatusOr<JournalRecord> FindByRequestId(Connection& connection, absl::string_view tenant_id,
                                              absl::string_view request_id);
absl::StatusOr<JournalRecord> FindBySerialNumber(Connection& connection,
                                                 absl::string_view tenant_id,
                                                 absl::string_view serial_number);
absl::StatusOr<Page<JournalRecord>> ListJournal(Connection& connection, absl::string_view tenant_id,
                                                const JournalFilter& filter, int page_size,
                                                absl::string_view page_token);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_H_
