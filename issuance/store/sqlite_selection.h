// The query behind a page of the journal.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SELECTION_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SELECTION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/sqlite.h"
#include "issuance/store/store.h"

namespace hourglass::issuance::sqlite {

// A statement and its values, which point into what it was made from.
struct Selection {
  std::string sql;
  std::vector<Value> values;
};

// The columns of intents, in the order of their table after `sequence`.
#define HOURGLASS_INTENT_COLUMNS                                                             \
  "tenant_id, epoch, root_id, request_id, request_digest, caller, user_id, user_upn, "       \
  "device_id, verdict_id, policy_version, verdict_evaluated_at, serial_number, not_before, " \
  "not_after, tbs_certificate, intended_at, intermediate_serial_number"

// What each record is read from: sequence, the intent, and certificate and released_at of its
// release or NULL. `hint` is `INDEXED BY` an index of intents, or nothing.
#define HOURGLASS_SELECT_RECORDS(hint)                                                         \
  "SELECT sequence, " HOURGLASS_INTENT_COLUMNS ", certificate, released_at FROM intents " hint \
  " LEFT JOIN releases USING (sequence) "

// The first `limit` records of a page, newest intent first; each filter finds its records in an
// index. What callers say is bound, never made part of the statement. Errors: FIELD_INVALID with
// field `page_token`.
absl::StatusOr<Selection> SelectJournal(absl::string_view tenant_id, const JournalFilter& filter,
                                        absl::string_view page_token, std::int64_t limit);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SELECTION_H_
