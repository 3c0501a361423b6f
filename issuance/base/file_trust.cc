#include "issuance/base/file_trust.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hourglass::issuance {
namespace {

// As path_resolution(7).
constexpr int kMostLinks = 40;

// In getpwuid_r and getgrgid_r: entries of the directory, with all members.
constexpr std::size_t kEntrySize = 64UL * 1024;

std::string UserName(uid_t uid) {
  passwd entry = {};
  passwd* found = nullptr;
  std::string text(kEntrySize, '\0');
  getpwuid_r(uid, &entry, text.data(), text.size(), &found);
  return found != nullptr ? entry.pw_name : absl::StrCat("user ", uid);
}

// Whether only `owner` is in the group, by which Debian's umask of 002 is harmless.
bool IsOwnersOwnGroup(uid_t owner, gid_t gid) {
  group entry = {};
  group* found = nullptr;
  std::string text(kEntrySize, '\0');
  getgrgid_r(gid, &entry, text.data(), text.size(), &found);
  if (found == nullptr) return false;
  const std::string name = UserName(owner);
  if (name != entry.gr_name) return false;
  for (char** member = entry.gr_mem; *member != nullptr; ++member) {
    if (name != *member) return false;
  }
  return true;
}

// Who is shown where the user namespace knows no such user (user_namespaces(7)); none in the first
// namespace, which knows all.
std::optional<uid_t> UnknownOwner() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 0, outside = 0, count = 0;
  if (map >> inside >> outside >> count && inside == 0 && outside == 0 && count >= 0xffffffff) {
    return std::nullopt;
  }
  std::ifstream overflow("/proc/sys/kernel/overflowuid");
  uid_t unknown = 65534;
  overflow >> unknown;
  return unknown;
}

bool IsTrusted(uid_t owner) {
  static const std::optional<uid_t> unknown = UnknownOwner();
  return owner == 0 || owner == geteuid() || owner == unknown;
}

bool IsReadOnly(const std::string& path) {
  struct statvfs about = {};
  return statvfs(path.c_str(), &about) == 0 && (about.f_flag & ST_RDONLY) != 0;
}

std::string MistakeInOwner(const std::string& path, const struct stat& about) {
  if (IsTrusted(about.st_uid)) return "";
  return absl::StrCat("may be changed by others: ", path, " belongs to ", UserName(about.st_uid),
                      " and not to root", geteuid() == 0 ? "" : " or ",
                      geteuid() == 0 ? "" : UserName(geteuid()));
}

std::string MistakeInMode(const std::string& path, const struct stat& about) {
  const bool everybody = (about.st_mode & S_IWOTH) != 0;
  const bool its_group =
      (about.st_mode & S_IWGRP) != 0 && !IsOwnersOwnGroup(about.st_uid, about.st_gid);
  if ((!everybody && !its_group) || IsReadOnly(path)) return "";
  return absl::StrCat("may be changed by others: ", path, " may be written by ",
                      everybody ? "everybody" : "its group", ", chmod go-w it");
}

// Goes from the root to a file as the kernel does, and looks at everything on the way.
class Walk {
 public:
  explicit Walk(const std::string& path) {
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(path, error);
    Push(error ? path : absolute.string());
  }

  // Of how many files at the end of the path the owner counts.
  enum Owners { kNone, kOfTheLast, kOfTheLastTwo };

  // What is at the end of the path is looked at as a folder above another file where
  // `is_only_a_place`.
  std::string FirstMistake(Owners owners, bool is_only_a_place = false) {
    struct stat about = {};
    while (!ahead_.empty()) {
      const std::string name = ahead_.back();
      ahead_.pop_back();
      if (name == "..") {
        here_ = here_.substr(0, here_.rfind('/'));
        continue;
      }
      const std::string next = absl::StrCat(here_, "/", name);
      if (lstat(next.c_str(), &about) != 0) return "";
      if (std::string mistake = Look(next, about, owners, is_only_a_place); !mistake.empty()) {
        return mistake;
      }
      if (!S_ISLNK(about.st_mode)) {
        here_ = next;
      } else if (!Follow(next)) {
        return "";
      }
    }
    return "";
  }

 private:
  void Push(absl::string_view path) {
    const std::vector<std::string> names = absl::StrSplit(path, '/');
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      if (!name->empty() && *name != ".") ahead_.push_back(*name);
    }
  }

  std::string Look(const std::string& path, const struct stat& about, Owners owners,
                   bool is_only_a_place) const {
    const std::size_t left = ahead_.size();
    std::string mistake;
    // A link's own mode says nothing, but in a sticky folder its owner could lead it elsewhere.
    if (left < static_cast<std::size_t>(owners) || S_ISLNK(about.st_mode)) {
      mistake = MistakeInOwner(path, about);
    }
    if (!mistake.empty() || S_ISLNK(about.st_mode)) return mistake;
    const bool is_above = left > 0 || is_only_a_place;
    if (is_above && (about.st_mode & S_ISVTX) != 0) return "";
    return MistakeInMode(path, about);
  }

  bool Follow(const std::string& link) {
    std::error_code error;
    const std::string target = std::filesystem::read_symlink(link, error).string();
    if (error || target.empty() || ++links_ > kMostLinks) return false;
    if (target[0] == '/') here_.clear();
    Push(target);
    return true;
  }

  std::string here_;                // without a slash at its end
  std::vector<std::string> ahead_;  // the next name last
  int links_ = 0;
};

}  // namespace

std::string MistakeInTrust(const std::string& path) {
  return Walk(path).FirstMistake(Walk::kOfTheLastTwo);
}

std::string MistakeInTrustOfPlace(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return Walk(slash == std::string::npos ? "." : path.substr(0, slash + 1))
      .FirstMistake(Walk::kOfTheLast, true);
}

std::string MistakeInWriters(const std::string& path) {
  return Walk(path).FirstMistake(Walk::kNone);
}

}  // namespace hourglass::issuance
