#include "issuance/store/transfer/sqlite_openers.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/store/sqlite/engine/file_error.h"

namespace hourglass::issuance {
namespace {

// The octet of the index that each connection locks as long as it lives: WALINDEX_LOCK_OFFSET and
// the eight locks behind it (https://www.sqlite.org/walformat.html section 2.3, os_unix.c).
constexpr off_t kLockOfConnections = 128;

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

}  // namespace hourglass::issuance
