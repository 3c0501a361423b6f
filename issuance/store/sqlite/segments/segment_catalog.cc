#include "issuance/store/sqlite/segments/segment_catalog.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"

namespace hourglass::issuance::sqlite {
namespace {

// Time for somebody to notice, and to say stop.
constexpr std::chrono::hours kBetweenDroppedAndDeleted(24);

absl::Status Damaged() {
  return Error(ErrorReason::kJournalUnavailable, "",
               "database: the file is damaged: the journal's catalog");
}

absl::string_view NameOf(SegmentState state) {
  switch (state) {
    case SegmentState::kActive:
      return "ACTIVE";
    case SegmentState::kSealed:
      return "SEALED";
    case SegmentState::kIndexed:
      return "INDEXED";
  }
  return "";
}

absl::StatusOr<SegmentState> ParseState(absl::string_view name) {
  for (const SegmentState state :
       {SegmentState::kActive, SegmentState::kSealed, SegmentState::kIndexed}) {
    if (NameOf(state) == name) return state;
  }
  return Damaged();
}

absl::StatusOr<std::vector<Segment>> ReadSegments(Connection& main) {
  ASSIGN_OR_RETURN(Rows rows, main.Query("SELECT number, state, first_sequence, last_sequence, "
                                         "first_intended_at, last_intended_at, last_not_after "
                                         "FROM journal_segments ORDER BY number"));
  std::vector<Segment> segments;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return segments;
    Segment& segment = segments.emplace_back();
    segment.number = rows.TakeInteger();
    ASSIGN_OR_RETURN(segment.state, ParseState(rows.TakeOctets()));
    segment.first_sequence = rows.TakeInteger();
    segment.last_sequence = rows.TakeInteger();
    segment.first_intended_at = TakeTimestamp(rows);
    segment.last_intended_at = TakeTimestamp(rows);
    segment.last_not_after = TakeTime(rows);
  }
}

// An old journal is moved before there is a place for them.
absl::StatusOr<bool> HasChecksums(Connection& main) {
  ASSIGN_OR_RETURN(const std::int64_t version, main.QueryInteger("PRAGMA user_version"));
  return version >= static_cast<std::int64_t>(kVersionWithChecksums);
}

absl::StatusOr<std::vector<KeyRunRow>> ReadRuns(Connection& main) {
  ASSIGN_OR_RETURN(const bool with_checksums, HasChecksums(main));
  ASSIGN_OR_RETURN(
      Rows rows, main.Query(with_checksums ? "SELECT number, first_segment, last_segment, checksum "
                                             "FROM journal_key_runs ORDER BY first_segment"
                                           : "SELECT number, first_segment, last_segment, NULL "
                                             "FROM journal_key_runs ORDER BY first_segment"));
  std::vector<KeyRunRow> runs;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return runs;
    KeyRunRow& run = runs.emplace_back();
    run.number = rows.TakeInteger();
    run.first_segment = rows.TakeInteger();
    run.last_segment = rows.TakeInteger();
    run.checksum = rows.TakeInteger();
  }
}

absl::StatusOr<std::vector<std::int64_t>> ReadNumbers(Connection& main, absl::string_view sql,
                                                      absl::Span<const Value> values) {
  ASSIGN_OR_RETURN(Rows rows, main.Query(sql, values));
  std::vector<std::int64_t> numbers;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return numbers;
    numbers.push_back(rows.TakeInteger());
  }
}

absl::StatusOr<Catalog> ReadTables(Connection& main) {
  Catalog catalog;
  ASSIGN_OR_RETURN(catalog.version, ReadCatalogVersion(main));
  ASSIGN_OR_RETURN(catalog.segments, ReadSegments(main));
  ASSIGN_OR_RETURN(catalog.runs, ReadRuns(main));
  return catalog;
}

}  // namespace

const Segment* Catalog::Find(std::int64_t number) const {
  const auto found = std::find_if(segments.begin(), segments.end(),
                                  [&](const Segment& s) { return s.number == number; });
  return found == segments.end() ? nullptr : &*found;
}

const Segment* Catalog::HolderOf(std::int64_t sequence) const {
  auto after = std::upper_bound(
      segments.begin(), segments.end(), sequence,
      [](std::int64_t value, const Segment& s) { return value < s.first_sequence; });
  if (after == segments.begin()) return nullptr;
  const Segment& segment = *--after;
  const bool ended = segment.state != SegmentState::kActive && segment.last_sequence < sequence;
  return ended ? nullptr : &segment;
}

absl::Status CheckCatalog(const Catalog& catalog) {
  if (catalog.segments.empty()) return Damaged();
  const std::int64_t last_number = catalog.segments.back().number;
  std::int64_t sequence = 0;
  for (const Segment& segment : catalog.segments) {
    const bool active = segment.state == SegmentState::kActive;
    if (active != (segment.number == last_number) || segment.first_sequence <= sequence) {
      return Damaged();
    }
    if (active) continue;
    if (segment.last_sequence < segment.first_sequence) return Damaged();
    sequence = segment.last_sequence;
    // Or its request ids would pass twice.
    const bool in_a_run =
        std::any_of(catalog.runs.begin(), catalog.runs.end(), [&](const KeyRunRow& run) {
          return run.first_segment <= segment.number && segment.number <= run.last_segment;
        });
    if (segment.state == SegmentState::kIndexed && !in_a_run) return Damaged();
  }
  const bool ranges = std::all_of(catalog.runs.begin(), catalog.runs.end(), [&](const auto& run) {
    return 0 < run.first_segment && run.first_segment <= run.last_segment &&
           run.last_segment < last_number;
  });
  return ranges ? absl::OkStatus() : Damaged();
}

absl::StatusOr<HashKey> ReadHashKey(Connection& main) {
  ASSIGN_OR_RETURN(Rows rows, main.Query("SELECT hash_key FROM journal_catalog"));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  const std::string octets = found ? rows.TakeOctets() : "";
  HashKey key;
  if (octets.size() != sizeof(key)) return Damaged();
  std::memcpy(&key, octets.data(), sizeof(key));
  return key;
}

absl::StatusOr<std::int64_t> ReadCatalogVersion(Connection& main) {
  return main.QueryInteger("SELECT version FROM journal_catalog");
}

absl::StatusOr<Catalog> ReadCatalog(Connection& main) {
  if (main.InTransaction()) return ReadTables(main);
  // One snapshot of all three.
  RETURN_IF_ERROR(main.Change("BEGIN", {}).status());
  absl::StatusOr<Catalog> catalog = ReadTables(main);
  RETURN_IF_ERROR(main.Change("COMMIT", {}).status());
  return catalog;
}

absl::StatusOr<std::int64_t> RaiseCatalogVersion(Connection& main) {
  RETURN_IF_ERROR(main.Change("UPDATE journal_catalog SET version = version + 1", {}).status());
  return ReadCatalogVersion(main);
}

absl::Status PutSegment(Connection& main, const Segment& segment) {
  return main
      .Change(
          "INSERT INTO journal_segments VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO "
          "UPDATE SET state = excluded.state, last_sequence = excluded.last_sequence, "
          "first_intended_at = excluded.first_intended_at, "
          "last_intended_at = excluded.last_intended_at, "
          "last_not_after = excluded.last_not_after",
          {segment.number, Text{NameOf(segment.state)}, segment.first_sequence,
           segment.last_sequence, ValueOf(segment.first_intended_at),
           ValueOf(segment.last_intended_at), ValueOf(segment.last_not_after)})
      .status();
}

absl::Status AddKeyRun(Connection& main, const KeyRunRow& run) {
  ASSIGN_OR_RETURN(const bool with_checksums, HasChecksums(main));
  if (!with_checksums) {
    return main
        .Change("INSERT INTO journal_key_runs VALUES (?, ?, ?)",
                {run.number, run.first_segment, run.last_segment})
        .status();
  }
  return main
      .Change("INSERT INTO journal_key_runs VALUES (?, ?, ?, ?)",
              {run.number, run.first_segment, run.last_segment, run.checksum})
      .status();
}

absl::Status RemoveKeyRun(Connection& main, std::int64_t number) {
  return main.Change("DELETE FROM journal_key_runs WHERE number = ?", {number}).status();
}

absl::Status RemoveSegment(Connection& main, const Segment& segment) {
  RETURN_IF_ERROR(main.Change("DELETE FROM late_releases WHERE sequence BETWEEN ? AND ?",
                              {segment.first_sequence, segment.last_sequence})
                      .status());
  RETURN_IF_ERROR(
      main.Change("DELETE FROM journal_segments WHERE number = ?", {segment.number}).status());
  return main.Change("INSERT INTO dropped_segments VALUES (?, NULL)", {segment.number}).status();
}

absl::StatusOr<std::vector<std::int64_t>> ReadDropped(Connection& main) {
  return ReadNumbers(main, "SELECT number FROM dropped_segments ORDER BY number", {});
}

absl::StatusOr<std::vector<std::int64_t>> SeeDropped(Connection& main, Timestamp now) {
  // A time after `now` was a clock's that has come back since.
  RETURN_IF_ERROR(main.Change("UPDATE dropped_segments SET seen_at = ?1 "
                              "WHERE seen_at IS NULL OR seen_at > ?1",
                              {ValueOf(now)})
                      .status());
  return ReadNumbers(main, "SELECT number FROM dropped_segments WHERE seen_at <= ? ORDER BY number",
                     {ValueOf(now - kBetweenDroppedAndDeleted)});
}

absl::Status ForgetDropped(Connection& main, std::int64_t number) {
  return main.Change("DELETE FROM dropped_segments WHERE number = ?", {number}).status();
}

}  // namespace hourglass::issuance::sqlite
