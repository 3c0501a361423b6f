// A write-ahead log that was written for another database is found before SQLite replays it.
#include "issuance/store/sqlite/engine/wal_tie.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr auto kReplace = std::filesystem::copy_options::overwrite_existing;

// A database with a tie, in which each number that is added is a transaction.
class WalTieTest : public testing::Test {
 protected:
  WalTieTest() : connection_(Connect()) {
    EXPECT_OK(UseWriteAheadLog(*connection_));
    EXPECT_OK(
        connection_->Execute("CREATE TABLE numbers (number INTEGER); PRAGMA "
                             "wal_autocheckpoint = 0"));
  }

  void MakeTie() {
    Transaction transaction = Transaction::Begin(*connection_).value();
    EXPECT_OK(connection_->Execute(std::string(kMakeTie)));
    EXPECT_OK(transaction.Commit());
  }

  std::unique_ptr<Connection> Connect() {
    return Connection::Open(path_, std::chrono::milliseconds(1000)).value();
  }

  void Add(int number) {
    Transaction transaction = Transaction::Begin(*connection_).value();
    EXPECT_OK(connection_->Change("INSERT INTO numbers VALUES (?)", {number}));
    EXPECT_OK(transaction.Commit());
  }

  void Checkpoint() { EXPECT_OK(connection_->Execute("PRAGMA wal_checkpoint")); }

  // The files as a crash now would leave them.
  void Crash(const std::string& name) {
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(path_ + suffix, directory_.File(name + suffix), kReplace);
    }
  }

  // The main file of one crash and the log of another.
  std::string Mix(const std::string& main, const std::string& log) {
    const std::string mixed = directory_.File("mixed");
    std::filesystem::copy_file(directory_.File(main), mixed, kReplace);
    std::filesystem::copy_file(directory_.File(log + "-wal"), mixed + "-wal", kReplace);
    return mixed;
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.Write("database", "");
  std::unique_ptr<Connection> connection_;
};

// Whoever changes rows renews the row, and whoever says that the schema changes.
TEST_F(WalTieTest, TransactionsThatChangeAnythingRenewTheTie) {
  const auto tie = [this] {
    Rows rows = connection_->Query("SELECT hex(previous), hex(id) FROM wal_tie").value();
    EXPECT_OK(rows.Next());
    std::string previous = rows.TakeOctets();
    return std::pair(std::move(previous), rows.TakeOctets());
  };
  const auto commit = [this](absl::string_view sql, bool says_so) {
    Transaction transaction = Transaction::Begin(*connection_).value();
    if (says_so) transaction.ChangesTheSchema();
    EXPECT_OK(connection_->Execute(std::string(sql)));
    EXPECT_OK(transaction.Commit());
  };
  Add(1);  // before there is a row, which this connection must find later
  MakeTie();
  const auto first = tie();
  EXPECT_EQ(first.first, std::string(32, '0'));
  EXPECT_NE(first.second, std::string(32, '0'));
  commit("SELECT * FROM numbers", false);
  commit("UPDATE numbers SET number = 2 WHERE number = 99", false);
  EXPECT_EQ(tie(), first) << "nothing changed";
  auto before = first;
  for (const char* sql :
       {"INSERT INTO numbers VALUES (2)", "UPDATE numbers SET number = 3", "DELETE FROM numbers"}) {
    commit(sql, false);
    const auto after = tie();
    EXPECT_EQ(after.first, before.second) << sql;
    EXPECT_NE(after.second, before.second) << sql;
    before = after;
  }
  commit("CREATE TABLE others (a)", true);
  EXPECT_EQ(tie().first, before.second);
}

TEST_F(WalTieTest, WhatBelongsTogetherIsTaken) {
  EXPECT_OK(CheckWriteAheadLog(path_)) << "without a tie";
  MakeTie();
  EXPECT_OK(CheckWriteAheadLog(path_)) << "with its first";
  for (int i = 0; i < 20; ++i) {
    Add(i);
    Crash("crash");
    EXPECT_OK(CheckWriteAheadLog(directory_.File("crash"))) << i;
    if (i % 5 == 3) Checkpoint();
    Crash("crash");
    EXPECT_OK(CheckWriteAheadLog(directory_.File("crash"))) << i << " after a checkpoint";
  }
}

// A reader holds the checkpoint back, so that the file has a part of the log.
TEST_F(WalTieTest, AFileThatHasAPartOfItsLogIsTaken) {
  MakeTie();
  Add(1);
  const std::unique_ptr<Connection> reader = Connect();
  ASSERT_OK(reader->Execute("BEGIN; SELECT * FROM numbers"));
  Add(2);
  Add(3);
  Checkpoint();
  Crash("crash");
  EXPECT_OK(CheckWriteAheadLog(directory_.File("crash")));
}

TEST_F(WalTieTest, ALogOfAnotherTimeIsRefused) {
  MakeTie();
  Add(1);
  Checkpoint();
  Crash("older");  // its log holds what its file has
  Add(2);
  Checkpoint();
  Add(3);
  Crash("newer");
  EXPECT_OK(CheckWriteAheadLog(directory_.File("older")));
  EXPECT_OK(CheckWriteAheadLog(directory_.File("newer")));
  for (const auto& [main, log] : {std::pair("older", "newer"), std::pair("newer", "older")}) {
    const std::string mixed = Mix(main, log);
    const std::string before = ReadFileOrDie(mixed);
    const absl::Status refused = CheckWriteAheadLog(mixed);
    EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable)) << main;
    EXPECT_THAT(refused.message(), AllOf(HasSubstr(mixed + "-wal was not written for this file"),
                                         HasSubstr("move the -wal and -shm files")));
    EXPECT_EQ(ReadFileOrDie(mixed), before);
    std::filesystem::remove(mixed + "-wal");
    EXPECT_OK(CheckWriteAheadLog(mixed));
  }
}

TEST_F(WalTieTest, ALogOfBeforeTheTieIsRefusedBesideAFileWithOneAndTheOtherWayRound) {
  Add(1);
  Checkpoint();
  Add(2);
  Crash("before");
  EXPECT_OK(CheckWriteAheadLog(directory_.File("before")));
  MakeTie();
  Add(3);
  Checkpoint();
  Add(4);
  Crash("after");
  EXPECT_OK(CheckWriteAheadLog(directory_.File("after")));
  EXPECT_THAT(CheckWriteAheadLog(Mix("after", "before")),
              FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(CheckWriteAheadLog(Mix("before", "after")),
              FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(WalTieTest, ALogWithADamagedHeadOrBesideAnEmptyFileIsRefused) {
  MakeTie();
  Add(1);
  Crash("crash");
  const std::string crash = directory_.File("crash"), log = ReadFileOrDie(crash + "-wal");
  for (const std::size_t damaged : {0, 5, 9, 17, 25}) {
    std::string octets = log;
    octets[damaged] = static_cast<char>(octets[damaged] ^ 1);
    directory_.Write("crash-wal", octets);
    const absl::Status refused = CheckWriteAheadLog(crash);
    EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable)) << damaged;
    EXPECT_THAT(refused.message(), HasSubstr("is damaged at its head")) << damaged;
  }
  directory_.Write("crash-wal", log);
  EXPECT_OK(CheckWriteAheadLog(crash));
  directory_.Write("crash", "");
  EXPECT_THAT(CheckWriteAheadLog(crash), FailsWith(ErrorReason::kJournalUnavailable));
}

// What a power failure may leave: SQLite syncs the head before it writes on.
TEST_F(WalTieTest, ALogThatNeverHeldATransactionIsTaken) {
  MakeTie();
  Add(1);
  Crash("crash");
  const std::string crash = directory_.File("crash"), log = ReadFileOrDie(crash + "-wal");
  Checkpoint();
  std::filesystem::copy_file(path_, crash, kReplace);
  for (const std::string& octets : {std::string(), log.substr(0, 20), log.substr(0, 32),
                                    log.substr(0, 200), std::string(9000, '\0')}) {
    directory_.Write("crash-wal", octets);
    EXPECT_OK(CheckWriteAheadLog(crash)) << octets.size();
  }
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
