#include "hsm/keyholder/process/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::hsm {
namespace {

constexpr size_t kLargestRecord = 65536;
constexpr int kMostGroups = 1024;

absl::Status Failed(absl::string_view call) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat(call, ": ", strerror(errno)));
}

}  // namespace

absl::StatusOr<Account> FindAccount(const std::string& name) {
  std::string texts(kLargestRecord, '\0');
  passwd record = {};
  passwd* found = nullptr;
  const int code = getpwnam_r(name.c_str(), &record, texts.data(), texts.size(), &found);
  if (code != 0) {
    return Error(ErrorReason::kConfigurationInvalid, "",
                 absl::StrCat("cannot be looked up: ", strerror(code)));
  }
  if (found == nullptr) {
    return Error(ErrorReason::kConfigurationInvalid, "", "is no account of this machine");
  }
  Account account{name, record.pw_uid, record.pw_gid, std::vector<gid_t>(kMostGroups),
                  record.pw_dir};
  int count = kMostGroups;
  if (getgrouplist(name.c_str(), record.pw_gid, account.groups.data(), &count) < 0) {
    return Error(ErrorReason::kConfigurationInvalid, "", "is in too many groups");
  }
  account.groups.resize(static_cast<size_t>(count));
  return account;
}

absl::Status BecomeAccount(const Account& account) {
  if (setgroups(account.groups.size(), account.groups.data()) != 0) return Failed("setgroups");
  if (setresgid(account.group, account.group, account.group) != 0) return Failed("setresgid");
  if (setresuid(account.user, account.user, account.user) != 0) return Failed("setresuid");
  if (account.user != 0 && setuid(0) == 0) {
    return Error(ErrorReason::kInternalError, "", "root could be had back");
  }
  return absl::OkStatus();
}

// The saved ids stay root's, so that the effective ones can go back; a program that is started gets
// the effective ids as its saved ones (execve(2)).
AsAccount::AsAccount(const Account* account) : account_(account) {
  if (account_ == nullptr) return;
  if (setgroups(account_->groups.size(), account_->groups.data()) != 0 ||
      setresgid(account_->group, account_->group, 0) != 0 ||
      setresuid(account_->user, account_->user, 0) != 0) {
    error_ = errno;
  }
}

AsAccount::~AsAccount() {
  if (account_ == nullptr) return;
  // Whoever cannot must not go on as somebody in between.
  if (setresuid(0, 0, 0) != 0 || setresgid(0, 0, 0) != 0 || setgroups(0, nullptr) != 0) abort();
}

}  // namespace hourglass::hsm
