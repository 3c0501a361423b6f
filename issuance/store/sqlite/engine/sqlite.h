// SQLite connections, statements and transactions as C++ values.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hourglass::issuance::sqlite {

// UTF-8 without NUL.
struct Text {
  absl::string_view octets;
};
// Any octets.
struct Blob {
  absl::string_view octets;
};
// What a `?` of a statement stands for; monostate is NULL.
using Value = std::variant<std::monostate, std::int64_t, Text, Blob>;

// The rows that a statement gives. The statement is free for its next use when this object goes,
// which must be before its connection does and before a transaction ends.
class Rows {
 public:
  // Moves to the next row, and to its first column; false after the last row. Errors: as
  // Connection.
  absl::StatusOr<bool> Next();

  // Each takes one column of the current row, from left to right. NULL is 0 and "".
  std::int64_t TakeInteger();
  std::optional<std::int64_t> TakeOptionalInteger();
  std::string TakeOctets();

 private:
  friend class Connection;
  struct Reset {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Rows(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Reset> statement_;
  int column_ = 0;
};

// One connection, for one thread at a time. Errors of all methods: JOURNAL_UNAVAILABLE where the
// file cannot be read or written (the message says why), INTERNAL_ERROR for a broken statement or
// constraint.
class Connection {
 public:
  // Opens a file that exists. Waits up to `busy_timeout` for the locks of others.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path,
                                                          std::chrono::milliseconds busy_timeout);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs statements without values, separated by semicolons.
  absl::Status Execute(const std::string& sql);
  // Starts one statement with its values; it is compiled once and kept.
  absl::StatusOr<Rows> Query(absl::string_view sql, absl::Span<const Value> values = {});
  // The first column of the first row. Errors: INTERNAL_ERROR where there is no row.
  absl::StatusOr<std::int64_t> QueryInteger(absl::string_view sql,
                                            absl::Span<const Value> values = {});
  // Runs one statement with its values and returns how many rows it inserted, updated or deleted.
  absl::StatusOr<std::int64_t> Change(absl::string_view sql, absl::Span<const Value> values);
  // How many rows this connection inserted, updated and deleted since it was opened.
  std::int64_t ChangesSoFar() const;
  // Has `pause` called now and then while statements of this connection run, on their thread: each
  // thousand instructions of SQLite's virtual machine (sqlite3_progress_handler), but not while it
  // sorts or commits. It must not use the connection.
  void PauseWithin(std::function<void()> pause);
  // Whether a transaction is open.
  bool InTransaction() const;

  // Runs `PRAGMA quick_check`, for at most `budget`: OK also where time ran out. Errors:
  // JOURNAL_UNAVAILABLE with the first thing that is wrong.
  absl::Status QuickCheck(std::chrono::milliseconds budget);

 private:
  friend class Transaction;
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  // Whether a statement keeps octets of its own, or those of its values outlive its use.
  enum class Octets { kCopied, kBorrowed };

  Connection() = default;
  absl::Status RenewTie();
  absl::StatusOr<Rows> Start(absl::string_view sql, absl::Span<const Value> values, Octets octets);
  absl::StatusOr<sqlite3_stmt*> Prepare(absl::string_view sql);

  std::function<void()> pause_;
  // The file has the row that ties it to its write-ahead log; false: not known.
  bool ties_ = false;
  std::unique_ptr<sqlite3, Close> database_;
  absl::flat_hash_map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

// Makes the connection's file one with a write-ahead log. Errors: JOURNAL_UNAVAILABLE where the
// file system does not bear one.
absl::Status UseWriteAheadLog(Connection& connection);

// A writing transaction, rolled back unless Commit returned OK. One that inserts, updates or
// deletes anything renews the row that ties the file to its write-ahead log, where the file has one
// (issuance/store/sqlite/engine/wal_tie.h): so no other way of writing is open to a file that has.
class Transaction {
 public:
  // Takes the file's write lock at once, so that what is read in the transaction still holds when
  // it writes.
  static absl::StatusOr<Transaction> Begin(Connection& connection);
  ~Transaction();
  Transaction(Transaction&& other) noexcept
      : connection_(other.connection_), changes_before_(other.changes_before_) {
    other.connection_ = nullptr;
  }
  Transaction& operator=(Transaction&&) = delete;

  // So does one that changes the schema only, if it says so.
  void ChangesTheSchema() { changes_before_ = -1; }
  // Durable when it returns OK.
  absl::Status Commit();

 private:
  explicit Transaction(Connection& connection)
      : connection_(&connection), changes_before_(connection.ChangesSoFar()) {}

  Connection* connection_;
  std::int64_t changes_before_;
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_H_
