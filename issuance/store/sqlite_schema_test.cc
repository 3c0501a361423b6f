#include "issuance/store/sqlite_schema.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "issuance/store/sqlite_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

class SqliteSchemaTest : public testing::Test {
 protected:
  std::unique_ptr<Connection> Connect() {
    return Connection::Open(path_, std::chrono::milliseconds(1000)).value();
  }
  std::int64_t Version() { return Connect()->QueryInteger("PRAGMA user_version").value(); }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.Write("hourglass.db", "");
};

// What a later version of the program might add.
std::vector<absl::string_view> WithOneMore(absl::string_view migration) {
  std::vector<absl::string_view> migrations(Migrations().begin(), Migrations().end());
  migrations.push_back(migration);
  return migrations;
}

TEST_F(SqliteSchemaTest, LeadsFromAnEmptyFileToTheNewest) {
  ASSERT_OK(Migrate(*Connect(), Migrations()));
  EXPECT_EQ(Version(), static_cast<std::int64_t>(Migrations().size()));
  EXPECT_OK(Migrate(*Connect(), Migrations())) << "a second time";
}

TEST_F(SqliteSchemaTest, LeadsFromEachVersionToTheNewestAndKeepsWhatIsThere) {
  const std::vector<absl::string_view> migrations =
      WithOneMore("ALTER TABLE tenants ADD COLUMN note TEXT NOT NULL DEFAULT 'none'");
  for (std::size_t from = 1; from < migrations.size(); ++from) {
    directory_.Write("hourglass.db", "");
    ASSERT_OK(Migrate(*Connect(), absl::MakeConstSpan(migrations).first(from)));
    ASSERT_OK(Connect()->Execute("INSERT INTO tenants VALUES ('contoso', 'Contoso', 1, 2, 3, 4)"));
    ASSERT_OK(Migrate(*Connect(), migrations));
    EXPECT_EQ(Version(), static_cast<std::int64_t>(migrations.size()));
    const std::unique_ptr<Connection> connection = Connect();
    EXPECT_THAT(connection->QueryInteger("SELECT epoch FROM tenants WHERE note = 'none'"), IsOk());
  }
}

TEST_F(SqliteSchemaTest, AMigrationThatFailsLeavesTheVersionBeforeIt) {
  const std::vector<absl::string_view> broken =
      WithOneMore("CREATE TABLE half (x); INSERT INTO missing VALUES (1)");
  EXPECT_THAT(Migrate(*Connect(), broken), FailsWith(ErrorReason::kInternalError));
  EXPECT_EQ(Version(), static_cast<std::int64_t>(Migrations().size()));
  EXPECT_EQ(
      Connect()->QueryInteger("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").value(), 0);
  EXPECT_OK(OpenSqliteStore(path_));
}

TEST_F(SqliteSchemaTest, ANewerProgramsFileIsRefused) {
  ASSERT_OK(Migrate(*Connect(), WithOneMore("CREATE TABLE later (x)")));
  EXPECT_THAT(OpenSqliteStore(path_), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(CheckSchema(*Connect(), Migrations()), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_OK(CheckSchema(*Connect(), WithOneMore("")));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
