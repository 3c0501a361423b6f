#include "issuance/store/sqlite/engine/sqlite.h"

#include <errno.h>
#include <sqlite3.h>

#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/file_error.h"
#include "issuance/store/sqlite/engine/sqlite_functions.h"

namespace hourglass::issuance::sqlite {
namespace {

// Some tenths of a millisecond.
constexpr int kInstructionsBeforeAPause = 1000;

// `system_error` is what errno said right after the call, 0 if nothing: sqlite3_system_errno stays
// silent about a COMMIT.
std::string WhyOfInputOutputError(int system_error) {
  // SQLite itself reports only ENOSPC as a full disk.
  if (system_error == EFBIG || system_error == EDQUOT) {
    return "the disk is full: a file size limit or a quota is reached";
  }
  if (system_error == 0) return "the disk cannot be read or written";
  return absl::StrCat("the disk cannot be read or written: ",
                      std::generic_category().message(system_error));
}

// Of what this connection opened, "" if nothing.
std::string PathOf(sqlite3* database) {
  const char* const path = sqlite3_db_filename(database, "main");
  return path == nullptr ? "" : path;
}

absl::Status StatusOfCode(int code, int system_error, const std::string& path, sqlite3* database) {
  const auto unavailable = [&](absl::string_view why) {
    return Error(ErrorReason::kJournalUnavailable, "", absl::StrCat("database: ", path, ": ", why));
  };
  const auto unusable = [&](absl::string_view why) {
    return Error(ErrorReason::kJournalUnavailable, "",
                 absl::StrCat("database: ", why, ": ", WhyUnusable(path, system_error)));
  };
  switch (code & 0xff) {
    case SQLITE_OK:
      return absl::OkStatus();
    case SQLITE_FULL:
      return unavailable("the disk is full");
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return unusable("the file is read-only");
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return unusable("the file cannot be opened");
    case SQLITE_CORRUPT:
      return unavailable("the file is damaged");
    case SQLITE_NOTADB:
      return unavailable("the file is not a SQLite database, or its header is damaged");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return unavailable("the file is locked by another process");
    case SQLITE_IOERR:
      return unavailable(WhyOfInputOutputError(system_error));
    case SQLITE_NOMEM:
      return unavailable("out of memory");
    default:
      return Error(ErrorReason::kInternalError, "",
                   absl::StrCat("database: ", path, ": ", sqlite3_errmsg(database)));
  }
}

// Right after the call that returned `code`, before which errno was set to 0.
absl::Status StatusOfCode(int code, sqlite3* database) {
  const int system_error = errno;
  if (code == SQLITE_OK) return absl::OkStatus();
  return StatusOfCode(code, system_error, PathOf(database), database);
}

absl::Status StatusOfStatement(int code, sqlite3_stmt* statement) {
  return StatusOfCode(code, sqlite3_db_handle(statement));
}

// SQLite binds NULL for a null pointer, which an empty string_view may hold.
const char* NeverNull(absl::string_view octets) {
  return octets.data() == nullptr ? "" : octets.data();
}

// `lifetime` is SQLITE_STATIC where the octets outlive the use of the statement.
int Bind(sqlite3_stmt* statement, int position, const Value& value,
         sqlite3_destructor_type lifetime) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return sqlite3_bind_int64(statement, position, *number);
  }
  if (const auto* text = std::get_if<Text>(&value)) {
    return sqlite3_bind_text64(statement, position, NeverNull(text->octets), text->octets.size(),
                               lifetime, SQLITE_UTF8);
  }
  if (const auto* blob = std::get_if<Blob>(&value)) {
    return sqlite3_bind_blob64(statement, position, NeverNull(blob->octets), blob->octets.size(),
                               lifetime);
  }
  return sqlite3_bind_null(statement, position);
}

// Looks again each millisecond. sqlite3_busy_timeout would look less and less often, up to 100 ms
// apart, and so starve beside another process that commits without a pause.
int WaitForLock(void* milliseconds, int times_before) {
  if (times_before >= reinterpret_cast<std::intptr_t>(milliseconds)) return 0;
  sqlite3_sleep(1);
  return 1;
}

}  // namespace

void Rows::Reset::operator()(sqlite3_stmt* statement) const {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
}

absl::StatusOr<bool> Rows::Next() {
  column_ = 0;
  errno = 0;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return StatusOfStatement(code, statement_.get());
}

std::int64_t Rows::TakeInteger() { return sqlite3_column_int64(statement_.get(), column_++); }

std::optional<std::int64_t> Rows::TakeOptionalInteger() {
  if (sqlite3_column_type(statement_.get(), column_) == SQLITE_NULL) {
    ++column_;
    return std::nullopt;
  }
  return TakeInteger();
}

std::string Rows::TakeOctets() {
  const int column = column_++;
  const void* octets = sqlite3_column_blob(statement_.get(), column);
  if (octets == nullptr) return "";
  return std::string(static_cast<const char*>(octets),
                     static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

void Connection::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

void Connection::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Connection::~Connection() = default;

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(
    const std::string& path, std::chrono::milliseconds busy_timeout) {
  // SQLite gives `:memory:` and, as some build it, `file:` another meaning.
  const std::string plain_path = path.rfind('/', 0) == 0 ? path : absl::StrCat("./", path);
  std::unique_ptr<Connection> connection(new Connection());
  sqlite3* database = nullptr;
  errno = 0;
  const int code =
      sqlite3_open_v2(plain_path.c_str(), &database,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  connection->database_.reset(database);
  if (database == nullptr) {
    return Error(ErrorReason::kJournalUnavailable, "", "database: out of memory");
  }
  if (code != SQLITE_OK) {
    return StatusOfCode(code, sqlite3_system_errno(database), path, database);
  }
  RETURN_IF_ERROR(StatusOfCode(AddFunctions(database), database));
  // SQLite falls back to reading only where it may not write.
  if (sqlite3_db_readonly(database, "main") != 0) {
    return StatusOfCode(SQLITE_READONLY, 0, path, database);
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a number, in SQLite's way of handing one on.
  sqlite3_busy_handler(database, WaitForLock, reinterpret_cast<void*>(busy_timeout.count()));
  // A prepared file must not make the program run functions, and a damaged page is better found
  // early.
  RETURN_IF_ERROR(connection->Execute(
      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"));
  return connection;
}

absl::Status Connection::Execute(const std::string& sql) {
  errno = 0;
  return StatusOfCode(sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr),
                      database_.get());
}

absl::StatusOr<sqlite3_stmt*> Connection::Prepare(absl::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) {
    if (sqlite3_stmt_busy(found->second.get()) != 0) {
      return Error(ErrorReason::kInternalError, "", "database: a statement is in use already");
    }
    return found->second.get();
  }
  sqlite3_stmt* statement = nullptr;
  errno = 0;
  RETURN_IF_ERROR(
      StatusOfCode(sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr),
                   database_.get()));
  statements_[sql].reset(statement);
  return statement;
}

absl::StatusOr<Rows> Connection::Query(absl::string_view sql, absl::Span<const Value> values) {
  return Start(sql, values, Octets::kCopied);
}

absl::StatusOr<Rows> Connection::Start(absl::string_view sql, absl::Span<const Value> values,
                                       Octets octets) {
  ASSIGN_OR_RETURN(sqlite3_stmt * statement, Prepare(sql));
  Rows rows(statement);
  if (sqlite3_bind_parameter_count(statement) != static_cast<int>(values.size())) {
    return Error(ErrorReason::kInternalError, "",
                 "database: a statement was given a wrong number of values");
  }
  int position = 0;
  for (const Value& value : values) {
    RETURN_IF_ERROR(StatusOfCode(Bind(statement, ++position, value,
                                      octets == Octets::kCopied ? SQLITE_TRANSIENT : SQLITE_STATIC),
                                 database_.get()));
  }
  return rows;
}

absl::StatusOr<std::int64_t> Connection::QueryInteger(absl::string_view sql,
                                                      absl::Span<const Value> values) {
  ASSIGN_OR_RETURN(Rows rows, Start(sql, values, Octets::kBorrowed));
  ASSIGN_OR_RETURN(const bool there, rows.Next());
  if (!there) return Error(ErrorReason::kInternalError, "", "database: no row where one must be");
  return rows.TakeInteger();
}

absl::StatusOr<std::int64_t> Connection::Change(absl::string_view sql,
                                                absl::Span<const Value> values) {
  ASSIGN_OR_RETURN(Rows rows, Start(sql, values, Octets::kBorrowed));
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(more, rows.Next());
  }
  return sqlite3_changes64(database_.get());
}

std::int64_t Connection::ChangesSoFar() const { return sqlite3_total_changes64(database_.get()); }

void Connection::PauseWithin(std::function<void()> pause) {
  pause_ = std::move(pause);
  sqlite3_progress_handler(
      database_.get(), kInstructionsBeforeAPause,
      [](void* function) {
        (*static_cast<std::function<void()>*>(function))();
        return 0;
      },
      &pause_);
}

bool Connection::InTransaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

absl::Status Connection::RenewTie() {
  if (!ties_) {
    ASSIGN_OR_RETURN(const std::int64_t there,
                     QueryInteger("SELECT count(*) FROM sqlite_schema WHERE name = 'wal_tie'"));
    if (there == 0) return absl::OkStatus();
    ties_ = true;
  }
  return Change("UPDATE wal_tie SET previous = id, id = randomblob(16)", {}).status();
}

absl::Status Connection::QuickCheck(std::chrono::milliseconds budget) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + budget;
  sqlite3_progress_handler(
      database_.get(), kInstructionsBeforeAPause,
      [](void* deadline) {
        return Clock::now() < *static_cast<const Clock::time_point*>(deadline) ? 0 : 1;
      },
      // SQLite's handlers take what is not const.
      const_cast<Clock::time_point*>(&end));
  absl::Status status;
  {
    sqlite3_stmt* statement = nullptr;
    int code =
        sqlite3_prepare_v2(database_.get(), "PRAGMA quick_check(1)", -1, &statement, nullptr);
    const std::unique_ptr<sqlite3_stmt, Finalize> owner(statement);
    errno = 0;
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
      const auto* line = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
      if (line != nullptr && absl::string_view(line) != "ok") {
        status = Error(
            ErrorReason::kJournalUnavailable, "",
            absl::StrCat("database: ", PathOf(database_.get()), ": the file is damaged: ", line));
      }
    } else if ((code & 0xff) != SQLITE_INTERRUPT) {
      status = StatusOfCode(code, database_.get());
    }
  }
  sqlite3_progress_handler(database_.get(), 0, nullptr, nullptr);
  return status;
}

absl::Status UseWriteAheadLog(Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query("PRAGMA journal_mode = WAL"));
  ASSIGN_OR_RETURN(const bool answered, rows.Next());
  if (answered && rows.TakeOctets() == "wal") return absl::OkStatus();
  return Error(ErrorReason::kJournalUnavailable, "",
               "database: the file system does not bear a write-ahead log; use a local one");
}

absl::StatusOr<Transaction> Transaction::Begin(Connection& connection) {
  RETURN_IF_ERROR(connection.Change("BEGIN IMMEDIATE", {}).status());
  return Transaction(connection);
}

Transaction::~Transaction() {
  // SQLite has rolled back by itself after some errors. A rollback that fails leaves the lock to
  // the next Begin, which then fails as well: nothing is written either way.
  if (connection_ != nullptr && connection_->InTransaction()) {
    connection_->Execute("ROLLBACK").IgnoreError();
  }
}

absl::Status Transaction::Commit() {
  if (connection_->ChangesSoFar() != changes_before_) RETURN_IF_ERROR(connection_->RenewTie());
  RETURN_IF_ERROR(connection_->Change("COMMIT", {}).status());
  connection_ = nullptr;
  return absl::OkStatus();
}

}  // namespace hourglass::issuance::sqlite
