#include "issuance/store/sqlite/sqlite_check.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "issuance/store/sqlite/engine/wal_tie.h"
#include "issuance/store/sqlite/segments/key_run_catalog.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/segments/segment_file.h"
#include "issuance/store/sqlite/segments/segment_keys.h"

namespace hourglass::issuance {
namespace {

using sqlite::Catalog;
using sqlite::Connection;
using sqlite::KeyRunRow;
using sqlite::Segment;
using sqlite::SegmentState;

constexpr std::chrono::seconds kWaitForLocks(5);

struct OpenedRun {
  KeyRunRow row;
  std::shared_ptr<const KeyRun> run;
};

class StoreCheck {
 public:
  StoreCheck(Connection* main, sqlite::JournalFolder folder, const HashKey& key, Catalog catalog)
      : main_(*main), folder_(std::move(folder)), key_(key), catalog_(std::move(catalog)) {}

  std::vector<std::string> Run(const std::string& path) {
    Note(Integrity(main_, path));
    Note(sqlite::CheckCatalog(catalog_));
    for (const KeyRunRow& row : catalog_.runs) CheckRun(row);
    for (const Segment& segment : catalog_.segments) Note(CheckSegment(segment));
    return std::move(findings_);
  }

 private:
  void Note(const absl::Status& status) {
    if (!status.ok()) findings_.emplace_back(status.message());
  }

  absl::Status Integrity(Connection& file, const std::string& path) {
    ASSIGN_OR_RETURN(sqlite::Rows rows, file.Query("PRAGMA integrity_check(10)"));
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) break;
      const std::string line = rows.TakeOctets();
      if (line != "ok") findings_.push_back(absl::StrCat("database: ", path, ": ", line));
    }
    ASSIGN_OR_RETURN(sqlite::Rows orphans, file.Query("PRAGMA foreign_key_check"));
    ASSIGN_OR_RETURN(const bool any, orphans.Next());
    if (any) {
      findings_.push_back(absl::StrCat("database: ", path, ": a row of ", orphans.TakeOctets(),
                                       " is of something that is not there"));
    }
    return absl::OkStatus();
  }

  // One that is missing, as in a backup, is no loss: the next start makes it.
  void CheckRun(const KeyRunRow& row) {
    if (!std::filesystem::exists(folder_.KeyRunPath(row.number))) return;
    auto run = sqlite::OpenKeyRun(folder_, key_, catalog_, row);
    const absl::Status status = run.ok() ? (*run)->CheckPages() : run.status();
    if (status.ok()) {
      runs_.push_back({row, *std::move(run)});
    } else {
      findings_.push_back(
          absl::StrCat(status.message(),
                       "; remove the file while the service is stopped, and the next "
                       "start makes it again"));
    }
  }

  absl::Status CheckSegment(const Segment& segment) {
    const std::string path = folder_.SegmentPath(segment.number);
    RETURN_IF_ERROR(sqlite::CheckWriteAheadLog(path));
    ASSIGN_OR_RETURN(const std::unique_ptr<Connection> file, folder_.OpenSegment(segment.number));
    RETURN_IF_ERROR(Integrity(*file, path));
    sqlite::SegmentKeys keys(segment, key_);
    RETURN_IF_ERROR(keys.CatchUp(*file));
    if (segment.state == SegmentState::kActive) return absl::OkStatus();
    RETURN_IF_ERROR(keys.CheckWhole(segment));
    ASSIGN_OR_RETURN(const std::int64_t first,
                     file->QueryInteger("SELECT ifnull(min(sequence), 0) FROM intents"));
    if (first != segment.first_sequence) {
      findings_.push_back(absl::StrCat("database: ", path, ": the first records are missing"));
    }
    return segment.state == SegmentState::kIndexed ? FindAll(segment, keys, path)
                                                   : absl::OkStatus();
  }

  absl::Status FindAll(const Segment& segment, const sqlite::SegmentKeys& keys,
                       const std::string& path) {
    const auto holder = std::find_if(runs_.begin(), runs_.end(), [&](const OpenedRun& run) {
      return run.row.first_segment <= segment.number && segment.number <= run.row.last_segment;
    });
    // Said already, or to be made.
    if (holder == runs_.end()) return absl::OkStatus();
    for (const KeyEntry& entry : keys.SortedEntries()) {
      Candidates candidates;
      RETURN_IF_ERROR(holder->run->Find(entry.hash, candidates));
      if (std::find(candidates.begin(), candidates.end(), entry.sequence) != candidates.end()) {
        continue;
      }
      return Error(ErrorReason::kJournalUnavailable, "",
                   absl::StrCat("database: ", path, ": record ", entry.sequence, " is not in ",
                                folder_.KeyRunPath(holder->row.number)));
    }
    return absl::OkStatus();
  }

  Connection& main_;
  const sqlite::JournalFolder folder_;
  const HashKey key_;
  const Catalog catalog_;
  std::vector<OpenedRun> runs_;
  std::vector<std::string> findings_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> CheckSqliteStore(absl::string_view path) {
  const std::string file(path);
  RETURN_IF_ERROR(sqlite::CheckWriteAheadLog(file));
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> main, Connection::Open(file, kWaitForLocks));
  RETURN_IF_ERROR(sqlite::CheckSchema(*main, sqlite::Migrations()));
  ASSIGN_OR_RETURN(const std::int64_t version, main->QueryInteger("PRAGMA user_version"));
  if (version != static_cast<std::int64_t>(sqlite::Migrations().size())) {
    return Error(ErrorReason::kJournalUnavailable, "",
                 absl::StrCat("database: ", file, " is of schema version ", version,
                              "; start the service once, which brings it up to date"));
  }
  ASSIGN_OR_RETURN(const HashKey key, sqlite::ReadHashKey(*main));
  ASSIGN_OR_RETURN(Catalog catalog, sqlite::ReadCatalog(*main));
  ASSIGN_OR_RETURN(sqlite::JournalFolder folder, sqlite::JournalFolder::Open(file, kWaitForLocks));
  return StoreCheck(main.get(), std::move(folder), key, std::move(catalog)).Run(file);
}

}  // namespace hourglass::issuance
