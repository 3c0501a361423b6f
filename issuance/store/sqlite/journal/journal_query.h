// How the journal is read, as issuance/store/journal_store.h describes it.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_JOURNAL_QUERY_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_JOURNAL_QUERY_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/segments/journal_files.h"
#include "issuance/store/store.h"

namespace hourglass::issuance::sqlite {

// `main` is a connection to the main file, outside of any transaction.
absl::StatusOr<JournalRecord> FindByRequestId(Connection& main, JournalFiles& files,
                                              absl::string_view tenant_id,
                                              absl::string_view request_id);
absl::StatusOr<JournalRecord> FindBySerialNumber(Connection& main, JournalFiles& files,
                                                 absl::string_view tenant_id,
                                                 absl::string_view serial_number);
absl::StatusOr<Page<JournalRecord>> ListJournal(Connection& main, JournalFiles& files,
                                                absl::string_view tenant_id,
                                                const JournalFilter& filter, int page_size,
                                                absl::string_view page_token);

// Raises `last_leaf_not_after` of roots that were read after `view` to what the view knows, so that
// it holds every intent before the view.
void RaiseLastLeaves(const JournalView& view, absl::Span<RootRecord> roots);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_JOURNAL_QUERY_H_
