#include "tests/support/as_account.h"

#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass {
namespace {

constexpr std::size_t kMostOctets = 8192;
constexpr int kNoAccount = 2, kNotWritten = 3;

[[noreturn]] void SayInto(int end, uid_t user, const std::function<std::string()>& say) {
  // The groups first: who is root no more cannot leave them.
  if (IsRoot() && (setgroups(0, nullptr) != 0 || setgid(user) != 0 || setuid(user) != 0)) {
    _exit(kNoAccount);
  }
  const std::string said = say();
  _exit(write(end, said.data(), said.size()) < 0 ? kNotWritten : 0);
}

}  // namespace

bool IsRoot() { return geteuid() == 0; }

std::string SaidBy(uid_t user, const std::function<std::string()>& say) {
  std::array<int, 2> ends;
  if (pipe(ends.data()) != 0) return "as_account: no pipe";
  const pid_t child = fork();
  if (child == 0) SayInto(ends[1], user, say);
  close(ends[1]);
  std::string said(kMostOctets, '\0');
  const ssize_t size = child < 0 ? -1 : read(ends[0], said.data(), said.size());
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || size < 0) {
    return "as_account: no process";
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return WIFEXITED(status) && WEXITSTATUS(status) == kNoAccount
               ? "as_account: it cannot be another account"
               : "as_account: the process failed";
  }
  said.resize(static_cast<std::size_t>(size));
  return said;
}

bool CanLookAt(uid_t user, const std::string& path) {
  return SaidBy(user, [&]() -> std::string {
           struct stat file;
           return stat(path.c_str(), &file) == 0 ? "yes" : "no";
         }) == "yes";
}

bool UseTmp() { return setenv("TEST_TMPDIR", "/tmp", 1) == 0; }

absl::Status GiveToNobody(const std::string& path) {
  if (!IsRoot() || chown(path.c_str(), kNobody, kNobody) == 0) return absl::OkStatus();
  return Error(ErrorReason::kInternalError, "", absl::StrCat(path, " cannot be given to nobody"));
}

absl::StatusOr<std::string> WriteForNobody(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out || chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0) {
    return Error(ErrorReason::kInternalError, "", absl::StrCat(path, " cannot be written"));
  }
  RETURN_IF_ERROR(GiveToNobody(path));
  return path;
}

}  // namespace hourglass
