#include "issuance/store/postgresql/engine/connection.h"

#include <libpq-fe.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/binary_parameters.h"
#include "issuance/store/postgresql/engine/connecting.h"
#include "issuance/store/postgresql/engine/server_errors.h"

namespace hourglass::issuance::postgresql {
namespace {

constexpr int kBinary = 1;
// From then on a role may be allowed to choose the language of messages.
constexpr int kVersionWithParameterGrants = 150000;

absl::Status Unavailable(absl::string_view why) {
  return Error(ErrorReason::kJournalUnavailable, "", absl::StrCat("database: ", why));
}

absl::Status OtherAnswers() {
  return Unavailable("the server's answers are not what was asked for");
}

// Octets that OpenSSL has deciphered and libpq not taken yet, of which poll(2) knows nothing.
bool HasInputInTls(pg_conn* connection) {
  auto* const tls = static_cast<SSL*>(PQsslStruct(connection, "OpenSSL"));
  return tls != nullptr && SSL_pending(tls) > 0;
}

bool IsOn(const pg_conn* connection, const char* parameter) {
  const char* const value = PQparameterStatus(connection, parameter);
  return value != nullptr && absl::string_view(value) == "on";
}

bool IsCommit(PGresult* result) { return absl::string_view(PQcmdStatus(result)) == "COMMIT"; }

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(
    const ConnectionParameters& parameters) {
  std::vector<std::string> reasons;
  for (const ServerAddress& server : parameters.servers) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = OpenServer(parameters, server);
    if (connection.ok()) return connection;
    reasons.push_back(absl::StrCat(NameOf(server), ": ", connection.status().message()));
  }
  return NoServerCanBeUsed(reasons);
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::OpenServer(
    const ConnectionParameters& parameters, const ServerAddress& server) {
  const Deadline deadline = Deadline::In(parameters.connect_timeout);
  std::unique_ptr<Connection> connection(new Connection(parameters));
  ASSIGN_OR_RETURN(connection->connection_, ConnectToServer(parameters, server, deadline));
  PQsetNoticeReceiver(connection->connection_.get(), &Connection::TakeNotice, connection.get());
  // The server reports both of its own accord.
  if (IsOn(connection->connection_.get(), "in_hot_standby")) {
    return Error(ErrorReason::kJournalUnavailable, "", "it is a standby");
  }
  if (IsOn(connection->connection_.get(), "default_transaction_read_only")) {
    return Error(ErrorReason::kJournalUnavailable, "", "it is read-only");
  }
  RETURN_IF_ERROR(connection->BeginSession(deadline));
  return connection;
}

Connection::~Connection() = default;

absl::Status Connection::BeginSession(const Deadline& deadline) {
  const auto timeout = operation_timeout_.count();
  std::string settings = absl::StrCat(
      "SET search_path = hourglass; SET synchronous_commit = on; SET timezone = 'UTC'; "
      "SET default_transaction_isolation = 'read committed'; SET client_min_messages = warning; "
      "SET enable_seqscan = off; SET jit = off; SET lock_timeout = ",
      timeout, "; SET idle_in_transaction_session_timeout = ", timeout);
  if (PQserverVersion(connection_.get()) >= kVersionWithParameterGrants) {
    absl::StrAppend(&settings,
                    "; SELECT set_config('lc_messages', 'C', false) "
                    "WHERE has_parameter_privilege('lc_messages', 'SET')");
  }
  return ExecuteBy(settings, deadline).status();
}

absl::Status Connection::Break(absl::Status error) {
  if (connection_ == nullptr) return error;
  // Nothing that libpq still holds may go out: the farewell would take it along.
  shutdown(PQsocket(connection_.get()), SHUT_RDWR);
  connection_.reset();
  return error;
}

absl::Status Connection::BreakForLibpq() {
  return Break(Unavailable(OneLine(PQerrorMessage(connection_.get()))));
}

void Connection::TakeNotice(void* connection, const pg_result* notice) {
  std::optional<RoundTrip>& round_trip = static_cast<Connection*>(connection)->round_trip_;
  if (!round_trip.has_value() || !IsWarning(notice)) return;
  round_trip->warned = true;
  if (SaysReplicationWaitGivenUp(notice)) round_trip->gave_up_waiting = true;
}

absl::Status Connection::BeginRoundTrip(const Deadline& deadline) {
  if (connection_ == nullptr) return Unavailable("the connection was lost before");
  round_trip_.emplace(RoundTrip{deadline});
  return absl::OkStatus();
}

absl::Status Connection::EndRoundTrip(absl::Status status) {
  const RoundTrip ended = *std::exchange(round_trip_, std::nullopt);
  const bool may_be_believed =
      !ended.gave_up_waiting && !(status.ok() && ended.commits && ended.warned);
  if (may_be_believed) return status;
  return Break(Unavailable(
      ended.gave_up_waiting
          ? "the server gave up its wait for a standby: what it committed may be lost with it"
          : "the server warned of something while it committed: whether a standby has what was "
            "written, if anything was, is not known"));
}

absl::Status Connection::ReadInput() {
  if (PQconsumeInput(connection_.get()) == 0) return BreakForLibpq();
  return absl::OkStatus();
}

absl::Status Connection::Flush() {
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left < 0) return BreakForLibpq();
    if (left == 0) return absl::OkStatus();
    // The server stops reading while nobody takes its answers.
    if (!WaitForSocket(PQsocket(connection_.get()), POLLIN | POLLOUT, round_trip_->deadline)) {
      return Break(Unavailable("the server did not take what was sent in time"));
    }
    RETURN_IF_ERROR(ReadInput());
  }
}

absl::StatusOr<PgResult> Connection::NextResult() {
  while (PQisBusy(connection_.get()) != 0) {
    if (!HasInputInTls(connection_.get()) &&
        !WaitForSocket(PQsocket(connection_.get()), POLLIN, round_trip_->deadline)) {
      return Break(Unavailable("no answer from the server in time"));
    }
    RETURN_IF_ERROR(ReadInput());
  }
  PgResult result(PQgetResult(connection_.get()));
  if (result == nullptr) return result;
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_FATAL_ERROR && EndsTheConnection(result.get())) {
    return Break(ErrorOfResult(result.get()));
  }
  if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
    return Break(Error(ErrorReason::kInternalError, "", "database: COPY is not for this"));
  }
  if (status == PGRES_COMMAND_OK && IsCommit(result.get())) round_trip_->commits = true;
  return result;
}

absl::Status Connection::Execute(const std::string& sql) {
  return ExecuteBy(sql, Deadline::In(operation_timeout_)).status();
}

absl::StatusOr<bool> Connection::ExecuteBy(const std::string& sql, const Deadline& deadline) {
  RETURN_IF_ERROR(BeginRoundTrip(deadline));
  if (PQsendQuery(connection_.get(), sql.c_str()) != 1) return BreakForLibpq();
  RETURN_IF_ERROR(Flush());
  absl::Status status;
  for (;;) {
    ASSIGN_OR_RETURN(const PgResult result, NextResult());
    if (result == nullptr) break;
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
      status.Update(ErrorOfResult(result.get()));
    }
  }
  const bool commits = round_trip_->commits;
  RETURN_IF_ERROR(EndRoundTrip(std::move(status)));
  return commits;
}

absl::Status Connection::Commit() {
  ASSIGN_OR_RETURN(const bool is_committed, ExecuteBy("COMMIT", Deadline::In(operation_timeout_)));
  if (is_committed) return absl::OkStatus();
  // To the server it is no error: it answers ROLLBACK.
  return Error(ErrorReason::kInternalError, "",
               "database: a transaction was to be committed in which a statement had failed");
}

absl::StatusOr<Rows> Connection::Query(absl::string_view sql, absl::Span<const Value> values) {
  const Statement statement = {sql, {values.begin(), values.end()}};
  ASSIGN_OR_RETURN(std::vector<Rows> rows, RunTogether({statement}));
  return std::move(rows.front());
}

absl::StatusOr<std::int64_t> Connection::QueryInteger(absl::string_view sql,
                                                      absl::Span<const Value> values) {
  ASSIGN_OR_RETURN(Rows rows, Query(sql, values));
  if (!rows.Next()) {
    return Error(ErrorReason::kInternalError, "", absl::StrCat("database: no row for ", sql));
  }
  return rows.TakeInteger();
}

absl::StatusOr<std::int64_t> Connection::Change(absl::string_view sql,
                                                absl::Span<const Value> values) {
  ASSIGN_OR_RETURN(const Rows rows, Query(sql, values));
  return rows.count();
}

absl::Status Connection::Send(const Statement& statement, std::vector<Sent>& sent) {
  const BinaryParameters parameters(statement.values);
  // With another type, what stands for a value may mean another function.
  std::string key = absl::StrCat(parameters.signature(), " ", statement.sql);
  auto prepared = prepared_.find(key);
  if (prepared == prepared_.end()) {
    std::string name = absl::StrCat("s", ++names_given_);
    if (PQsendPrepare(connection_.get(), name.c_str(), std::string(statement.sql).c_str(),
                      parameters.count(), parameters.types()) != 1) {
      return BreakForLibpq();
    }
    prepared = prepared_.emplace(key, std::move(name)).first;
    sent.push_back({std::move(key)});
  }
  if (PQsendQueryPrepared(connection_.get(), prepared->second.c_str(), parameters.count(),
                          parameters.values(), parameters.lengths(), parameters.formats(),
                          kBinary) != 1) {
    return BreakForLibpq();
  }
  sent.push_back({});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Rows>> Connection::RunTogether(absl::Span<const Statement> statements) {
  RETURN_IF_ERROR(BeginRoundTrip(Deadline::In(operation_timeout_)));
  round_trip_->commits = !InTransaction();
  if (PQenterPipelineMode(connection_.get()) != 1) return BreakForLibpq();
  std::vector<Sent> sent;
  for (const Statement& statement : statements) RETURN_IF_ERROR(Send(statement, sent));
  if (PQpipelineSync(connection_.get()) != 1) return BreakForLibpq();
  RETURN_IF_ERROR(Flush());
  absl::StatusOr<std::vector<Rows>> rows = Collect(sent);
  if (connection_ == nullptr) return rows;
  if (PQexitPipelineMode(connection_.get()) != 1) return BreakForLibpq();
  RETURN_IF_ERROR(EndRoundTrip(rows.status()));
  return rows;
}

absl::StatusOr<std::vector<Rows>> Connection::Collect(const std::vector<Sent>& sent) {
  std::vector<Rows> rows;
  absl::Status status;
  std::size_t at = 0;
  bool had_a_result = true;
  for (;;) {
    ASSIGN_OR_RETURN(PgResult result, NextResult());
    if (result != nullptr && PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) break;
    if (result == nullptr) {
      // The end of what one statement gave. Twice in a row libpq never says it.
      if (!std::exchange(had_a_result, false)) return Break(OtherAnswers());
      ++at;
      continue;
    }
    had_a_result = true;
    // After the last comes an error of the end itself, as of a deferred constraint.
    status.Update(TakeResult(std::move(result), at < sent.size() ? &sent[at] : nullptr, rows));
  }
  if (!status.ok()) return status;
  const auto statements =
      std::count_if(sent.begin(), sent.end(), [](const Sent& one) { return one.prepares.empty(); });
  if (rows.size() != static_cast<std::size_t>(statements)) return Break(OtherAnswers());
  return rows;
}

absl::Status Connection::TakeResult(PgResult result, const Sent* sent, std::vector<Rows>& rows) {
  const ExecStatusType what = PQresultStatus(result.get());
  if (what != PGRES_COMMAND_OK && what != PGRES_TUPLES_OK) {
    if (sent != nullptr && !sent->prepares.empty()) prepared_.erase(sent->prepares);
    // Else it did not run, because of one before.
    return what == PGRES_FATAL_ERROR ? ErrorOfResult(result.get()) : absl::OkStatus();
  }
  if (sent == nullptr || !sent->prepares.empty()) return absl::OkStatus();
  absl::Status status = CheckColumnTypes(result.get());
  rows.push_back(Rows(std::move(result)));
  return status;
}

bool Connection::InTransaction() const {
  if (connection_ == nullptr) return false;
  const PGTransactionStatusType status = PQtransactionStatus(connection_.get());
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

absl::StatusOr<std::vector<Notification>> Connection::TakeNotifications() {
  if (connection_ == nullptr) return Unavailable("the connection was lost before");
  do {
    RETURN_IF_ERROR(ReadInput());
    // The server's last words may stand before the end.
  } while (HasInputInTls(connection_.get()) ||
           WaitForSocket(socket(), POLLIN, Deadline::In(std::chrono::milliseconds(0))));
  std::vector<Notification> taken;
  struct Free {
    void operator()(PGnotify* notification) const { PQfreemem(notification); }
  };
  while (const std::unique_ptr<PGnotify, Free> one{PQnotifies(connection_.get())}) {
    taken.push_back({one->relname, one->extra});
  }
  return taken;
}

int Connection::socket() const { return connection_ == nullptr ? -1 : PQsocket(connection_.get()); }

absl::StatusOr<Transaction> Transaction::Begin(Connection& connection) {
  if (connection.InTransaction()) {
    return Error(ErrorReason::kInternalError, "", "database: a transaction is open already");
  }
  RETURN_IF_ERROR(connection.Execute("BEGIN ISOLATION LEVEL READ COMMITTED"));
  return Transaction(connection);
}

Transaction::~Transaction() {
  if (connection_ == nullptr || !connection_->InTransaction()) return;
  // Where it fails the connection is not usable, and the server ends the transaction with it.
  connection_->Execute("ROLLBACK").IgnoreError();
}

absl::Status Transaction::Commit() { return std::exchange(connection_, nullptr)->Commit(); }

}  // namespace hourglass::issuance::postgresql
