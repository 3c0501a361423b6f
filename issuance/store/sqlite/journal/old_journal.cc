#include "issuance/store/sqlite/journal/old_journal.h"

#include <memory>
#include <string>
#include <utility>

#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/sqlite/journal/key_run_mending.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/segments/segment_keys.h"
#include "issuance/store/sqlite/segments/segment_records.h"
#include "issuance/store/sqlite/segments/sqlite_selection.h"

namespace hourglass::issuance::sqlite {
namespace {

// Sequence numbers from `first` to `last`.
struct Range {
  std::int64_t first;
  std::int64_t last;
};

absl::StatusOr<Range> NextRange(Connection& main, std::int64_t intents) {
  ASSIGN_OR_RETURN(Rows rows,
                   main.Query("SELECT ifnull(min(sequence), 0), ifnull(max(sequence), -1) FROM "
                              "(SELECT sequence FROM old_intents ORDER BY sequence LIMIT ?)",
                              {intents}));
  RETURN_IF_ERROR(rows.Next().status());
  const std::int64_t first = rows.TakeInteger();
  return Range{first, rows.TakeInteger()};
}

absl::Status CopyRecords(Connection& main, Connection& segment, const Range& range) {
  ASSIGN_OR_RETURN(Rows rows, main.Query("SELECT sequence, " HOURGLASS_INTENT_COLUMNS_OF_OLDER
                                         ", released_at, certificate "
                                         "FROM old_intents LEFT JOIN old_releases USING (sequence) "
                                         "WHERE sequence BETWEEN ? AND ? ORDER BY sequence",
                                         {range.first, range.last}));
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(segment));
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return transaction.Commit();
    const std::int64_t sequence = rows.TakeInteger();
    const Intent intent = TakeIntent(rows);
    RETURN_IF_ERROR(InsertIntent(segment, sequence, intent));
    const std::optional<std::int64_t> released_at = rows.TakeOptionalInteger();
    if (!released_at.has_value()) continue;
    const std::string certificate = rows.TakeOctets();
    RETURN_IF_ERROR(InsertRelease(segment, sequence, certificate, intent.tbs_certificate,
                                  Timestamp(std::chrono::microseconds(*released_at)))
                        .status());
  }
}

absl::Status RemoveRecords(Connection& main, const Range& range) {
  for (const absl::string_view sql : {"DELETE FROM old_releases WHERE sequence BETWEEN ? AND ?",
                                      "DELETE FROM old_intents WHERE sequence BETWEEN ? AND ?"}) {
    RETURN_IF_ERROR(main.Change(sql, {range.first, range.last}).status());
  }
  return absl::OkStatus();
}

absl::Status MoveRange(Connection& main, const JournalFolder& folder, const Range& range) {
  ASSIGN_OR_RETURN(const HashKey key, ReadHashKey(main));
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(main));
  Segment segment;
  segment.number = catalog.segments.empty() ? 1 : catalog.segments.back().number + 1;
  segment.first_sequence = range.first;
  SegmentKeys keys(segment, key);
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<Connection> file, folder.MakeSegment(segment.number));
    RETURN_IF_ERROR(CopyRecords(main, *file, range));
    RETURN_IF_ERROR(keys.CatchUp(*file));
  }
  RETURN_IF_ERROR(folder.IndexSegment(segment.number));
  segment = keys.Summary();
  segment.state = SegmentState::kIndexed;
  RETURN_IF_ERROR(PutSegment(main, segment));
  RETURN_IF_ERROR(AddKeyRunOf(main, folder, key, keys));
  return RemoveRecords(main, range);
}

}  // namespace

absl::Status MoveOldJournal(Connection& main, const JournalFolder& folder, std::int64_t intents) {
  for (;;) {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(main));
    ASSIGN_OR_RETURN(const std::int64_t version, main.QueryInteger("PRAGMA user_version"));
    if (version > static_cast<std::int64_t>(kVersionWithOldJournal)) break;
    ASSIGN_OR_RETURN(const Range range, NextRange(main, intents));
    if (range.last < range.first) break;
    RETURN_IF_ERROR(MoveRange(main, folder, range));
    RETURN_IF_ERROR(transaction.Commit());
  }
  return Migrate(main, Migrations());
}

}  // namespace hourglass::issuance::sqlite
