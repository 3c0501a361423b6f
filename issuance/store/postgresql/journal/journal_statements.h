// The text of the statements that read the journal.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_STATEMENTS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_STATEMENTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/page_token.h"
#include "issuance/store/postgresql/engine/rows.h"

namespace hourglass::issuance::postgresql {

// Both take the tenant and the key, and give the columns of SelectJournal.
extern const absl::string_view kSelectByRequestId;
extern const absl::string_view kSelectBySerialNumber;
extern const absl::string_view kSelectNewestIntent;

// A statement whose text this has.
struct Selection {
  std::string sql;
  std::vector<Value> values;
};

// At most `limit` records after `after`, newest first. The user of the filter is folded already.
// Like page after like page has the same text, so that it is prepared once. What `filter` and
// `tenant_id` refer to must outlive the result.
Selection SelectJournal(absl::string_view tenant_id, const JournalFilter& filter,
                        const std::optional<JournalPosition>& after, int limit);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_STATEMENTS_H_
