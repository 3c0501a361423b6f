#include "issuance/store/sqlite/engine/sqlite.h"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

class SqliteTest : public testing::Test {
 protected:
  std::unique_ptr<Connection> Connect(milliseconds busy_timeout = milliseconds(0)) {
    return Connection::Open(path_, busy_timeout).value();
  }

  std::int64_t Count(absl::string_view table = "numbers") {
    return Connect()->QueryInteger(absl::StrCat("SELECT count(*) FROM ", table)).value();
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.Write("database", "");
  const std::unique_ptr<Connection> connection_ = Connect();
};

TEST_F(SqliteTest, OpensOnlyAFileThatExists) {
  const std::string missing = directory_.File("missing");
  const auto opened = Connection::Open(missing, milliseconds(0));
  EXPECT_THAT(opened, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(MessageOf(opened.status()), HasSubstr(missing + ": No such file or directory"));
  EXPECT_FALSE(std::filesystem::exists(missing));
  EXPECT_THAT(Connection::Open(directory_.path(), milliseconds(0)),
              FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_OK(Connection::Open(path_, milliseconds(0)));
}

// What a prepared or damaged file could do otherwise.
TEST_F(SqliteTest, TrustsNoSchemaAndChecksCells) {
  EXPECT_EQ(connection_->QueryInteger("PRAGMA trusted_schema").value(), 0);
  EXPECT_EQ(connection_->QueryInteger("PRAGMA cell_size_check").value(), 1);
  EXPECT_EQ(connection_->QueryInteger("PRAGMA temp_store").value(), 2) << "in memory";
}

TEST_F(SqliteTest, ValuesAreWhatTheyAreGivenAs) {
  const std::string any("\0\xff'", 3);
  const struct {
    Value value;
    const char* type;
    const char* hex;
  } kCases[] = {
      {Value(), "null", ""},
      {std::int64_t{0}, "integer", "30"},
      {kLeast, "integer", "2D39323233333732303336383534373735383038"},
      {kMost, "integer", "39323233333732303336383534373735383037"},
      {Text{"it's"}, "text", "69742773"},
      {Text{absl::string_view()}, "text", ""},
      {Text{""}, "text", ""},
      {Blob{any}, "blob", "00FF27"},
      {Blob{absl::string_view()}, "blob", ""},
  };
  for (const auto& test : kCases) {
    ASSERT_OK_AND_ASSIGN(Rows rows, connection_->Query("SELECT typeof(?1), hex(?1)", {test.value}));
    ASSERT_OK(rows.Next());
    EXPECT_EQ(rows.TakeOctets(), test.type);
    EXPECT_EQ(rows.TakeOctets(), test.hex);
  }
}

TEST_F(SqliteTest, RowsAreReadFromLeftToRight) {
  ASSERT_OK_AND_ASSIGN(Rows rows, connection_->Query("VALUES (7, NULL, 'a', NULL, x'00ff', NULL), "
                                                     "(8, 0, '', 9, x'', -1)"));
  ASSERT_OK_AND_ASSIGN(bool there, rows.Next());
  ASSERT_TRUE(there);
  EXPECT_EQ(rows.TakeInteger(), 7);
  EXPECT_EQ(rows.TakeOptionalInteger(), std::nullopt);
  EXPECT_EQ(rows.TakeOctets(), "a");
  EXPECT_EQ(rows.TakeInteger(), 0) << "NULL";
  EXPECT_EQ(rows.TakeOctets(), std::string("\0\xff", 2));
  EXPECT_EQ(rows.TakeOctets(), "") << "NULL";
  ASSERT_OK_AND_ASSIGN(there, rows.Next());
  ASSERT_TRUE(there);
  EXPECT_EQ(rows.TakeInteger(), 8);
  EXPECT_EQ(rows.TakeOptionalInteger(), 0);
  EXPECT_EQ(rows.TakeOctets(), "");
  EXPECT_EQ(rows.TakeOptionalInteger(), 9);
  ASSERT_OK_AND_ASSIGN(there, rows.Next());
  EXPECT_FALSE(there);
}

TEST_F(SqliteTest, AStatementIsUsedOnceAtATime) {
  constexpr absl::string_view kSql = "SELECT ? UNION ALL SELECT 2";
  {
    ASSERT_OK_AND_ASSIGN(Rows rows, connection_->Query(kSql, {std::int64_t{1}}));
    ASSERT_OK(rows.Next());
    const auto again = connection_->Query(kSql, {std::int64_t{3}});
    EXPECT_THAT(again, FailsWith(ErrorReason::kInternalError));
    EXPECT_THAT(MessageOf(again.status()), HasSubstr("in use already"));
    EXPECT_OK(connection_->Query("SELECT ?", {std::int64_t{3}})) << "another";
    EXPECT_EQ(rows.TakeInteger(), 1);
  }
  EXPECT_EQ(connection_->QueryInteger(kSql, {std::int64_t{3}}).value(), 3);
}

TEST_F(SqliteTest, AQueryKeepsItsValues) {
  std::string octets = "before";
  ASSERT_OK_AND_ASSIGN(Rows rows, connection_->Query("SELECT ?, ?", {Text{octets}, Blob{octets}}));
  octets = "after!";
  ASSERT_OK(rows.Next());
  EXPECT_EQ(rows.TakeOctets(), "before");
  EXPECT_EQ(rows.TakeOctets(), "before");
}

TEST_F(SqliteTest, RefusesStatementsThatAreBrokenOrOtherwiseUsed) {
  const auto broken = FailsWith(ErrorReason::kInternalError);
  EXPECT_THAT(connection_->Execute("SELEC 1"), broken);
  EXPECT_THAT(connection_->Query("SELEC 1"), broken);
  EXPECT_THAT(connection_->Query("SELECT * FROM missing"), broken);
  EXPECT_THAT(connection_->Query("SELECT ?"), broken) << "too few";
  EXPECT_THAT(connection_->Query("SELECT ?", {Value(), Value()}), broken) << "too many";
  EXPECT_THAT(connection_->Change("SELECT 1", {Value()}), broken);
  EXPECT_THAT(connection_->QueryInteger("SELECT 1 WHERE ?", {std::int64_t{0}}), broken) << "no row";
  EXPECT_EQ(connection_->QueryInteger("SELECT 1 WHERE ?", {std::int64_t{1}}).value(), 1);
  ASSERT_OK(connection_->Execute("CREATE TABLE numbers (number INTEGER UNIQUE) STRICT"));
  EXPECT_OK(connection_->Change("INSERT INTO numbers VALUES (?)", {std::int64_t{1}}));
  const auto doubled = connection_->Change("INSERT INTO numbers VALUES (?)", {std::int64_t{1}});
  EXPECT_THAT(doubled, broken);
  EXPECT_THAT(MessageOf(doubled.status()), AllOf(HasSubstr(path_), HasSubstr("UNIQUE")));
  EXPECT_THAT(connection_->Change("INSERT INTO numbers VALUES (?)", {Text{"x"}}), broken);
}

TEST_F(SqliteTest, TellsHowManyRowsChanged) {
  ASSERT_OK(connection_->Execute("CREATE TABLE numbers (number INTEGER)"));
  const std::int64_t before = connection_->ChangesSoFar();
  const auto change = [&](absl::string_view sql) { return connection_->Change(sql, {}).value(); };
  EXPECT_EQ(change("INSERT INTO numbers VALUES (1), (2), (3)"), 3);
  EXPECT_EQ(change("UPDATE numbers SET number = 4 WHERE number > 1"), 2);
  EXPECT_EQ(change("UPDATE numbers SET number = 4 WHERE number > 9"), 0);
  EXPECT_EQ(change("INSERT INTO numbers SELECT 5 RETURNING number"), 1);
  EXPECT_EQ(change("DELETE FROM numbers"), 4);
  EXPECT_EQ(connection_->ChangesSoFar() - before, 10);
}

TEST_F(SqliteTest, SaysWhyAFileCannotBeUsed) {
  ASSERT_OK(connection_->Execute("CREATE TABLE blobs (octets BLOB)"));
  const auto unavailable = [&](const absl::Status& status, absl::string_view why) {
    EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(MessageOf(status), HasSubstr(absl::StrCat(path_, ": ", why)));
  };
  const std::unique_ptr<Connection> full = Connect();
  ASSERT_OK(full->Execute("PRAGMA max_page_count = 2"));
  unavailable(full->Execute("INSERT INTO blobs VALUES (zeroblob(100000))"), "the disk is full");
  const std::unique_ptr<Connection> reader = Connect();
  ASSERT_OK(reader->Execute("PRAGMA query_only = ON"));
  const absl::Status read_only = reader->Execute("DELETE FROM blobs");
  EXPECT_THAT(read_only, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(MessageOf(read_only), AllOf(HasSubstr("is read-only"), HasSubstr(path_)));
  ASSERT_OK(connection_->Execute("BEGIN EXCLUSIVE"));
  unavailable(reader->QueryInteger("SELECT count(*) FROM blobs").status(),
              "the file is locked by another process");
  ASSERT_OK(connection_->Execute("COMMIT"));
  std::string content = ReadFileOrDie(path_);
  directory_.Write("database", "not " + content.substr(4));
  unavailable(Connect()->Execute("SELECT * FROM blobs"), "the file is not a SQLite database");
  content[100] = '\x7f';  // the kind of the schema's page
  directory_.Write("database", content);
  unavailable(Connect()->Execute("SELECT * FROM blobs"), "the file is damaged");
}

TEST_F(SqliteTest, PausesNowAndThen) {
  int pauses = 0;
  connection_->PauseWithin([&] { ++pauses; });
  const std::string count_to =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
      "SELECT count(*) FROM n";
  ASSERT_OK(connection_->QueryInteger(count_to, {std::int64_t{1}}));
  EXPECT_EQ(pauses, 0);
  ASSERT_OK(connection_->QueryInteger(count_to, {std::int64_t{10000}}));
  EXPECT_GE(pauses, 20);
  EXPECT_LE(pauses, 1000);
}

class SqliteTransactionTest : public SqliteTest {
 protected:
  SqliteTransactionTest() {
    EXPECT_OK(UseWriteAheadLog(*connection_));
    EXPECT_OK(connection_->Execute("CREATE TABLE numbers (number INTEGER)"));
  }
  void Add() { EXPECT_OK(connection_->Execute("INSERT INTO numbers VALUES (1)")); }
};

TEST_F(SqliteTransactionTest, AWriteAheadLogStays) {
  ASSERT_OK_AND_ASSIGN(Rows rows, connection_->Query("PRAGMA journal_mode"));
  ASSERT_OK(rows.Next());
  EXPECT_EQ(rows.TakeOctets(), "wal");
  EXPECT_OK(UseWriteAheadLog(*Connect())) << "a second time";
  EXPECT_TRUE(std::filesystem::exists(path_ + "-wal"));
}

TEST_F(SqliteTransactionTest, IsRolledBackUnlessCommitted) {
  EXPECT_FALSE(connection_->InTransaction());
  {
    Transaction transaction = Transaction::Begin(*connection_).value();
    EXPECT_TRUE(connection_->InTransaction());
    Add();
    EXPECT_EQ(Count(), 0) << "others see nothing of it";
  }
  EXPECT_FALSE(connection_->InTransaction());
  EXPECT_EQ(Count(), 0);
  Transaction transaction = Transaction::Begin(*connection_).value();
  Add();
  EXPECT_OK(transaction.Commit());
  EXPECT_FALSE(connection_->InTransaction());
  EXPECT_EQ(Count(), 1);
}

TEST_F(SqliteTransactionTest, HasTheWriteLockFromItsBeginning) {
  const std::unique_ptr<Connection> other = Connect();
  {
    const Transaction transaction = Transaction::Begin(*connection_).value();
    EXPECT_THAT(Transaction::Begin(*other), FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_EQ(Count(), 0) << "readers do not wait";
  }
  EXPECT_OK(Transaction::Begin(*other));
  const Transaction outer = Transaction::Begin(*connection_).value();
  EXPECT_THAT(Transaction::Begin(*connection_), FailsWith(ErrorReason::kInternalError));
}

// With a write-ahead log, as the service uses it: without one a COMMIT needs the readers' lock too,
// and each attempt of whoever waits takes that for a moment.
//
// SQLite's own busy handler would wait as well, but seldom looks.
TEST_F(SqliteTransactionTest, WaitsForTheLocksOfOthers) {
  const std::unique_ptr<Connection> hasty = Connect(milliseconds(3));
  const std::unique_ptr<Connection> patient = Connect(milliseconds(600000));
  std::thread waiting;
  {
    Transaction held = Transaction::Begin(*connection_).value();
    EXPECT_THAT(Transaction::Begin(*hasty), FailsWith(ErrorReason::kJournalUnavailable));
    std::promise<void> begins;
    waiting = std::thread([&] {
      begins.set_value();
      EXPECT_OK(Transaction::Begin(*patient));
    });
    begins.get_future().wait();
    EXPECT_THAT(Transaction::Begin(*hasty), FailsWith(ErrorReason::kJournalUnavailable))
        << "meanwhile";
    EXPECT_OK(held.Commit());
  }
  waiting.join();
}

TEST_F(SqliteTransactionTest, WhatWasMovedFromEndsNothing) {
  std::optional<Transaction> first(Transaction::Begin(*connection_).value());
  Transaction second = *std::move(first);
  Add();
  first.reset();
  EXPECT_TRUE(connection_->InTransaction());
  EXPECT_OK(second.Commit());
  EXPECT_EQ(Count(), 1);
}

TEST_F(SqliteTransactionTest, ACommitThatFailsIsRolledBack) {
  ASSERT_OK(
      connection_->Execute("PRAGMA foreign_keys = ON; CREATE TABLE parents (id INTEGER PRIMARY "
                           "KEY); CREATE TABLE children (parent INTEGER REFERENCES parents "
                           "DEFERRABLE INITIALLY DEFERRED)"));
  {
    Transaction transaction = Transaction::Begin(*connection_).value();
    ASSERT_OK(connection_->Execute("INSERT INTO children VALUES (7)"));
    EXPECT_THAT(transaction.Commit(), FailsWith(ErrorReason::kInternalError));
  }
  EXPECT_FALSE(connection_->InTransaction());
  EXPECT_EQ(Count("children"), 0);
  EXPECT_OK(Transaction::Begin(*connection_));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
