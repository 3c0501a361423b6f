#include "issuance/store/sqlite/engine/file_error.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {
namespace {

// The number where the account has no name.
std::string NameOf(uid_t user) {
  std::array<char, 4096> buffer;
  passwd entry;
  passwd* found = nullptr;
  if (getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return absl::StrCat("user ", user);
}

std::string Say(const std::string& path, int error_number) {
  return absl::StrCat(path, ": ", std::generic_category().message(error_number),
                      WhoOwns(path, error_number));
}

// By the effective user, as opening it.
bool MayUse(const std::string& path, int rights) {
  return faccessat(AT_FDCWD, path.c_str(), rights, AT_EACCESS) == 0;
}

}  // namespace

std::string WhoOwns(const std::string& path, int error_number) {
  if (error_number != EACCES && error_number != EPERM) return "";
  std::filesystem::path looked_at = std::filesystem::path(path).is_relative() ? "./" + path : path;
  struct stat file;
  std::string which = "owned by ";
  while (stat(looked_at.c_str(), &file) != 0) {
    const std::filesystem::path above = looked_at.parent_path();
    if (above.empty() || above == looked_at) return "";
    looked_at = above;
    which = absl::StrCat(looked_at.string(), " is owned by ");
  }
  return absl::StrFormat(" (%s%s, mode %04o; this process runs as %s)", which, NameOf(file.st_uid),
                         file.st_mode & 07777U, NameOf(geteuid()));
}

absl::Status FileError(absl::string_view what, const std::string& path, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  return Error(
      ErrorReason::kJournalUnavailable, "",
      absl::StrCat("database: ", what, " ", path, ": ", full ? "the disk is full: " : "",
                   std::generic_category().message(error_number), WhoOwns(path, error_number)));
}

std::string WhyUnusable(const std::string& path, int error_number) {
  if (!MayUse(path, R_OK | W_OK)) return Say(path, errno);
  for (const char* beside : {"-wal", "-shm", "-journal"}) {
    if (!MayUse(path + beside, R_OK | W_OK) && errno != ENOENT) return Say(path + beside, errno);
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (!folder.empty() && !MayUse(folder, W_OK | X_OK)) return Say(folder, errno);
  return error_number == 0 ? path : Say(path, error_number);
}

}  // namespace hourglass::issuance
