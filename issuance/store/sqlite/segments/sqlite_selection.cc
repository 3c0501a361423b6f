#include "issuance/store/sqlite/segments/sqlite_selection.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::sqlite {
namespace {

// Names the index that leaves the fewest rows to look at. Left to itself SQLite, which knows no
// more of the values than that they differ, would now and then rather walk all of a tenant's
// intents in the order of time than sort the few it finds.
absl::string_view IndexFor(const JournalFilter& filter) {
  if (!filter.device_id.empty()) return "INDEXED BY intents_by_device ";
  if (!filter.user_upn.empty()) return "INDEXED BY intents_by_user ";
  return "INDEXED BY intents_by_time ";
}

void Narrow(Selection& selection, absl::string_view condition, const Value& value) {
  absl::StrAppend(&selection.sql, " AND ", condition);
  selection.values.push_back(value);
}

// One statement serves all numbers of spellings up to a power of two: the last is said again.
void NarrowToUser(Selection& selection, const JournalFilter& filter, const UserRows& user) {
  const absl::Span<const std::string> spellings = user.spellings;
  if (spellings.empty()) {
    return Narrow(selection, "folded_upn(user_upn) = ?", Text{filter.user_upn});
  }
  Narrow(selection, "user_upn IN (?", Text{spellings[0]});
  std::size_t places = 1;
  while (places < spellings.size()) places *= 2;
  for (std::size_t i = 1; i < places; ++i) {
    selection.sql += ", ?";
    selection.values.push_back(Text{spellings[std::min(i, spellings.size() - 1)]});
  }
  selection.sql += ")";
}

}  // namespace

Selection SelectJournal(absl::string_view tenant_id, const JournalFilter& filter,
                        const std::optional<JournalPosition>& last, std::int64_t limit,
                        const UserRows& user) {
  Selection selection;
  // The page is found by narrow columns first, so that only its own records are read whole.
  selection.sql = absl::StrCat(SelectRecords(user.has_identity),
                               "WHERE sequence IN (SELECT sequence FROM intents ",
                               user.indexed ? IndexFor(filter) : "", "WHERE tenant_id = ?");
  selection.values.push_back(Text{tenant_id});
  if (!filter.user_upn.empty()) NarrowToUser(selection, filter, user);
  if (!filter.device_id.empty()) Narrow(selection, "device_id = ?", Text{filter.device_id});
  if (filter.intended_from.has_value()) {
    Narrow(selection, "intended_at >= ?", ValueOf(*filter.intended_from));
  }
  if (filter.intended_before.has_value()) {
    Narrow(selection, "intended_at < ?", ValueOf(*filter.intended_before));
  }
  if (filter.live_at.has_value()) {
    Narrow(selection, "not_after >= ?", ValueOf(EarliestLiveEnd(*filter.live_at)));
  }
  if (last.has_value()) {
    Narrow(selection, "(intended_at, sequence) < (?, ?)", ValueOf(last->intended_at));
    selection.values.push_back(last->sequence);
  }
  selection.sql +=
      " ORDER BY intended_at DESC, sequence DESC LIMIT ?) "
      "ORDER BY intended_at DESC, sequence DESC";
  selection.values.push_back(limit);
  return selection;
}

}  // namespace hourglass::issuance::sqlite
