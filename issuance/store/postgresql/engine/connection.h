// One connection to a PostgreSQL server.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/postgresql/engine/connection_parameters.h"
#include "issuance/store/postgresql/engine/deadline.h"
#include "issuance/store/postgresql/engine/libpq_handles.h"
#include "issuance/store/postgresql/engine/rows.h"

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
// wait for a standby was given up; INTERNAL_ERROR for a broken statement or constraint. Messages
// have the server's words without values. After an error of the connection itself it is not usable
// any more.
//
// That a wait for a standby was given up is told as a warning, and the COMMIT as done. So the
// answer to a COMMIT counts only where no warning came with it, of whatever kind, and neither does
// that of RunTogether, Query and Change outside of a transaction: JOURNAL_UNAVAILABLE, and the
// connection is not usable any more.
class Connection {
 public:
  // Connects to the first of the servers that may be written to. Whether that one is fit
  // (CheckServer, issuance/store/postgresql/engine/server_rules.h) is for the pool to ask. Sets,
  // for the whole session: search_path to the schema `hourglass`, synchronous_commit on, READ
  // COMMITTED, UTC, UTF-8, warnings told, messages in English where the role may choose (GRANT SET
  // ON PARAMETER lc_messages), lock_timeout and idle_in_transaction_session_timeout at the
  // operation timeout, enable_seqscan off (partitions that were analyzed while they were empty
  // would be read whole), and jit off, which that setting would call for. The error names every
  // server with its reason.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionParameters& parameters);
  // The same to this one server, whatever `parameters.servers` says. The error does not name it.
  static absl::StatusOr<std::unique_ptr<Connection>> OpenServer(
      const ConnectionParameters& parameters, const ServerAddress& server);
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
  bool IsUsable() const { return connection_ != nullptr; }
  // Whether a transaction is open, also one that failed.
  bool InTransaction() const;

  // Notifications (LISTEN) that have come, without waiting. Errors: JOURNAL_UNAVAILABLE where the
  // connection is gone.
  absl::StatusOr<std::vector<Notification>> TakeNotifications();
  // To wait for these with poll(2). Of the connection, which closes it; negative where it is not
  // usable.
  int socket() const;

 private:
  friend class Transaction;
  // What is known of a round trip that goes on.
  struct RoundTrip {
    Deadline deadline;
    bool commits = false;
    bool warned = false;
    bool gave_up_waiting = false;  // for the standby
  };
  // What was sent in pipeline mode.
  struct Sent {
    std::string prepares;  // a key of prepared_; empty where it runs a statement
  };

  explicit Connection(const ConnectionParameters& parameters)
      : operation_timeout_(parameters.operation_timeout) {}
  absl::Status BeginSession(const Deadline& deadline);

  // Around what goes to the server and comes back. End returns `status`, unless the warnings say
  // that it must not be believed.
  absl::Status BeginRoundTrip(const Deadline& deadline);
  absl::Status EndRoundTrip(absl::Status status);
  static void TakeNotice(void* connection, const pg_result* notice);

  // Whether it was, or had, a COMMIT that committed.
  absl::StatusOr<bool> ExecuteBy(const std::string& sql, const Deadline& deadline);
  absl::Status Commit();
  absl::Status Send(const Statement& statement, std::vector<Sent>& sent);
  absl::StatusOr<std::vector<Rows>> Collect(const std::vector<Sent>& sent);
  // Of what was sent, or null. Adds to `rows` where it ran a statement.
  absl::Status TakeResult(PgResult result, const Sent* sent, std::vector<Rows>& rows);
  // All that libpq holds goes out, while answers come in.
  absl::Status Flush();
  // Null where libpq says that a statement has no more.
  absl::StatusOr<PgResult> NextResult();
  absl::Status ReadInput();

  // Closes the socket, and returns the error.
  absl::Status Break(absl::Status error);
  absl::Status BreakForLibpq();

  const std::chrono::milliseconds operation_timeout_;
  PgConnection connection_;  // null once it is not usable
  std::optional<RoundTrip> round_trip_;
  absl::flat_hash_map<std::string, std::string> prepared_;  // names by types and SQL
  std::int64_t names_given_ = 0;
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

  // What the transaction wrote is durable, and on the synchronous standby, when it returns OK.
  // After JOURNAL_UNAVAILABLE it may be, now or later, or not. A transaction that wrote nothing
  // waits for no standby (docs/decisions/0033, rule 3). Errors: also INTERNAL_ERROR where a
  // statement failed before, or a deferred constraint is broken: it was rolled back.
  absl::Status Commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}

  Connection* connection_;
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_H_
