// One connection to a PostgreSQL server.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/postgresql/engine/connection_parameters.h"
#include "issuance/store/postgresql/engine/rows.h"

struct pg_conn;

namespace hourglass::issuance::postgresql {

struct Notification {
  std::string channel;
  std::string payload;
};

// For one thread at a time. Every wait is bounded: a round trip by `operation_timeout`. When that
// has passed the socket is closed, and nothing is ever cancelled: a server that is told to cancel
// a COMMIT answers that it is committed, while no standby has it. Errors of all methods:
// JOURNAL_UNAVAILABLE where the server cannot be reached, does not answer in time, is ended or
// refuses for its state (SQLSTATE classes 08, 25, 40, 53, 55, 57, 58, XX), and where it said that a
// wait for a standby was given up (as a warning, after a COMMIT that then counts for nothing);
// INTERNAL_ERROR for a broken statement or constraint. Messages have the server's words without
// values. After an error of the connection itself it is not usable any more.
class Connection {
 public:
  // Connects to the first of the servers that may be written to and is fit (CheckServer,
  // issuance/store/postgresql/engine/server_rules.h, is for the pool to ask). Sets, for the whole
  // session: search_path to the schema `hourglass`, synchronous_commit on, UTC, UTF-8, messages in
  // English, lock_timeout and idle_in_transaction_session_timeout at the operation timeout, and
  // enable_seqscan off: partitions that were analyzed while they were empty would be read whole.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionParameters& parameters);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs statements without values, separated by semicolons.
  absl::Status Execute(const std::string& sql);
  // Runs one statement, which is prepared once and kept.
  absl::StatusOr<Rows> Query(absl::string_view sql, absl::Span<const Value> values = {});
  // The first column of the first row, an integer or boolean. Errors: INTERNAL_ERROR without a row.
  absl::StatusOr<std::int64_t> QueryInteger(absl::string_view sql,
                                            absl::Span<const Value> values = {});
  // Runs one statement and returns how many rows it inserted, updated or deleted.
  absl::StatusOr<std::int64_t> Change(absl::string_view sql, absl::Span<const Value> values = {});
  // Runs all in one round trip (pipeline mode), in order, each with a snapshot of its own, and
  // returns what each gave. Where one fails nothing after it runs, and its error is returned. They
  // are one transaction if none is open and none of them begins one.
  absl::StatusOr<std::vector<Rows>> RunTogether(absl::Span<const Statement> statements);

  // Whether it can be used for anything more.
  bool IsUsable() const { return is_usable_; }
  // Whether a transaction is open, also one that failed.
  bool InTransaction() const;

  // Notifications (LISTEN) that have come, without waiting. Errors: JOURNAL_UNAVAILABLE where the
  // connection is gone.
  absl::StatusOr<std::vector<Notification>> TakeNotifications();
  // To wait for these with poll(2). Of the connection, which closes it.
  int socket() const;

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  explicit Connection(std::chrono::milliseconds operation_timeout)
      : operation_timeout_(operation_timeout) {}

  const std::chrono::milliseconds operation_timeout_;
  bool is_usable_ = true;
  bool replication_wait_given_up_ = false;  // set by the notice processor
  std::unique_ptr<pg_conn, Finish> connection_;
  absl::flat_hash_map<std::string, std::string> prepared_;  // names by SQL
};

// Rolled back unless Commit returned OK. READ COMMITTED.
class Transaction {
 public:
  static absl::StatusOr<Transaction> Begin(Connection& connection);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : connection_(other.connection_) {
    other.connection_ = nullptr;
  }
  Transaction& operator=(Transaction&&) = delete;

  // Durable, and on the synchronous standby, when it returns OK. After JOURNAL_UNAVAILABLE it may
  // be, now or later, or not.
  absl::Status Commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}

  Connection* connection_;
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_H_
