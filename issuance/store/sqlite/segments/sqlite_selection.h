// The query behind a page of the journal, on one of its segments.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SQLITE_SELECTION_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SQLITE_SELECTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/page_token.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/store.h"

namespace hourglass::issuance::sqlite {

// A statement and its values, which point into what it was made from.
struct Selection {
  std::string sql;
  std::vector<Value> values;
};

// The columns of an intent, in the order in which TakeIntent of segment_records.h takes them; first
// those that an older table has.
#define HOURGLASS_OLDER_INTENT_COLUMNS                                              \
  "tenant_id, epoch, root_id, request_id, serial_number, intended_at, not_before, " \
  "not_after, user_upn, device_id, user_id, caller, request_digest, verdict_id, "   \
  "policy_version, verdict_evaluated_at, intermediate_serial_number, tbs_certificate"

#define HOURGLASS_INTENT_COLUMNS HOURGLASS_OLDER_INTENT_COLUMNS ", identity, token_issuer, token_id"
#define HOURGLASS_INTENT_COLUMNS_OF_OLDER HOURGLASS_OLDER_INTENT_COLUMNS ", '', '', ''"

// What each record of a segment is read from: sequence, the intent, and released_at, tbs_inside,
// before_tbs and after_tbs of its release or NULL. `has_identity`: as HasIdentity says of it.
constexpr absl::string_view SelectRecords(bool has_identity) {
#define HOURGLASS_RELEASE_COLUMNS                     \
  ", released_at, tbs_inside, before_tbs, after_tbs " \
  "FROM intents LEFT JOIN releases USING (sequence) "
  return has_identity
             ? "SELECT sequence, " HOURGLASS_INTENT_COLUMNS HOURGLASS_RELEASE_COLUMNS
             : "SELECT sequence, " HOURGLASS_INTENT_COLUMNS_OF_OLDER HOURGLASS_RELEASE_COLUMNS;
#undef HOURGLASS_RELEASE_COLUMNS
}

// Which rows of a segment are of the user of a filter.
struct UserRows {
  // Whether the segment has its indices.
  bool indexed = false;
  // All spellings of the user in it; empty: the filter has no user, or has a device too, or the
  // segment is not indexed, or there are more than kMaxSpellings: each row is compared.
  absl::Span<const std::string> spellings;
  // Whether it says by whose word: HasIdentity.
  bool has_identity = false;
};

inline constexpr std::size_t kMaxSpellings = 32;

// The first `limit` records after `last`, or of all, newest intent first; with `filter.live_at`
// also those that were not released, since a segment does not have every release; those of
// `filter.serial_number` are not looked for here, and `filter.user_upn` is what ca::FoldedUpn
// makes. In a segment that is indexed each filter finds its records in an index. What callers say
// is bound, never made part of the statement; nor are there more statements than these filters and
// six numbers of spellings make.
Selection SelectJournal(absl::string_view tenant_id, const JournalFilter& filter,
                        const std::optional<JournalPosition>& last, std::int64_t limit,
                        const UserRows& user);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SQLITE_SELECTION_H_
