#include "issuance/store/transfer/sqlite_journal_portions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/sqlite/journal/segment_roll.h"
#include "issuance/store/sqlite/segments/segment_records.h"
#include "issuance/store/sqlite/segments/sqlite_selection.h"

namespace hourglass::issuance {
namespace {

using sqlite::Connection;
using sqlite::NumberedRecord;
using sqlite::Segment;
using sqlite::SegmentState;

template <typename Time>
std::int64_t NumberOf(Time time) {
  return std::int64_t{time.time_since_epoch().count()};
}

std::int64_t Integer(const Row& row, std::size_t column) {
  return std::get<std::int64_t>(row[column]);
}

const std::string& Octets(const Row& row, std::size_t column) {
  return std::get<std::string>(row[column]);
}

Row RowOf(NumberedRecord numbered) {
  Intent& intent = numbered.record.intent;
  Row row = {numbered.sequence,
             std::move(intent.tenant_id),
             static_cast<std::int64_t>(intent.epoch),
             std::move(intent.root_id),
             std::move(intent.request_id),
             std::move(intent.request_digest),
             std::move(intent.caller),
             std::move(intent.user_id),
             std::move(intent.user_upn),
             std::move(intent.device_id),
             std::move(intent.verdict_id),
             std::move(intent.policy_version),
             NumberOf(intent.verdict_evaluated_at),
             std::move(intent.serial_number),
             NumberOf(intent.not_before),
             NumberOf(intent.not_after),
             std::move(intent.tbs_certificate),
             std::move(intent.intermediate_serial_number),
             NumberOf(intent.intended_at),
             Cell(),
             Cell(),
             std::move(intent.identity),
             std::move(intent.token_issuer),
             std::move(intent.token_id)};
  if (numbered.record.released_at.has_value()) {
    row[kJournalCertificate] = std::move(numbered.record.certificate);
    row[kJournalReleasedAt] = NumberOf(*numbered.record.released_at);
  }
  return row;
}

Timestamp TimestampOf(const Row& row, std::size_t column) {
  return Timestamp(std::chrono::microseconds(Integer(row, column)));
}

ca::Time TimeOf(const Row& row, std::size_t column) {
  return ca::Time(std::chrono::seconds(Integer(row, column)));
}

Intent IntentOf(const Row& row) {
  Intent intent;
  intent.tenant_id = Octets(row, 1);
  intent.epoch = static_cast<std::uint64_t>(Integer(row, 2));
  intent.root_id = Octets(row, 3);
  intent.request_id = Octets(row, 4);
  intent.request_digest = Octets(row, 5);
  intent.caller = Octets(row, 6);
  intent.user_id = Octets(row, 7);
  intent.user_upn = Octets(row, kJournalUser);
  intent.device_id = Octets(row, 9);
  intent.verdict_id = Octets(row, 10);
  intent.policy_version = Octets(row, 11);
  intent.verdict_evaluated_at = TimestampOf(row, 12);
  intent.serial_number = Octets(row, 13);
  intent.not_before = TimeOf(row, 14);
  intent.not_after = TimeOf(row, 15);
  intent.tbs_certificate = Octets(row, 16);
  intent.intermediate_serial_number = Octets(row, 17);
  intent.intended_at = TimestampOf(row, kJournalIntendedAt);
  intent.identity = Octets(row, 21);
  intent.token_issuer = Octets(row, 22);
  intent.token_id = Octets(row, 23);
  return intent;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteJournalPortions>> SqliteJournalPortions::Open(
    Connection* main, const std::string& path, const SqliteStoreOptions& options) {
  ASSIGN_OR_RETURN(sqlite::JournalFolder folder,
                   sqlite::JournalFolder::Open(path, options.busy_timeout));
  ASSIGN_OR_RETURN(const HashKey key, sqlite::ReadHashKey(*main));
  std::unique_ptr<SqliteJournalPortions> journal(
      new SqliteJournalPortions(main, std::move(folder), key, options));
  RETURN_IF_ERROR(journal->Load());
  return journal;
}

absl::Status SqliteJournalPortions::Load() {
  ASSIGN_OR_RETURN(catalog_, sqlite::ReadCatalog(main_));
  RETURN_IF_ERROR(sqlite::CheckCatalog(catalog_));
  const Segment& active = catalog_.segments.back();
  active_.emplace(active, key_);
  ASSIGN_OR_RETURN(Connection* const file, FileOf(active.number));
  RETURN_IF_ERROR(active_->CatchUp(*file));
  ASSIGN_OR_RETURN(intents_in_active_, file->QueryInteger("SELECT count(*) FROM intents"));
  return absl::OkStatus();
}

absl::StatusOr<Connection*> SqliteJournalPortions::FileOf(std::int64_t segment) {
  if (file_ == nullptr || open_segment_ != segment) {
    ASSIGN_OR_RETURN(file_, folder_.OpenSegment(segment));
    open_segment_ = segment;
  }
  return file_.get();
}

absl::StatusOr<std::vector<Row>> SqliteJournalPortions::Read(std::int64_t after,
                                                             std::size_t limit) {
  std::vector<Row> rows;
  for (const Segment& segment : catalog_.segments) {
    if (segment.state != SegmentState::kActive && segment.last_sequence <= after) continue;
    ASSIGN_OR_RETURN(Connection* const file, FileOf(segment.number));
    ASSIGN_OR_RETURN(const bool has_identity, sqlite::HasIdentity(*file));
    ASSIGN_OR_RETURN(
        std::vector<NumberedRecord> records,
        sqlite::ReadRecords(*file, {absl::StrCat(sqlite::SelectRecords(has_identity),
                                                 "WHERE sequence > ? ORDER BY sequence LIMIT ?"),
                                    {after, static_cast<std::int64_t>(limit - rows.size())}}));
    for (NumberedRecord& record : records) rows.push_back(RowOf(std::move(record)));
    if (rows.size() == limit) break;
  }
  RETURN_IF_ERROR(AddLateReleases(rows));
  return rows;
}

// Of intents in segments that were sealed before the release came.
absl::Status SqliteJournalPortions::AddLateReleases(std::vector<Row>& rows) {
  if (rows.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(sqlite::Rows late,
                   main_.Query("SELECT sequence, certificate, released_at FROM late_releases "
                               "WHERE sequence BETWEEN ? AND ? ORDER BY sequence",
                               {Integer(rows.front(), kJournalSequence),
                                Integer(rows.back(), kJournalSequence)}));
  auto row = rows.begin();
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, late.Next());
    if (!more) return absl::OkStatus();
    const std::int64_t sequence = late.TakeInteger();
    row = std::find_if(row, rows.end(),
                       [&](const Row& one) { return Integer(one, kJournalSequence) >= sequence; });
    if (row == rows.end()) return absl::OkStatus();
    const bool is_its = Integer(*row, kJournalSequence) == sequence &&
                        std::holds_alternative<std::monostate>((*row)[kJournalReleasedAt]);
    if (!is_its) continue;
    (*row)[kJournalCertificate] = late.TakeOctets();
    (*row)[kJournalReleasedAt] = late.TakeInteger();
  }
}

std::size_t SqliteJournalPortions::RoomFor(absl::Span<const Row> rows) const {
  std::int64_t intents = intents_in_active_;
  const Timestamp first = intents == 0 ? TimestampOf(rows.front(), kJournalIntendedAt)
                                       : active_->Summary().first_intended_at;
  std::size_t room = 0;
  for (const Row& row : rows) {
    const bool is_full = intents >= options_.segment_intents ||
                         TimestampOf(row, kJournalIntendedAt) - first > options_.segment_span;
    if (intents > 0 && is_full) break;
    ++room;
    ++intents;
  }
  return room;
}

absl::Status SqliteJournalPortions::StartSegmentAt(std::int64_t sequence) {
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(main_));
  if (intents_in_active_ > 0) {
    RETURN_IF_ERROR(sqlite::StartNextSegmentAt(main_, folder_, *active_, sequence));
  } else {
    // An empty one begins where the first record says.
    RETURN_IF_ERROR(main_
                        .Change("UPDATE journal_segments SET first_sequence = ? WHERE number = ?",
                                {sequence, catalog_.segments.back().number})
                        .status());
    RETURN_IF_ERROR(sqlite::RaiseCatalogVersion(main_).status());
  }
  RETURN_IF_ERROR(transaction.Commit());
  return Load();
}

absl::Status SqliteJournalPortions::WriteToActive(absl::Span<const Row> rows) {
  ASSIGN_OR_RETURN(Connection* const file, FileOf(catalog_.segments.back().number));
  RETURN_IF_ERROR(sqlite::AddIdentityColumns(*file));
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*file));
  for (const Row& row : rows) {
    const std::int64_t sequence = Integer(row, kJournalSequence);
    const Intent intent = IntentOf(row);
    RETURN_IF_ERROR(sqlite::InsertIntent(*file, sequence, intent));
    if (std::holds_alternative<std::monostate>(row[kJournalReleasedAt])) continue;
    RETURN_IF_ERROR(sqlite::InsertRelease(*file, sequence, Octets(row, kJournalCertificate),
                                          intent.tbs_certificate,
                                          TimestampOf(row, kJournalReleasedAt))
                        .status());
  }
  RETURN_IF_ERROR(transaction.Commit());
  intents_in_active_ += static_cast<std::int64_t>(rows.size());
  return active_->CatchUp(*file);
}

absl::Status SqliteJournalPortions::Write(absl::Span<const Row> rows) {
  while (!rows.empty()) {
    const std::int64_t sequence = Integer(rows.front(), kJournalSequence);
    std::size_t room = RoomFor(rows);
    const bool begins_wrong =
        intents_in_active_ == 0 && active_->Summary().first_sequence != sequence;
    if (room == 0 || begins_wrong) {
      RETURN_IF_ERROR(StartSegmentAt(sequence));
      room = RoomFor(rows);
    }
    RETURN_IF_ERROR(WriteToActive(rows.first(room)));
    rows.remove_prefix(room);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::int64_t>> SqliteJournalPortions::Last() {
  if (intents_in_active_ > 0) return active_->last_sequence();
  if (catalog_.segments.size() == 1) return std::nullopt;
  return catalog_.segments[catalog_.segments.size() - 2].last_sequence;
}

bool SqliteJournalPortions::IsEmpty() const {
  return catalog_.segments.size() == 1 && intents_in_active_ == 0;
}

sqlite::LastLeaves SqliteJournalPortions::LastLeaves() const { return active_->AllLastLeaves(); }

}  // namespace hourglass::issuance
