// The query behind a page of the journal, on one of its segments.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SELECTION_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SELECTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "issuance/store/page_token.h"
#include "issuance/store/sqlite.h"
#include "issuance/store/store.h"

namespace hourglass::issuance::sqlite {

// A statement and its values, which point into what it was made from.
struct Selection {
  std::string sql;
  std::vector<Value> values;
};

// The columns of an intent, in the order in which TakeIntent of segment_records.h takes them.
#define HOURGLASS_INTENT_COLUMNS                                                    \
  "tenant_id, epoch, root_id, request_id, serial_number, intended_at, not_before, " \
  "not_after, user_upn, device_id, user_id, caller, request_digest, verdict_id, "   \
  "policy_version, verdict_evaluated_at, intermediate_serial_number, tbs_certificate"

// What each record is read from: sequence, the intent, and released_at, tbs_inside, before_tbs and
// after_tbs of its release or NULL.
#define HOURGLASS_SELECT_RECORDS                      \
  "SELECT sequence, " HOURGLASS_INTENT_COLUMNS        \
  ", released_at, tbs_inside, before_tbs, after_tbs " \
  "FROM intents LEFT JOIN releases USING (sequence) "

// The first `limit` records after `last`, or of all, newest intent first; those of
// `filter.serial_number` are not looked for here. In a segment that is indexed each filter finds
// its records in an index. What callers say is bound, never made part of the statement.
Selection SelectJournal(absl::string_view tenant_id, const JournalFilter& filter,
                        const std::optional<JournalPosition>& last, std::int64_t limit,
                        bool indexed);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SELECTION_H_
