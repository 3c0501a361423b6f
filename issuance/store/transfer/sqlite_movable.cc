#include "issuance/store/transfer/sqlite_movable.h"

#include <openssl/evp.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite_move_mark.h"
#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "issuance/store/sqlite/sqlite_check.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/transfer/part_statements.h"
#include "issuance/store/transfer/sqlite_files.h"
#include "issuance/store/transfer/sqlite_journal_portions.h"

namespace hourglass::issuance {
namespace {

using sqlite::Blob;
using sqlite::Connection;
using sqlite::Text;
using sqlite::Transaction;
using sqlite::Value;

constexpr std::size_t kFindingsShown = 3;

absl::Status Refuse(absl::string_view why) {
  return Error(ErrorReason::kJournalUnavailable, "", absl::StrCat("database: ", why));
}

std::string NameOfColumn(const Column& column) {
  return std::string(column.sqlite_name.empty() ? column.name : column.sqlite_name);
}

const Dialect& InSqlite() {
  static const auto* const dialect =
      new Dialect{[](const Part&, const Column& column) { return NameOfColumn(column); },
                  NameOfColumn, [](std::size_t) -> std::string { return "?"; }};
  return *dialect;
}

Value ValueOfCell(const Cell& cell, CellKind kind) {
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return *number;
  const auto* const octets = std::get_if<std::string>(&cell);
  if (octets == nullptr) return Value();
  if (kind == CellKind::kText) return Text{*octets};
  return Blob{*octets};
}

Cell TakeCell(sqlite::Rows& rows, const Column& column) {
  if (column.kind == CellKind::kInteger || column.kind == CellKind::kBoolean) {
    const std::optional<std::int64_t> number = rows.TakeOptionalInteger();
    return number.has_value() ? Cell(*number) : Cell();
  }
  const bool is_nothing = column.may_be_nothing && rows.TakeInteger() != 0;
  std::string octets = rows.TakeOctets();
  return is_nothing ? Cell() : Cell(std::move(octets));
}

// By the key of the journal's hashes, which every store has of its own and nobody needs to know.
absl::StatusOr<std::string> IdOf(const HashKey& key) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  if (EVP_Digest(&key, sizeof(key), digest, nullptr, EVP_sha256(), nullptr) != 1) {
    return Error(ErrorReason::kInternalError, "", "SHA-256 cannot be computed");
  }
  constexpr std::size_t kEnough = 16;
  return absl::StrCat("sqlite:", absl::BytesToHexString(absl::string_view(
                                     reinterpret_cast<const char*>(digest), kEnough)));
}

absl::StatusOr<bool> IsMarked(const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> main, OpenAlone(path));
  ASSIGN_OR_RETURN(const std::optional<MoveMark> mark, sqlite::ReadMoveMark(*main));
  return mark.has_value();
}

// What is wrong with a store that nobody has open.
absl::Status CheckSound(const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<std::string> findings, CheckSqliteStore(path));
  if (findings.empty()) return absl::OkStatus();
  std::string message = absl::StrJoin(
      absl::MakeSpan(findings).subspan(0, std::min(findings.size(), kFindingsShown)), "; ");
  if (findings.size() > kFindingsShown) {
    absl::StrAppend(&message, "; and ", findings.size() - kFindingsShown, " more");
  }
  return Error(ErrorReason::kJournalUnavailable, "", message);
}

class SqliteMovable final : public MovableStore {
 public:
  SqliteMovable(std::string directory, const SqliteStoreOptions& options)
      : directory_(std::move(directory)), path_(SqliteStorePath(directory_)), options_(options) {}

  // Of a store that is there.
  absl::Status Load() {
    ASSIGN_OR_RETURN(main_, OpenAlone(path_));
    ASSIGN_OR_RETURN(const HashKey key, sqlite::ReadHashKey(*main_));
    ASSIGN_OR_RETURN(id_, IdOf(key));
    ASSIGN_OR_RETURN(journal_, SqliteJournalPortions::Open(main_.get(), path_, options_));
    return absl::OkStatus();
  }

  std::string name() const override { return absl::StrCat("sqlite:", directory_); }
  std::string id() const override { return id_; }

  absl::StatusOr<std::optional<MoveMark>> Mark() override {
    if (main_ == nullptr) return std::nullopt;
    return sqlite::ReadMoveMark(*main_);
  }

  absl::StatusOr<std::vector<Row>> Read(const Part& part, const Row* after,
                                        std::size_t limit) override {
    if (&part == &JournalPart()) {
      return journal_->Read(after == nullptr ? 0 : std::get<std::int64_t>(after->front()), limit);
    }
    std::vector<Value> values;
    for (std::size_t i = 0; after != nullptr && i < part.key_size; ++i) {
      values.push_back(ValueOfCell((*after)[i], part.columns[i].kind));
    }
    values.push_back(static_cast<std::int64_t>(limit));
    ASSIGN_OR_RETURN(
        sqlite::Rows rows,
        main_->Query(SelectAfter(InSqlite(), part, part.sqlite_table, after != nullptr), values));
    std::vector<Row> read;
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) break;
      Row& row = read.emplace_back();
      for (const Column& column : part.columns) row.push_back(TakeCell(rows, column));
    }
    if (part.name == "roots") RaiseLastLeaves(read);
    return read;
  }

  absl::Status CheckEmpty() override {
    if (main_ == nullptr) return absl::OkStatus();
    for (const Part& part : Parts()) {
      if (&part == &TimeMarkPart()) continue;
      ASSIGN_OR_RETURN(const std::vector<Row> rows, Read(part, nullptr, 1));
      if (rows.empty()) continue;
      return Refuse(
          absl::StrCat("the target ", path_, " is not empty: it has ", NameOf(part, rows.front())));
    }
    if (journal_->IsEmpty()) return absl::OkStatus();
    return Refuse(absl::StrCat("the target ", path_, " is not empty: it had a journal"));
  }

  absl::Status Begin(const MoveMark& mark) override {
    if (main_ == nullptr) {
      RETURN_IF_ERROR(OpenSqliteStore(path_, options_).status());
      RETURN_IF_ERROR(Load());
    }
    return Change([&]() -> absl::Status {
      RETURN_IF_ERROR(main_->Change("DELETE FROM time_mark", {}).status());
      return sqlite::PutMoveMark(*main_, mark);
    });
  }

  absl::StatusOr<std::optional<Row>> Last(const Part& part) override {
    if (&part == &JournalPart()) {
      ASSIGN_OR_RETURN(const std::optional<std::int64_t> last, journal_->Last());
      return last.has_value() ? std::make_optional(Row{*last}) : std::nullopt;
    }
    ASSIGN_OR_RETURN(sqlite::Rows rows,
                     main_->Query(SelectLastKey(InSqlite(), part, part.sqlite_table)));
    ASSIGN_OR_RETURN(const bool found, rows.Next());
    if (!found) return std::nullopt;
    Row row;
    for (std::size_t i = 0; i < part.key_size; ++i) row.push_back(TakeCell(rows, part.columns[i]));
    return std::make_optional(std::move(row));
  }

  absl::Status Write(const Part& part, absl::Span<const Row> rows) override {
    const auto count = static_cast<std::int64_t>(rows.size());
    if (&part == &JournalPart()) {
      RETURN_IF_ERROR(journal_->Write(rows));
      return Change([&] { return NoteWritten(count); });
    }
    const std::string insert = InsertOf(part);
    return Change([&]() -> absl::Status {
      for (const Row& row : rows) {
        std::vector<Value> values;
        for (std::size_t i = 0; i < row.size(); ++i) {
          values.push_back(ValueOfCell(row[i], part.columns[i].kind));
        }
        RETURN_IF_ERROR(main_->Change(insert, values).status());
      }
      return NoteWritten(count);
    });
  }

  absl::Status Finish() override { return absl::OkStatus(); }

  absl::Status Complete() override {
    RETURN_IF_ERROR(GiveToOwnerOf(directory_, path_));
    return Change([&] { return sqlite::RemoveMoveMark(*main_); });
  }

  absl::Status MarkMoved(const MoveMark& mark) override {
    return Change([&] { return sqlite::PutMoveMark(*main_, mark); });
  }

 private:
  template <typename Statements>
  absl::Status Change(Statements statements) {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*main_));
    transaction.ChangesTheSchema();
    RETURN_IF_ERROR(statements());
    return transaction.Commit();
  }

  absl::Status NoteWritten(std::int64_t count) {
    return main_->Change("UPDATE store_move SET records = records + ?", {count}).status();
  }

  static std::string InsertOf(const Part& part) {
    std::vector<std::string> names, values;
    for (const Column& column : part.columns) {
      names.push_back(NameOfColumn(column));
      values.emplace_back("?");
    }
    if (&part == &TimeMarkPart()) {
      names.emplace_back("only_row");
      values.emplace_back("1");
    }
    return absl::StrCat("INSERT INTO ", part.sqlite_table, " (", absl::StrJoin(names, ", "),
                        ") VALUES (", absl::StrJoin(values, ", "), ")");
  }

  // Of the active segment's intents the main file knows nothing.
  void RaiseLastLeaves(std::vector<Row>& roots) const {
    const sqlite::LastLeaves leaves = journal_->LastLeaves();
    for (Row& root : roots) {
      const auto leaf = leaves.find(std::make_pair(std::get<std::string>(root[kRootTenant]),
                                                   std::get<std::string>(root[kRootId])));
      if (leaf == leaves.end()) continue;
      const std::int64_t end = leaf->second.time_since_epoch().count();
      const auto* const known = std::get_if<std::int64_t>(&root[kRootLastLeaf]);
      if (known == nullptr || *known < end) root[kRootLastLeaf] = end;
    }
  }

  const std::string directory_;
  const std::string path_;
  const SqliteStoreOptions options_;
  std::string id_;
  std::unique_ptr<Connection> main_;
  std::unique_ptr<SqliteJournalPortions> journal_;
};

absl::StatusOr<std::unique_ptr<SqliteMovable>> Load(const std::string& directory,
                                                    const SqliteStoreOptions& options) {
  auto store = std::make_unique<SqliteMovable>(directory, options);
  RETURN_IF_ERROR(store->Load());
  return store;
}

// Whether the file has all that a store has; one whose making was interrupted is made first.
absl::StatusOr<bool> IsWholeTarget(const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> main, OpenAlone(path));
  ASSIGN_OR_RETURN(const std::optional<MoveMark> mark, sqlite::ReadMoveMark(*main));
  if (mark.has_value()) return true;
  RETURN_IF_ERROR(sqlite::CheckSchema(*main, sqlite::Migrations()));
  ASSIGN_OR_RETURN(const std::int64_t version, main->QueryInteger("PRAGMA user_version"));
  if (version == 0) return false;
  if (version == static_cast<std::int64_t>(sqlite::Migrations().size())) {
    ASSIGN_OR_RETURN(const std::int64_t segments,
                     main->QueryInteger("SELECT count(*) FROM journal_segments"));
    if (segments > 0) return true;
  }
  ASSIGN_OR_RETURN(const std::int64_t tenants, main->QueryInteger("SELECT count(*) FROM tenants"));
  if (tenants == 0) return false;
  return Refuse(absl::StrCat("the target ", path, " is not empty: it has ", tenants,
                             " tenants of schema version ", version));
}

}  // namespace

absl::StatusOr<std::unique_ptr<MovableStore>> OpenSqliteSource(const std::string& data_directory) {
  const std::string path = SqliteStorePath(data_directory);
  if (!std::filesystem::exists(path)) return Refuse(absl::StrCat("there is no store ", path));
  ASSIGN_OR_RETURN(const bool is_marked, IsMarked(path));
  if (!is_marked) RETURN_IF_ERROR(CheckSound(path));
  return Load(data_directory, {});
}

absl::StatusOr<std::unique_ptr<MovableStore>> OpenSqliteTarget(const std::string& data_directory,
                                                               const SqliteStoreOptions& options) {
  const std::string path = SqliteStorePath(data_directory);
  if (!std::filesystem::is_directory(data_directory)) {
    return Refuse(absl::StrCat("there is no folder ", data_directory, ": make it first"));
  }
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size == 0) return std::make_unique<SqliteMovable>(data_directory, options);
  ASSIGN_OR_RETURN(const bool is_whole, IsWholeTarget(path));
  if (is_whole) return Load(data_directory, options);
  return std::make_unique<SqliteMovable>(data_directory, options);
}

absl::Status ReopenSqliteStore(const std::string& data_directory) {
  const std::string path = SqliteStorePath(data_directory);
  if (!std::filesystem::exists(path)) return Refuse(absl::StrCat("there is no store ", path));
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> main, OpenAlone(path));
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*main));
  transaction.ChangesTheSchema();
  ASSIGN_OR_RETURN(const std::optional<MoveMark> mark, sqlite::ReadMoveMark(*main));
  if (!mark.has_value()) return Refuse(absl::StrCat(path, " was not moved away"));
  if (mark->kind == MoveMark::Kind::kInto) return RefuseMarked(*mark);
  RETURN_IF_ERROR(sqlite::RemoveMoveMark(*main));
  return transaction.Commit();
}

}  // namespace hourglass::issuance
