#include "issuance/store/transfer/sqlite_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/file_error.h"
#include "issuance/store/sqlite/engine/wal_tie.h"

namespace hourglass::issuance {
namespace {

// The octet of the index that each connection locks as long as it lives: WALINDEX_LOCK_OFFSET and
// the eight locks behind it (https://www.sqlite.org/walformat.html section 2.3, os_unix.c).
constexpr off_t kLockOfConnections = 128;

constexpr std::chrono::seconds kWaitForLocks(1);

std::string NameOfProcess(pid_t pid) {
  if (pid <= 0) return "a process of another container";
  std::string name;
  std::ifstream file(absl::StrCat("/proc/", pid, "/comm"));
  std::getline(file, name);
  return name.empty() ? absl::StrCat("process ", pid) : absl::StrCat(name, ", process ", pid);
}

}  // namespace

absl::Status CheckNobodyHasOpen(const std::string& path) {
  const std::string index = path + "-shm";
  const int file = open(index.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) {
    return errno == ENOENT ? absl::OkStatus() : FileError("cannot open", index, errno);
  }
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kLockOfConnections;
  lock.l_len = 1;
  const int result = fcntl(file, F_GETLK, &lock);
  const int error = errno;
  close(file);
  if (result != 0) return FileError("cannot look at the locks of", index, error);
  if (lock.l_type == F_UNLCK) return absl::OkStatus();
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("database: ", path, " is in use by ", NameOfProcess(lock.l_pid),
                            ": stop it first"));
}

absl::StatusOr<std::unique_ptr<sqlite::Connection>> OpenAlone(const std::string& path) {
  RETURN_IF_ERROR(CheckNobodyHasOpen(path));
  RETURN_IF_ERROR(sqlite::CheckWriteAheadLog(path));
  ASSIGN_OR_RETURN(std::unique_ptr<sqlite::Connection> main,
                   sqlite::Connection::Open(path, kWaitForLocks));
  RETURN_IF_ERROR(main->Execute(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"));
  ASSIGN_OR_RETURN(const sqlite::Transaction lock, sqlite::Transaction::Begin(*main));
  return main;
}

absl::Status GiveToOwnerOf(const std::string& directory, const std::string& path) {
  struct stat folder;
  if (stat(directory.c_str(), &folder) != 0) {
    return FileError("cannot look at", directory, errno);
  }
  if (geteuid() != 0 || folder.st_uid == 0) return absl::OkStatus();
  std::vector<std::string> files = {path, path + "-wal", path + "-shm", path + ".journal"};
  std::error_code error;
  for (std::filesystem::directory_iterator file(path + ".journal", error), end;
       !error && file != end; file.increment(error)) {
    files.push_back(file->path().string());
  }
  if (error) return FileError("cannot read", path + ".journal", error.value());
  for (const std::string& file : files) {
    if (lchown(file.c_str(), folder.st_uid, folder.st_gid) != 0 && errno != ENOENT) {
      return FileError("cannot give to its folder's owner:", file, errno);
    }
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
