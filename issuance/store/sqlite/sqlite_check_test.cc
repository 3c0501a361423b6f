// What a start does not look at is found by the check of everything.
#include "issuance/store/sqlite/sqlite_check.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class SqliteCheckTest : public testing::Test {
 protected:
  // Two segments are sealed, indexed and in one run.
  SqliteCheckTest() {
    SqliteStoreOptions options;
    options.segment_intents = 200;
    const std::unique_ptr<Store> store = OpenSqliteStore(path_, options).value();
    EXPECT_OK(AddSamplePrimary(*store));
    for (int i = 0; i < 401; ++i) EXPECT_OK(Append(*store, SampleIntent(absl::StrCat(i))));
    while (Catalog().runs.size() != 1 || Catalog().runs[0].last_segment != 2) {
      std::this_thread::yield();
    }
  }

  std::unique_ptr<sqlite::Connection> Connect(const std::string& path) {
    return sqlite::Connection::Open(path, std::chrono::milliseconds(1000)).value();
  }
  sqlite::Catalog Catalog() { return sqlite::ReadCatalog(*Connect(path_)).value(); }
  std::string Segment(int number) {
    return absl::StrCat(path_, ".journal/0000000", number, ".sqlite");
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.File("hourglass.db");
};

TEST_F(SqliteCheckTest, ASoundStoreHasNoFindings) {
  const auto findings = CheckSqliteStore(path_);
  ASSERT_OK(findings);
  EXPECT_THAT(*findings, IsEmpty());
  EXPECT_OK(OpenSqliteStore(path_));
}

TEST_F(SqliteCheckTest, FindsADamagedPageOfASealedSegment) {
  {
    std::fstream file(Segment(1), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 20);
    file << std::string(4096, 'x');
  }
  EXPECT_OK(OpenSqliteStore(path_)) << "a start does not read sealed segments";
  const auto findings = CheckSqliteStore(path_);
  ASSERT_OK(findings);
  EXPECT_THAT(*findings, Contains(HasSubstr(Segment(1))));
}

TEST_F(SqliteCheckTest, FindsRecordsThatAreMissingOrInNoRun) {
  ASSERT_OK(Connect(Segment(2))->Execute("DELETE FROM intents WHERE sequence = 201"));
  ASSERT_OK(
      Connect(Segment(1))
          ->Execute("UPDATE intents SET request_id = 'of another history' WHERE sequence = 7"));
  const auto findings = CheckSqliteStore(path_);
  ASSERT_OK(findings);
  EXPECT_THAT(*findings,
              AllOf(Contains(HasSubstr("00000002.sqlite: the first records are missing")),
                    Contains(HasSubstr("00000001.sqlite: record 7 is not in"))));
}

TEST_F(SqliteCheckTest, FindsAPageOfARunThatIsDamaged) {
  {
    std::fstream file(absl::StrCat(path_, ".journal/",
                                   absl::Dec(Catalog().runs[0].number, absl::kZeroPad8), ".keys"),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5000);
    file << "x";
  }
  const auto findings = CheckSqliteStore(path_);
  ASSERT_OK(findings);
  EXPECT_THAT(*findings,
              Contains(AllOf(HasSubstr(".keys is damaged"), HasSubstr("remove the file"))));
}

TEST_F(SqliteCheckTest, RefusesWhatIsNoStoreOfThisVersion) {
  EXPECT_THAT(CheckSqliteStore(directory_.File("missing")),
              FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_FALSE(std::filesystem::exists(directory_.File("missing")));
  ASSERT_OK(Connect(path_)->Execute("PRAGMA user_version = 5"));
  const auto older = CheckSqliteStore(path_);
  EXPECT_THAT(older, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(older.status().message(), HasSubstr("schema version 5"));
}

}  // namespace
}  // namespace hourglass::issuance
