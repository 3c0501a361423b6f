#include "issuance/store/sqlite/sqlite_time_records.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/segments/segment_file.h"

namespace hourglass::issuance {
namespace {

using sqlite::Connection;
using sqlite::Rows;
using sqlite::Text;
using sqlite::ValueOf;

// The first column of the only row; empty where it is NULL.
absl::StatusOr<std::optional<Timestamp>> QueryTime(Connection& connection, absl::string_view sql) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(sql));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  const std::optional<std::int64_t> time = found ? rows.TakeOptionalInteger() : std::nullopt;
  if (!time.has_value()) return std::nullopt;
  return Timestamp(std::chrono::microseconds(*time));
}

absl::StatusOr<std::optional<TimeMark>> ReadMark(Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT newest_at, boot_id, reference, settled, ignored_up_to, "
                                    "acceptances FROM time_mark"));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  TimeMark mark;
  mark.newest_at = sqlite::TakeTimestamp(rows);
  mark.boot_id = rows.TakeOctets();
  mark.reference = std::chrono::microseconds(rows.TakeInteger());
  mark.settled = rows.TakeInteger() != 0;
  mark.ignored_up_to = sqlite::TakeTimestamp(rows);
  mark.acceptances = rows.TakeInteger();
  return mark;
}

class SqliteTimeRecords final : public TimeRecords {
 public:
  SqliteTimeRecords(std::unique_ptr<Connection> main, sqlite::JournalFolder folder)
      : main_(std::move(main)), folder_(std::move(folder)) {}

  absl::StatusOr<std::optional<TimeMark>> GetMark() override {
    const MutexLock lock(mutex_);
    return ReadMark(*main_);
  }

  absl::StatusOr<TimeMark> KeepMark(const TimeMark& mark) override {
    const MutexLock lock(mutex_);
    ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*main_));
    RETURN_IF_ERROR(
        main_
            ->Change(
                "INSERT INTO time_mark VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6) "
                "ON CONFLICT (only_row) DO UPDATE SET "
                "newest_at = CASE acceptances WHEN ?6 THEN max(newest_at, ?1) ELSE ?1 END, "
                "boot_id = ?2, reference = ?3, settled = ?4, ignored_up_to = ?5, "
                "acceptances = ?6 WHERE acceptances <= ?6",
                {ValueOf(mark.newest_at), Text{mark.boot_id}, std::int64_t{mark.reference.count()},
                 std::int64_t{mark.settled ? 1 : 0}, ValueOf(mark.ignored_up_to), mark.acceptances})
            .status());
    ASSIGN_OR_RETURN(const std::optional<TimeMark> kept, ReadMark(*main_));
    RETURN_IF_ERROR(transaction.Commit());
    return kept.value_or(mark);
  }

  absl::StatusOr<std::optional<Timestamp>> NewestIntent() override {
    const MutexLock lock(mutex_);
    ASSIGN_OR_RETURN(const sqlite::Catalog catalog, sqlite::ReadCatalog(*main_));
    std::optional<Timestamp> newest;
    for (const sqlite::Segment& segment : catalog.segments) {
      std::optional<Timestamp> last = segment.last_intended_at;
      if (segment.state == sqlite::SegmentState::kActive) {
        ASSIGN_OR_RETURN(const std::unique_ptr<Connection> file,
                         folder_.OpenSegment(segment.number));
        // They are dated in the order of their numbers, but for those of one moment.
        ASSIGN_OR_RETURN(last, QueryTime(*file,
                                         "SELECT max(intended_at) FROM (SELECT intended_at FROM "
                                         "intents ORDER BY sequence DESC LIMIT 256)"));
      }
      if (last.has_value()) newest = std::max(newest.value_or(*last), *last);
    }
    return newest;
  }

  absl::StatusOr<std::optional<Timestamp>> NewestReport() override {
    const MutexLock lock(mutex_);
    return QueryTime(*main_, "SELECT max(reported_at) FROM devices");
  }

 private:
  Mutex mutex_;
  const std::unique_ptr<Connection> main_ ABSL_PT_GUARDED_BY(mutex_);
  const sqlite::JournalFolder folder_;
};

absl::StatusOr<std::unique_ptr<TimeRecords>> Open(const std::string& path,
                                                  std::chrono::milliseconds busy_timeout) {
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> main, Connection::Open(path, busy_timeout));
  RETURN_IF_ERROR(main->Execute("PRAGMA synchronous = FULL"));
  ASSIGN_OR_RETURN(sqlite::JournalFolder folder, sqlite::JournalFolder::Open(path, busy_timeout));
  return std::unique_ptr<TimeRecords>(
      std::make_unique<SqliteTimeRecords>(std::move(main), std::move(folder)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TimeRecords>> OpenSqliteTimeRecords(
    absl::string_view path, std::chrono::milliseconds busy_timeout) {
  auto records = Open(std::string(path), busy_timeout);
  if (records.ok()) return records;
  return Error(ReasonOf(records.status()), "",
               absl::StrCat(path, ": ", records.status().message()));
}

}  // namespace hourglass::issuance
