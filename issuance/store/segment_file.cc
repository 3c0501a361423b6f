#include "issuance/store/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance::sqlite {
namespace {

constexpr const char* kBesideASegment[] = {"", "-wal", "-shm", "-journal"};

// Column order: what finds a record before what is only read back. A release holds the octets of
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
  tbs_certificate BLOB NOT NULL
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

absl::Status SystemError(absl::string_view what) {
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("database: ", what, ": ", std::generic_category().message(errno)));
}

// Makes names in the folder that were made or taken away durable.
absl::Status Synchronize(const std::string& path) {
  const int folder = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return SystemError("a folder of the journal cannot be opened");
  const int result = fsync(folder);
  const int error = errno;
  close(folder);
  errno = error;
  return result == 0 ? absl::OkStatus() : SystemError("a folder of the journal cannot be written");
}

}  // namespace

absl::StatusOr<JournalFolder> JournalFolder::Open(const std::string& store_path,
                                                  std::chrono::milliseconds busy_timeout) {
  JournalFolder folder(store_path + ".journal", busy_timeout);
  if (mkdir(folder.path_.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError("the journal's folder cannot be made");
  }
  const std::size_t slash = store_path.rfind('/');
  RETURN_IF_ERROR(Synchronize(slash == std::string::npos ? "." : store_path.substr(0, slash + 1)));
  if (chmod(folder.path_.c_str(), 0700) != 0) {
    return SystemError("group and others cannot be kept from the journal's folder");
  }
  return folder;
}

std::string JournalFolder::SegmentPath(std::int64_t number) const {
  return absl::StrFormat("%s/%08d.sqlite", path_, number);
}

std::string JournalFolder::KeyRunPath(std::int64_t number) const {
  return absl::StrFormat("%s/%08d.keys", path_, number);
}

std::string JournalFolder::NewKeyRunPath() const {
  static std::atomic<int> made = 0;
  return absl::StrCat(path_, "/new-", getpid(), "-", ++made, ".keys");
}

absl::StatusOr<std::unique_ptr<Connection>> JournalFolder::MakeSegment(std::int64_t number) const {
  RemoveSegment(number);
  // Without opening it, which would take away SQLite's locks when it is closed.
  if (mknod(SegmentPath(number).c_str(), S_IFREG | S_IRUSR | S_IWUSR, 0) != 0) {
    return SystemError("a segment of the journal cannot be made");
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> segment, OpenSegment(number));
  RETURN_IF_ERROR(UseWriteAheadLog(*segment));
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*segment));
  RETURN_IF_ERROR(segment->Execute(kTables));
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
    RETURN_IF_ERROR(segment->Execute(index));
    pause();
  }
  // What is not written back now is written back when the last connection closes.
  ASSIGN_OR_RETURN(Rows rows, segment->Query("PRAGMA wal_checkpoint(TRUNCATE)"));
  return rows.Next().status();
}

absl::Status JournalFolder::NameKeyRun(const std::string& new_path, std::int64_t number) const {
  if (rename(new_path.c_str(), KeyRunPath(number).c_str()) != 0) {
    return SystemError("a key run cannot be named");
  }
  return Synchronize(path_);
}

void JournalFolder::RemoveSegment(std::int64_t number) const {
  for (const char* suffix : kBesideASegment) unlink((SegmentPath(number) + suffix).c_str());
}

void JournalFolder::RemoveKeyRun(std::int64_t number) const { unlink(KeyRunPath(number).c_str()); }

std::multimap<std::int64_t, std::string> JournalFolder::SegmentsWithRecords() const {
  std::multimap<std::int64_t, std::string> found;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(path_, error)) {
    if (file.path().extension() != ".sqlite") continue;
    const auto segment = Connection::Open(file.path(), busy_timeout_);
    // What was interrupted before it had its tables has no records.
    if (!segment.ok()) continue;
    const auto any = (*segment)->QueryInteger("SELECT EXISTS (SELECT 1 FROM intents)");
    if (!any.ok() || *any == 0) continue;
    std::int64_t number = 0;
    if (!absl::SimpleAtoi(file.path().stem().string(), &number)) number = 0;
    found.emplace(number, file.path().string());
  }
  return found;
}

// What its write-ahead log held is in the file since the connection that looked into it closed.
absl::Status JournalFolder::SetAside(const std::string& segment) const {
  std::string name = segment + ".set-aside";
  for (int i = 2; access(name.c_str(), F_OK) == 0; ++i) {
    name = absl::StrCat(segment, ".set-aside-", i);
  }
  if (access((segment + "-wal").c_str(), F_OK) == 0 || rename(segment.c_str(), name.c_str()) != 0) {
    return SystemError("a segment that the file knows nothing of cannot be set aside");
  }
  return Synchronize(path_);
}

absl::Status JournalFolder::RemoveAllBut(const std::vector<std::int64_t>& segments,
                                         const std::vector<std::int64_t>& key_runs) const {
  std::set<std::string> kept;
  std::int64_t last = 0;
  for (const std::int64_t number : segments) {
    last = std::max(last, number);
    for (const char* suffix : kBesideASegment) kept.insert(SegmentPath(number) + suffix);
  }
  for (const std::int64_t number : key_runs) kept.insert(KeyRunPath(number));
  std::vector<std::string> leftovers;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(path_, error)) {
    const std::string path = file.path().string();
    const bool is_set_aside = absl::StrContains(file.path().filename().string(), ".set-aside");
    if (kept.count(path) == 0 && !is_set_aside) leftovers.push_back(path);
  }
  if (leftovers.empty()) return absl::OkStatus();
  const auto with_records = SegmentsWithRecords();
  for (auto newer = with_records.upper_bound(last); newer != with_records.end(); ++newer) {
    RETURN_IF_ERROR(SetAside(newer->second));
  }
  for (const std::string& path : leftovers) unlink(path.c_str());
  return absl::OkStatus();
}

}  // namespace hourglass::issuance::sqlite
