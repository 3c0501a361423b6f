#include "issuance/store/sqlite/engine/moved_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/file_error.h"
#include "issuance/store/sqlite/engine/journal_file_names.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance::sqlite {
namespace {

// Of schema, intents, releases and the row that ties: what MakeSegment leaves.
constexpr std::int64_t kPagesOfAnEmptySegment = 4;
constexpr int kMostOfAName = 10000;

// Nothing where it is no file.
std::optional<std::uint64_t> SizeOf(const std::string& path) {
  struct stat file;
  if (lstat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(file.st_size);
}

bool HasContent(const std::string& path) {
  return IsThere(path) && SizeOf(path) != std::uint64_t{0};
}

absl::StatusOr<bool> HasNoRecord(const std::string& path, std::chrono::milliseconds busy_timeout) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> segment, Connection::Open(path, busy_timeout));
  ASSIGN_OR_RETURN(const std::int64_t pages, segment->QueryInteger("PRAGMA page_count"));
  ASSIGN_OR_RETURN(const std::int64_t page_size, segment->QueryInteger("PRAGMA page_size"));
  // SQLite takes a file of less than a page for an empty one, and leaves octets behind the last
  // page unread.
  if (pages < 1 || SizeOf(path) != static_cast<std::uint64_t>(pages * page_size)) return false;
  ASSIGN_OR_RETURN(const std::int64_t tables,
                   segment->QueryInteger("SELECT count(*) FROM sqlite_schema"));
  // Before its tables were committed.
  if (tables == 0) return pages == 1;
  ASSIGN_OR_RETURN(const std::int64_t records,
                   segment->QueryInteger("SELECT EXISTS (SELECT 1 FROM intents) + "
                                         "EXISTS (SELECT 1 FROM releases)"));
  return records == 0 && pages <= kPagesOfAnEmptySegment;
}

// What cannot be looked at is never free: the rename then says why.
std::string FreeName(const std::string& path, absl::string_view ending) {
  std::string moved = absl::StrCat(path, ending);
  for (int i = 2; i < kMostOfAName && !IsFreeFor(path, moved); ++i) {
    moved = absl::StrCat(path, ending, "-", i);
  }
  return moved;
}

// Nothing is ever replaced, also not by another process that does the same.
int RenameToNewName(const std::string& from, const std::string& to) {
  const int result = renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  // Not every file system can; whoever calls has looked, as MoveAway does.
  return result != 0 && errno == EINVAL ? rename(from.c_str(), to.c_str()) : result;
}

}  // namespace

bool IsThere(const std::string& path) {
  struct stat file;
  return lstat(path.c_str(), &file) == 0 || errno != ENOENT;
}

bool AnyOf(const std::string& path) {
  return std::any_of(std::begin(kBesideADatabase), std::end(kBesideADatabase),
                     [&](const char* beside) { return IsThere(path + beside); });
}

bool IsProvedEmpty(const std::string& path, std::chrono::milliseconds busy_timeout) {
  if (HasContent(path + "-wal") || HasContent(path + "-journal")) return false;
  if (!HasContent(path)) return true;
  if (!SizeOf(path).has_value()) return false;
  const absl::StatusOr<bool> proved = HasNoRecord(path, busy_timeout);
  return proved.ok() && *proved;
}

bool IsFreeFor(const std::string& path, const std::string& to) {
  return !IsThere(to) && std::none_of(std::begin(kBesideADatabase), std::end(kBesideADatabase),
                                      [&](const char* beside) {
                                        return IsThere(path + beside) && IsThere(to + beside);
                                      });
}

absl::Status Move(const std::string& path, const std::string& to) {
  for (const char* beside : kBesideADatabase) {
    if (RenameToNewName(path + beside, to + beside) != 0 && errno != ENOENT) {
      const int error = errno;
      return FileError(absl::StrCat("cannot make ", to, beside, " of"), path + beside, error);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> MoveAway(const std::string& path, absl::string_view ending) {
  std::string moved = FreeName(path, ending);
  RETURN_IF_ERROR(Move(path, moved));
  return moved;
}

bool IsMovedAwayByHalf(const std::string& path, absl::string_view ending) {
  return AnyOf(FreeName(path, ending));
}

absl::Status Delete(const std::string& path) {
  for (const char* beside : kBesideADatabase) {
    if (unlink((path + beside).c_str()) != 0 && errno != ENOENT) {
      return FileError("cannot delete", path + beside, errno);
    }
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance::sqlite
