// Connection::QuickCheck: damage is found, and a check that takes too long gives up without a word.
#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

constexpr milliseconds kLong(3600000), kNone(0);

class SqliteQuickCheckTest : public testing::Test {
 protected:
  // A table of 5000 rows on many pages.
  SqliteQuickCheckTest() {
    EXPECT_OK(Connect()->Execute(
        "CREATE TABLE numbers (number INTEGER, octets BLOB);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        "INSERT INTO numbers SELECT nullif(i, 4999), randomblob(40) FROM n"));
  }

  std::unique_ptr<Connection> Connect() { return Connection::Open(path_, kNone).value(); }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.Write("database", "");
};

TEST_F(SqliteQuickCheckTest, ASoundFilePasses) {
  const std::unique_ptr<Connection> connection = Connect();
  EXPECT_OK(connection->QuickCheck(kLong));
  EXPECT_OK(connection->QuickCheck(kNone));
  EXPECT_EQ(connection->QueryInteger("SELECT count(*) FROM numbers").value(), 5000)
      << "no statement after it is cut short";
  directory_.Write("database", "");
  EXPECT_OK(Connect()->QuickCheck(kLong)) << "an empty one";
}

TEST_F(SqliteQuickCheckTest, TellsTheFirstThingThatIsWrong) {
  std::string content = ReadFileOrDie(path_);
  ASSERT_GT(content.size(), 20u * 4096);
  content.replace(10 * 4096, 4096, 4096, '\xa5');
  directory_.Write("database", content);
  const absl::Status damaged = Connect()->QuickCheck(kLong);
  EXPECT_THAT(damaged, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(damaged.message()),
              HasSubstr(absl::StrCat(path_, ": the file is damaged")));
}

// Its 4999th row breaks the rule of its table, which is found row by row.
TEST_F(SqliteQuickCheckTest, GivesUpWhenTheTimeIsOver) {
  ASSERT_OK(Connect()->Execute(
      "PRAGMA writable_schema = ON;"
      "UPDATE sqlite_schema SET sql = replace(sql, 'number INTEGER', 'number INTEGER NOT NULL')"));
  const std::unique_ptr<Connection> connection = Connect();
  const absl::Status damaged = connection->QuickCheck(kLong);
  EXPECT_THAT(damaged, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(damaged.message()),
              AllOf(HasSubstr(path_), HasSubstr("NULL value in numbers.number")));
  EXPECT_OK(connection->QuickCheck(kNone));
  EXPECT_EQ(connection->QueryInteger("SELECT count(*) FROM numbers").value(), 5000);
}

TEST_F(SqliteQuickCheckTest, SaysThatTheFileIsNoDatabase) {
  directory_.Write("database", std::string(8192, 'x'));
  const absl::Status other = Connect()->QuickCheck(kLong);
  EXPECT_THAT(other, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(other.message()), HasSubstr("is not a SQLite database"));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
