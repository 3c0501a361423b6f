#include "issuance/store/sqlite/segments/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/file_error.h"
#include "issuance/store/sqlite/engine/journal_file_names.h"
#include "issuance/store/sqlite/engine/moved_files.h"
#include "issuance/store/sqlite/engine/wal_tie.h"

namespace hourglass::issuance::sqlite {
namespace {

// Column order: what finds a record before what is only read back; the last three as
// AddIdentityColumns adds them to older segments. A release holds the octets of
// the certificate around the TBSCertificate, which the intent has; or all, where `tbs_inside` is 0.
constexpr char kTables[] = R"sql(
CREATE TABLE intents (
  sequence INTEGER PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  root_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  serial_number BLOB NOT NULL,
  intended_at INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  user_upn TEXT NOT NULL,
  device_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  caller TEXT NOT NULL,
  request_digest BLOB NOT NULL,
  verdict_id TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  verdict_evaluated_at INTEGER NOT NULL,
  intermediate_serial_number BLOB NOT NULL,
  tbs_certificate BLOB NOT NULL,
  identity TEXT NOT NULL DEFAULT '',
  token_issuer TEXT NOT NULL DEFAULT '',
  token_id TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE releases (
  sequence INTEGER PRIMARY KEY,
  released_at INTEGER NOT NULL,
  tbs_inside INTEGER NOT NULL,
  before_tbs BLOB NOT NULL,
  after_tbs BLOB NOT NULL
) STRICT;
)sql";

// HasIndices looks for the last one.
constexpr const char* kIndices[] = {
    "CREATE INDEX IF NOT EXISTS intents_by_time ON intents (tenant_id, intended_at, sequence)",
    "CREATE INDEX IF NOT EXISTS intents_by_user "
    "ON intents (tenant_id, user_upn, intended_at, sequence)",
    "CREATE INDEX IF NOT EXISTS intents_by_device "
    "ON intents (tenant_id, device_id, intended_at, sequence)",
};

// Makes names in the folder that were made or taken away durable.
absl::Status Synchronize(const std::string& path) {
  const int folder = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return FileError("cannot open", path, errno);
  const int result = fsync(folder);
  const int error = errno;
  close(folder);
  return result == 0 ? absl::OkStatus() : FileError("cannot write", path, error);
}

// Every name in the folder, with its path; nothing is known unless all are.
absl::StatusOr<std::vector<std::pair<JournalFileName, std::string>>> FilesIn(
    const std::string& path) {
  std::vector<std::pair<JournalFileName, std::string>> files;
  std::error_code error;
  std::filesystem::directory_iterator file(path, error);
  for (; !error && file != std::filesystem::directory_iterator(); file.increment(error)) {
    files.emplace_back(ParseJournalFileName(file->path().filename().string()),
                       file->path().string());
  }
  if (error) return FileError("cannot read", path, error.value());
  return files;
}

bool Has(const std::vector<std::int64_t>& numbers, std::int64_t number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

}  // namespace

absl::StatusOr<JournalFolder> JournalFolder::Open(const std::string& store_path,
                                                  std::chrono::milliseconds busy_timeout,
                                                  SetAsideObserver observer) {
  JournalFolder folder(store_path + ".journal", busy_timeout, std::move(observer));
  if (mkdir(folder.path_.c_str(), 0700) != 0 && errno != EEXIST) {
    return FileError("cannot make the folder", folder.path_, errno);
  }
  const std::size_t slash = store_path.rfind('/');
  RETURN_IF_ERROR(Synchronize(slash == std::string::npos ? "." : store_path.substr(0, slash + 1)));
  if (chmod(folder.path_.c_str(), 0700) != 0) {
    return FileError("cannot keep group and others from", folder.path_, errno);
  }
  return folder;
}

std::string JournalFolder::SegmentPath(std::int64_t number) const {
  return absl::StrCat(path_, "/", SegmentName(number));
}

std::string JournalFolder::KeyRunPath(std::int64_t number) const {
  return absl::StrCat(path_, "/", KeyRunName(number));
}

std::string JournalFolder::NewKeyRunPath() const {
  static std::atomic<int> made = 0;
  return absl::StrCat(path_, "/new-", getpid(), "-", ++made, ".keys");
}

absl::StatusOr<std::unique_ptr<Connection>> JournalFolder::MakeSegment(std::int64_t number) const {
  RETURN_IF_ERROR(ClearAway(number));
  // Without opening it, which would take away SQLite's locks when it is closed.
  if (mknod(SegmentPath(number).c_str(), S_IFREG | S_IRUSR | S_IWUSR, 0) != 0) {
    return FileError("cannot make", SegmentPath(number), errno);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> segment, OpenSegment(number));
  RETURN_IF_ERROR(UseWriteAheadLog(*segment));
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*segment));
  RETURN_IF_ERROR(segment->Execute(kTables));
  RETURN_IF_ERROR(segment->Execute(std::string(kMakeTie)));
  RETURN_IF_ERROR(transaction.Commit());
  RETURN_IF_ERROR(Synchronize(path_));
  return segment;
}

absl::StatusOr<std::unique_ptr<Connection>> JournalFolder::OpenSegment(std::int64_t number) const {
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> segment,
                   Connection::Open(SegmentPath(number), busy_timeout_));
  // FULL: a commit is on the disk when it returns (promise 3).
  RETURN_IF_ERROR(segment->Execute("PRAGMA synchronous = FULL"));
  return segment;
}

absl::Status JournalFolder::IndexSegment(std::int64_t number,
                                         const std::function<void()>& pause) const {
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> segment, OpenSegment(number));
  segment->PauseWithin(pause);
  // Each in a transaction of its own: to write all three out at once would hold up the flushes of
  // the journal's active segment.
  for (const char* const index : kIndices) {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*segment));
    transaction.ChangesTheSchema();
    RETURN_IF_ERROR(segment->Execute(index));
    RETURN_IF_ERROR(transaction.Commit());
    pause();
  }
  // What is not written back now is written back when the last connection closes.
  ASSIGN_OR_RETURN(Rows rows, segment->Query("PRAGMA wal_checkpoint(TRUNCATE)"));
  return rows.Next().status();
}

absl::Status JournalFolder::NameKeyRun(const std::string& new_path, std::int64_t number) const {
  if (rename(new_path.c_str(), KeyRunPath(number).c_str()) != 0) {
    return FileError("a key run cannot be named", KeyRunPath(number), errno);
  }
  return Synchronize(path_);
}

void JournalFolder::RemoveKeyRun(std::int64_t number) const { unlink(KeyRunPath(number).c_str()); }

absl::Status JournalFolder::DropSegment(std::int64_t number) const {
  const std::string path = SegmentPath(number), dropped = absl::StrCat(path, kDropped);
  if (!IsThere(path)) return absl::OkStatus();
  // Of another history of this store, were it a log alone: it is not ours to delete a day later. A
  // log that is in nobody's way may be this segment's, of an interrupted try.
  if (!IsFreeFor(path, dropped)) RETURN_IF_ERROR(MoveAway(dropped, kSetAside).status());
  RETURN_IF_ERROR(Move(path, dropped));
  return Synchronize(path_);
}

absl::Status JournalFolder::DeleteDropped(std::int64_t number) const {
  RETURN_IF_ERROR(DropSegment(number));
  RETURN_IF_ERROR(Delete(absl::StrCat(SegmentPath(number), kDropped)));
  RETURN_IF_ERROR(Delete(SegmentPath(number)));
  return Synchronize(path_);
}

absl::StatusOr<std::string> JournalFolder::AnySegment() const {
  ASSIGN_OR_RETURN(const auto files, FilesIn(path_));
  for (const auto& [name, path] : files) {
    if (name.kind != JournalFileKind::kSegment) continue;
    if (!IsProvedEmpty(SegmentPath(name.number), busy_timeout_)) return path;
  }
  return "";
}

absl::Status JournalFolder::Reunite(std::int64_t segment) const {
  const std::string path = SegmentPath(segment), dropped = absl::StrCat(path, kDropped);
  const bool has_database = IsThere(path), has_log = IsThere(path + "-wal");
  // Of two databases or two logs, one is of another history.
  if (has_database == has_log || has_database == IsThere(dropped) ||
      has_log == IsThere(dropped + "-wal")) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(Move(dropped, path));
  return Synchronize(path_);
}

absl::Status JournalFolder::ClearAway(std::int64_t segment) const {
  const std::string path = SegmentPath(segment), dropped = absl::StrCat(path, kDropped);
  // A database whose records are all in the log that was moved away from it looks empty.
  RETURN_IF_ERROR(Reunite(segment));
  // Or it would be taken for the log of the segment that is made here next.
  if (!IsThere(dropped) && AnyOf(dropped)) RETURN_IF_ERROR(MoveAway(dropped, kSetAside).status());
  if (!AnyOf(path)) return absl::OkStatus();
  if (!IsMovedAwayByHalf(path, kSetAside) && IsProvedEmpty(path, busy_timeout_)) {
    RETURN_IF_ERROR(Delete(path));
    return Synchronize(path_);
  }
  ASSIGN_OR_RETURN(const std::string moved, MoveAway(path, kSetAside));
  if (observer_) observer_(moved);
  return Synchronize(path_);
}

absl::Status JournalFolder::TakeBack(std::int64_t segment) const {
  const std::string path = SegmentPath(segment), dropped = absl::StrCat(path, kDropped);
  RETURN_IF_ERROR(Reunite(segment));
  // Of two databases, one is of another history.
  if (IsThere(path) || !IsThere(dropped)) return absl::OkStatus();
  RETURN_IF_ERROR(Move(dropped, path));
  return Synchronize(path_);
}

absl::Status JournalFolder::Settle(const KnownFiles& known) const {
  ASSIGN_OR_RETURN(const auto files, FilesIn(path_));
  for (const auto& [name, path] : files) {
    if (name.kind == JournalFileKind::kSegment && Has(known.dropped_segments, name.number)) {
      RETURN_IF_ERROR(DropSegment(name.number));
    } else if (name.kind == JournalFileKind::kSegment && !Has(known.segments, name.number)) {
      RETURN_IF_ERROR(ClearAway(name.number));
    } else if (name.kind == JournalFileKind::kNewKeyRun ||
               (name.kind == JournalFileKind::kKeyRun && !Has(known.key_runs, name.number))) {
      unlink(path.c_str());
    }
  }
  for (const std::int64_t segment : known.segments) {
    RETURN_IF_ERROR(TakeBack(segment));
    RETURN_IF_ERROR(CheckWriteAheadLog(SegmentPath(segment)));
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance::sqlite
