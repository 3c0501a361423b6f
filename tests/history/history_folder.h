// A history as files: `clients/*.jsonl`, a log for each client process
// (tests/history/client_log.h), and `journal.jsonl`, what the database that survived says
// (tests/history/journal_file.h).
#ifndef HOURGLASS_TESTS_HISTORY_HISTORY_FOLDER_H_
#define HOURGLASS_TESTS_HISTORY_HISTORY_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tests/history/history.h"

namespace hourglass::history {

inline constexpr char kClientsFolder[] = "clients";
inline constexpr char kLogSuffix[] = ".jsonl";
inline constexpr char kJournalFile[] = "journal.jsonl";

// Replaces `FOLDER/journal.jsonl`. Errors: FIELD_INVALID with the file as field where it cannot be
// written.
absl::Status WriteJournal(const std::string& folder, absl::Span<const TenantHistory> tenants);

// Logs in the order of their names. Errors: FIELD_INVALID with the file as field where one cannot
// be read, there is no log, two logs are of one client, or they are of different starts of the
// machine, whose times cannot be compared; and those of ReadClientLog and ReadTenants.
absl::StatusOr<History> ReadHistory(const std::string& folder);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_HISTORY_FOLDER_H_
