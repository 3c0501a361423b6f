#include "issuance/store/sqlite_selection.h"

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/page_token.h"
#include "issuance/store/sqlite_values.h"

namespace hourglass::issuance::sqlite {
namespace {

// Names the index that leaves the fewest rows to look at. Left to itself SQLite, which knows no
// more of the values than that they differ, would now and then rather walk all of a tenant's
// intents in the order of time than sort the few it finds.
absl::string_view RecordsFor(const JournalFilter& filter) {
  if (!filter.serial_number.empty()) {
    return HOURGLASS_SELECT_RECORDS("INDEXED BY intents_by_serial_number");
  }
  if (!filter.device_id.empty()) return HOURGLASS_SELECT_RECORDS("INDEXED BY intents_by_device");
  if (!filter.user_upn.empty()) return HOURGLASS_SELECT_RECORDS("INDEXED BY intents_by_user");
  return HOURGLASS_SELECT_RECORDS("INDEXED BY intents_by_time");
}

void Narrow(Selection& selection, absl::string_view condition, const Value& value) {
  absl::StrAppend(&selection.sql, " AND ", condition);
  selection.values.push_back(value);
}

}  // namespace

absl::StatusOr<Selection> SelectJournal(absl::string_view tenant_id, const JournalFilter& filter,
                                        absl::string_view page_token, std::int64_t limit) {
  Selection selection;
  selection.sql = std::string(RecordsFor(filter));
  selection.sql += "WHERE tenant_id = ?";
  selection.values.push_back(Text{tenant_id});
  if (!filter.user_upn.empty()) Narrow(selection, "user_upn = ?", Text{filter.user_upn});
  if (!filter.device_id.empty()) Narrow(selection, "device_id = ?", Text{filter.device_id});
  if (!filter.serial_number.empty()) {
    Narrow(selection, "serial_number = ?", Blob{filter.serial_number});
  }
  if (filter.intended_from.has_value()) {
    Narrow(selection, "intended_at >= ?", ValueOf(*filter.intended_from));
  }
  if (filter.intended_before.has_value()) {
    Narrow(selection, "intended_at < ?", ValueOf(*filter.intended_before));
  }
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(const JournalPosition last, ParseJournalPosition(page_token));
    Narrow(selection, "(intended_at, sequence) < (?, ?)", ValueOf(last.intended_at));
    selection.values.push_back(last.sequence);
  }
  selection.sql += " ORDER BY intended_at DESC, sequence DESC LIMIT ?";
  selection.values.push_back(limit);
  return selection;
}

}  // namespace hourglass::issuance::sqlite
