#include "issuance/store/transfer/postgresql_movable.h"

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/engine/postgresql_move_mark.h"
#include "issuance/store/postgresql/engine/schema.h"
#include "issuance/store/transfer/part_statements.h"
#include "issuance/store/transfer/postgresql_move_statements.h"
#include "issuance/store/transfer/postgresql_users.h"

namespace hourglass::issuance {
namespace {

using postgresql::Blob;
using postgresql::Connection;
using postgresql::Statement;
using postgresql::Text;
using postgresql::Transaction;
using postgresql::Value;

// Of one statement: some read whole tables.
constexpr std::chrono::minutes kLongestStatement(10);

absl::Status Refuse(absl::string_view why) {
  return Error(ErrorReason::kJournalUnavailable, "", absl::StrCat("database: ", why));
}

const Dialect& InPostgresql() {
  static const auto* const dialect = new Dialect{
      [](const Part& part, const Column& column) {
        const bool is_last_leaf = part.name == "roots" && &column == &part.columns[kRootLastLeaf];
        return std::string(is_last_leaf ? postgresql::kLastLeaf : column.name);
      },
      [](const Column& column) { return std::string(column.name); },
      [](std::size_t number) { return absl::StrCat("$", number); }};
  return *dialect;
}

absl::string_view SourceOf(const Part& part) {
  if (&part == &JournalPart()) return postgresql::kOrderedJournal;
  return &part == &TimeMarkPart() ? postgresql::kNewestMark : part.postgresql_table;
}

Value ValueOfCell(const Cell& cell, CellKind kind) {
  if (const auto* number = std::get_if<std::int64_t>(&cell)) {
    if (kind == CellKind::kBoolean) return *number != 0;
    return *number;
  }
  const auto* const octets = std::get_if<std::string>(&cell);
  if (octets == nullptr) return Value();
  if (kind == CellKind::kText) return Text{*octets};
  return Blob{*octets};
}

Cell TakeCell(postgresql::Rows& rows, const Column& column) {
  if (column.kind == CellKind::kInteger || column.kind == CellKind::kBoolean) {
    const std::optional<std::int64_t> number = rows.TakeOptionalInteger();
    return number.has_value() ? Cell(*number) : Cell();
  }
  const bool is_nothing = column.may_be_nothing && rows.TakeBoolean();
  std::string octets = rows.TakeOctets();
  return is_nothing ? Cell() : Cell(std::move(octets));
}

std::string InsertOf(const Part& part) {
  if (&part == &JournalPart()) return std::string(postgresql::kInsertJournal);
  std::vector<std::string> names, values;
  for (const Column& column : part.columns) {
    names.emplace_back(column.name);
    values.push_back(absl::StrCat("$", names.size()));
  }
  if (&part == &TimeMarkPart()) {
    names.emplace_back("machine");
    values.push_back(absl::StrCat("$", names.size()));
  }
  return absl::StrCat("INSERT INTO ", part.postgresql_table, " (", absl::StrJoin(names, ", "),
                      ") OVERRIDING SYSTEM VALUE VALUES (", absl::StrJoin(values, ", "), ")");
}

class PostgresqlMovable final : public MovableStore {
 public:
  PostgresqlMovable(std::unique_ptr<Connection> connection, const PostgresqlMoveOptions& options,
                    std::string id)
      : connection_(std::move(connection)), options_(options), id_(std::move(id)) {}

  // Of a source.
  absl::Status Lock() {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*connection_));
    transaction_.emplace(std::move(transaction));
    return connection_->Execute(std::string(postgresql::kLockAll));
  }

  std::string name() const override {
    return absl::StrCat("postgresql:", options_.connection.database);
  }
  std::string id() const override { return id_; }

  absl::StatusOr<std::optional<MoveMark>> Mark() override {
    return postgresql::ReadMoveMark(*connection_);
  }

  absl::StatusOr<std::vector<Row>> Read(const Part& part, const Row* after,
                                        std::size_t limit) override {
    const bool is_journal = &part == &JournalPart();
    if (is_journal) RETURN_IF_ERROR(OrderJournal());
    std::vector<Value> values;
    for (std::size_t i = 0; after != nullptr && i < part.key_size; ++i) {
      values.push_back(ValueOfCell((*after)[i], part.columns[i].kind));
    }
    values.emplace_back(static_cast<std::int64_t>(limit));
    ASSIGN_OR_RETURN(
        postgresql::Rows rows,
        connection_->Query(SelectAfter(InPostgresql(), part, SourceOf(part), after != nullptr,
                                       is_journal ? ", folded_upn, has_keys" : ""),
                           values));
    std::vector<Row> read;
    while (rows.Next()) {
      Row& row = read.emplace_back();
      for (const Column& column : part.columns) row.push_back(TakeCell(rows, column));
      if (is_journal) RETURN_IF_ERROR(CheckFound(row, rows));
    }
    return read;
  }

  absl::Status CheckEmpty() override {
    for (const Part& part : Parts()) {
      if (&part == &TimeMarkPart()) continue;
      ASSIGN_OR_RETURN(const std::vector<Row> rows, Read(part, nullptr, 1));
      if (rows.empty()) continue;
      return Refuse(absl::StrCat("the target ", name(), " is not empty: it has ",
                                 NameOf(part, rows.front())));
    }
    ASSIGN_OR_RETURN(const std::int64_t had_journal,
                     connection_->QueryInteger("SELECT EXISTS (SELECT FROM journal_keys) "
                                               "OR EXISTS (SELECT FROM dropped_partitions)"));
    if (had_journal == 0) return absl::OkStatus();
    return Refuse(absl::StrCat("the target ", name(), " is not empty: it had a journal"));
  }

  absl::Status Begin(const MoveMark& mark) override {
    {
      ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*connection_));
      RETURN_IF_ERROR(connection_->Execute("DELETE FROM time_marks"));
      RETURN_IF_ERROR(postgresql::PutMoveMark(*connection_, mark));
      RETURN_IF_ERROR(transaction.Commit());
    }
    // Whoever looked for a mark before there was this one is connected.
    const absl::Status in_use = postgresql::CheckNobodyServes(*connection_);
    if (!in_use.ok()) RETURN_IF_ERROR(postgresql::RemoveMoveMark(*connection_));
    return in_use;
  }

  absl::StatusOr<std::optional<Row>> Last(const Part& part) override {
    if (&part == &JournalPart()) {
      ASSIGN_OR_RETURN(
          const std::int64_t last,
          connection_->QueryInteger("SELECT coalesce(max(sequence), 0) FROM journal_keys"));
      return last > 0 ? std::make_optional(Row{last}) : std::nullopt;
    }
    ASSIGN_OR_RETURN(postgresql::Rows rows, connection_->Query(SelectLastKey(
                                                InPostgresql(), part, part.postgresql_table)));
    if (!rows.Next()) return std::nullopt;
    Row row;
    for (std::size_t i = 0; i < part.key_size; ++i) row.push_back(TakeCell(rows, part.columns[i]));
    return std::make_optional(std::move(row));
  }

  absl::Status Write(const Part& part, absl::Span<const Row> rows) override {
    const bool is_journal = &part == &JournalPart();
    if (is_journal) RETURN_IF_ERROR(MakePartitions(rows));
    is_ordered_ = false;
    const std::string insert = InsertOf(part);
    std::vector<std::string> folded(rows.size());
    std::vector<Statement> statements = {{"BEGIN"}};
    for (std::size_t number = 0; number < rows.size(); ++number) {
      const Row& row = rows[number];
      Statement& statement = statements.emplace_back(Statement{insert});
      for (std::size_t i = 0; i < row.size(); ++i) {
        statement.values.push_back(ValueOfCell(row[i], part.columns[i].kind));
      }
      if (is_journal) {
        folded[number] = ca::FoldedUpn(std::get<std::string>(row[kJournalUser]));
        statement.values.emplace_back(Text{folded[number]});
      }
      if (&part == &TimeMarkPart()) statement.values.emplace_back(Text{options_.machine});
    }
    statements.push_back(
        {"UPDATE store_move SET records = records + $1", {static_cast<std::int64_t>(rows.size())}});
    statements.push_back({"COMMIT"});
    const absl::Status status = connection_->RunTogether(statements).status();
    if (!status.ok() && connection_->IsUsable() && connection_->InTransaction()) {
      connection_->Execute("ROLLBACK").IgnoreError();
    }
    return status;
  }

  absl::Status Finish() override {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*connection_));
    for (const absl::string_view sql : postgresql::kFinish)
      RETURN_IF_ERROR(connection_->Query(sql).status());
    return transaction.Commit();
  }

  absl::Status Complete() override {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*connection_));
    RETURN_IF_ERROR(postgresql::RemoveMoveMark(*connection_));
    return transaction.Commit();
  }

  absl::Status MarkMoved(const MoveMark& mark) override {
    RETURN_IF_ERROR(postgresql::PutMoveMark(*connection_, mark));
    RETURN_IF_ERROR(transaction_->Commit());
    transaction_.reset();
    return absl::OkStatus();
  }

 private:
  absl::Status OrderJournal() {
    if (is_ordered_) return absl::OkStatus();
    RETURN_IF_ERROR(connection_->Execute(std::string(postgresql::kMakeOrder)));
    is_ordered_ = true;
    return absl::OkStatus();
  }

  // What a record is found by must be of it.
  static absl::Status CheckFound(const Row& row, postgresql::Rows& rows) {
    const bool is_folded_right =
        rows.TakeOctets() == ca::FoldedUpn(std::get<std::string>(row[kJournalUser]));
    const bool has_keys = rows.TakeBoolean();
    if (is_folded_right && has_keys) return absl::OkStatus();
    return Refuse(absl::StrCat("a table is damaged: ", NameOf(JournalPart(), row),
                               has_keys ? " has another folded_upn" : " has no keys of its own"));
  }

  absl::Status MakePartitions(absl::Span<const Row> rows) {
    const std::int64_t span = std::chrono::microseconds(options_.partition_span).count();
    for (const Row& row : rows) {
      const std::int64_t at = std::get<std::int64_t>(row[kJournalIntendedAt]);
      if (!partitions_.insert(at / span).second) continue;
      RETURN_IF_ERROR(
          connection_->Query("SELECT make_journal_partition($1, $2)", {at, span}).status());
    }
    return absl::OkStatus();
  }

  const std::unique_ptr<Connection> connection_;
  const PostgresqlMoveOptions options_;
  const std::string id_;
  std::optional<Transaction> transaction_;  // of a source
  bool is_ordered_ = false;
  std::set<std::int64_t> partitions_;  // made by this object, as multiples of the span
};

absl::StatusOr<std::unique_ptr<PostgresqlMovable>> Open(const PostgresqlMoveOptions& options) {
  postgresql::ConnectionParameters parameters = options.connection;
  parameters.operation_timeout = kLongestStatement;
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, Connection::Open(parameters));
  ASSIGN_OR_RETURN(const postgresql::ServerFacts facts, postgresql::ReadServerFacts(*connection));
  RETURN_IF_ERROR(postgresql::CheckServer(facts, options.demands, {}));
  RETURN_IF_ERROR(postgresql::CheckSchemaIsKnown(*connection, postgresql::Migrations()));
  RETURN_IF_ERROR(postgresql::CheckIsOwner(*connection));
  RETURN_IF_ERROR(postgresql::TakeTheMove(*connection));
  RETURN_IF_ERROR(postgresql::CheckNobodyServes(*connection));
  // So that a portion is read by its keys, whatever statistics there are.
  RETURN_IF_ERROR(connection->Execute("SET enable_hashjoin = off; SET enable_mergejoin = off"));
  return std::make_unique<PostgresqlMovable>(
      std::move(connection), options,
      absl::StrCat("postgresql:", facts.system_identifier, "/", parameters.database));
}

}  // namespace

absl::StatusOr<std::unique_ptr<MovableStore>> OpenPostgresqlSource(
    const PostgresqlMoveOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<PostgresqlMovable> store, Open(options));
  RETURN_IF_ERROR(store->Lock());
  return std::unique_ptr<MovableStore>(std::move(store));
}

absl::StatusOr<std::unique_ptr<MovableStore>> OpenPostgresqlTarget(
    const PostgresqlMoveOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<PostgresqlMovable> store, Open(options));
  return std::unique_ptr<MovableStore>(std::move(store));
}

absl::Status ReopenPostgresqlStore(const PostgresqlMoveOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> owner, Connection::Open(options.connection));
  RETURN_IF_ERROR(postgresql::CheckSchema(*owner, postgresql::Migrations()));
  RETURN_IF_ERROR(postgresql::CheckIsOwner(*owner));
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*owner));
  ASSIGN_OR_RETURN(const std::optional<MoveMark> mark, postgresql::ReadMoveMark(*owner));
  if (!mark.has_value()) return Refuse("the store was not moved away");
  if (mark->kind == MoveMark::Kind::kInto) return RefuseMarked(*mark);
  RETURN_IF_ERROR(postgresql::RemoveMoveMark(*owner));
  return transaction.Commit();
}

}  // namespace hourglass::issuance
