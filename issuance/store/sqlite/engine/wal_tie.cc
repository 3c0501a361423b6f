#include "issuance/store/sqlite/engine/wal_tie.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/file_error.h"
#include "issuance/store/sqlite/engine/wal_file.h"

namespace hourglass::issuance::sqlite {
namespace {

constexpr std::int64_t kDefaultPage = 4096;

// The octets of a database without its log. Through SQLite, but before its first statement: a file
// that is closed otherwise loses the locks that this process has on it.
class DatabaseFile {
 public:
  static absl::StatusOr<DatabaseFile> Open(const std::string& path) {
    const std::string plain_path = path.rfind('/', 0) == 0 ? path : absl::StrCat("./", path);
    DatabaseFile file;
    sqlite3* database = nullptr;
    const int code = sqlite3_open_v2(plain_path.c_str(), &database,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
    file.database_.reset(database);
    if (code != SQLITE_OK ||
        sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file.file_) !=
            SQLITE_OK ||
        file.file_ == nullptr || file.file_->pMethods == nullptr ||
        file.file_->pMethods->xFileSize(file.file_, &file.size_) != SQLITE_OK) {
      return FileError("cannot open", path, sqlite3_system_errno(database));
    }
    if (file.size_ >= 100) {
      const std::string octets = file.Read(16, 2);
      const auto high = static_cast<unsigned char>(octets[0]);
      // 1 stands for 65536 (https://www.sqlite.org/fileformat2.html section 1.3.2).
      const std::int64_t size = high << 8 | static_cast<unsigned char>(octets[1]);
      file.page_size_ = size == 1 ? 65536 : size < 512 ? kDefaultPage : size;
    }
    return file;
  }

  std::int64_t pages() const { return size_ / page_size_; }
  bool is_empty() const { return size_ == 0; }

  // From 1; nothing beyond the end.
  std::optional<Tie> TieOf(std::int64_t page) {
    if (page < 1 || page > pages()) return std::nullopt;
    return TieOfPage(Read((page - 1) * page_size_, page_size_));
  }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };
  DatabaseFile() = default;

  // Zeros where it cannot be read: SQLite will say why.
  std::string Read(std::int64_t offset, std::int64_t size) {
    std::string octets(static_cast<std::size_t>(size), '\0');
    if (file_->pMethods->xRead(file_, octets.data(), static_cast<int>(size), offset) != SQLITE_OK) {
      return std::string(static_cast<std::size_t>(size), '\0');
    }
    return octets;
  }

  std::unique_ptr<sqlite3, Close> database_;
  sqlite3_file* file_ = nullptr;
  sqlite3_int64 size_ = 0;
  std::int64_t page_size_ = kDefaultPage;
};

// What was seen of both files.
struct Sight {
  absl::string_view wrong;  // "" where nothing is
  std::optional<Tie> database;
  std::optional<Tie> first_of_log;

  bool operator==(const Sight&) const = default;
};

bool Follows(const WalContent& log, const Tie& database) {
  return log.ties.front().previous == database.id ||
         std::any_of(log.ties.begin(), log.ties.end(),
                     [&](const Tie& tie) { return tie.id == database.id; });
}

// Without a row in the log, the database has none either, or the log is of before it.
bool HasTie(DatabaseFile& file) {
  for (std::int64_t page = 2; page <= file.pages(); ++page) {
    if (file.TieOf(page).has_value()) return true;
  }
  return false;
}

absl::StatusOr<Sight> LookAt(const std::string& path) {
  constexpr absl::string_view kOther =
      "was not written for this file: one of the two is of another time, as after a restore";
  ASSIGN_OR_RETURN(DatabaseFile file, DatabaseFile::Open(path));
  std::ifstream in(path + "-wal", std::ios::binary);
  const WalContent log = ReadWal(in);
  if (!log.has_header && log.has_content) return Sight{"is damaged at its head", {}, {}};
  if (log.transactions == 0) return Sight{};
  if (file.is_empty()) return Sight{"lies beside an empty file", {}, {}};
  if (log.ties.empty()) return HasTie(file) ? Sight{kOther, {}, {}} : Sight{};
  const Tie& first = log.ties.front();
  const std::optional<Tie> own = file.TieOf(log.tie_page);
  const bool follows = own.has_value() ? Follows(log, *own) : first.previous == Tie().id;
  return follows ? Sight{} : Sight{kOther, own, first};
}

}  // namespace

absl::Status CheckWriteAheadLog(const std::string& path) {
  const std::string log = path + "-wal";
  struct stat status;
  // Where there is nothing, or nothing to read, SQLite says what there is to say.
  if (stat(log.c_str(), &status) != 0 || status.st_size == 0) return absl::OkStatus();
  struct stat main;
  if (stat(path.c_str(), &main) != 0 || !S_ISREG(main.st_mode)) return absl::OkStatus();
  ASSIGN_OR_RETURN(Sight sight, LookAt(path));
  // Another process that writes may have gone on between the looks at the two files; what is wrong
  // stays as it is.
  while (!sight.wrong.empty()) {
    ASSIGN_OR_RETURN(const Sight again, LookAt(path));
    if (again == sight) break;
    sight = again;
  }
  if (sight.wrong.empty()) return absl::OkStatus();
  return Error(
      ErrorReason::kJournalUnavailable, "",
      absl::StrCat("database: ", log, " ", sight.wrong, "; SQLite would mix it into ", path,
                   " or forget it, so nothing was changed. If ", path,
                   " was restored, move the -wal and -shm files beside it away; else restore both, "
                   "or all of the data folder (docs/operations.md, Restore)"));
}

}  // namespace hourglass::issuance::sqlite
