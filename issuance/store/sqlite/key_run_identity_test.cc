// A key run is believed only where the main file says so: of two histories none passes a request id
// that the other has.
#include <gmock/gmock.h>

#include <bit>
#include <filesystem>
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

constexpr auto kReplace = std::filesystem::copy_options::overwrite_existing;

class KeyRunIdentityTest : public testing::Test {
 protected:
  KeyRunIdentityTest() { options_.segment_intents = 2; }

  std::string Path(const std::string& store) { return directory_.File(store); }

  sqlite::Catalog Catalog(const std::string& store) {
    const auto main =
        sqlite::Connection::Open(Path(store), std::chrono::milliseconds(1000)).value();
    return sqlite::ReadCatalog(*main).value();
  }

  std::string RunFile(const std::string& store, std::int64_t number) {
    return absl::StrCat(Path(store), ".journal/", absl::Dec(number, absl::kZeroPad8), ".keys");
  }

  // Goes on with intents of these ids, until all that is sealed is indexed and merged.
  void Extend(const std::string& store, const std::string& prefix, int first, int last) {
    const std::unique_ptr<Store> opened = OpenSqliteStore(Path(store), options_).value();
    if (opened->ListTenants()->empty()) {
      EXPECT_OK(AddSamplePrimary(*opened));
    }
    for (int i = first; i <= last; ++i) {
      EXPECT_OK(Append(*opened, SampleIntent(absl::StrCat(prefix, i))));
    }
    for (;;) {
      const sqlite::Catalog catalog = Catalog(store);
      const bool indexed = std::all_of(catalog.segments.begin(), catalog.segments.end(),
                                       [](const sqlite::Segment& segment) {
                                         return segment.state != sqlite::SegmentState::kSealed;
                                       });
      const std::size_t sealed = catalog.segments.size() - 1;
      if (indexed && catalog.runs.size() == static_cast<std::size_t>(std::popcount(sealed))) return;
      std::this_thread::yield();
    }
  }

  // No request id passes again.
  void ExpectKnown(const std::string& store, const std::string& prefix, int first, int last) {
    const auto opened = OpenSqliteStore(Path(store), options_);
    ASSERT_OK(opened);
    for (int i = first; i <= last; ++i) {
      EXPECT_THAT(Append(**opened, SampleIntent(absl::StrCat(prefix, i))),
                  FailsWith(ErrorReason::kRequestIdReused))
          << prefix << i;
    }
  }

  void CopyStore(const std::string& from, const std::string& to) {
    std::filesystem::copy_file(Path(from), Path(to), kReplace);
    std::filesystem::copy(Path(from) + ".journal", Path(to) + ".journal");
  }

  const TemporaryDirectory directory_;
  SqliteStoreOptions options_;
};

// Both have the same key for their hashes, and so runs whose checksums both believe.
TEST_F(KeyRunIdentityTest, ARunOfTheOtherHistoryIsMadeAgain) {
  Extend("one", "shared-", 1, 3);
  CopyStore("one", "two");
  Extend("one", "one-", 1, 6);
  Extend("two", "two-", 1, 6);
  const sqlite::Catalog one = Catalog("one"), two = Catalog("two");
  ASSERT_EQ(one.runs.size(), two.runs.size());
  ASSERT_EQ(one.runs.back().number, two.runs.back().number) << "numbers repeat after a restore";
  for (const sqlite::KeyRunRow& run : one.runs) {
    std::filesystem::copy_file(RunFile("two", run.number), RunFile("one", run.number), kReplace);
  }
  ExpectKnown("one", "one-", 1, 6);
  ExpectKnown("one", "shared-", 1, 3);
  ExpectKnown("two", "two-", 1, 6);
}

TEST_F(KeyRunIdentityTest, ARunOfAnotherStoreIsMadeAgain) {
  Extend("one", "one-", 1, 5);
  Extend("two", "two-", 1, 5);
  const std::int64_t number = Catalog("one").runs.back().number;
  std::filesystem::copy_file(RunFile("two", Catalog("two").runs.back().number),
                             RunFile("one", number), kReplace);
  ExpectKnown("one", "one-", 1, 5);
}

TEST_F(KeyRunIdentityTest, TwoRunsOfOneStoreThatChangedPlacesAreMadeAgain) {
  Extend("one", "id-", 1, 7);
  const sqlite::Catalog catalog = Catalog("one");
  ASSERT_EQ(catalog.runs.size(), 2u);
  const std::string first = RunFile("one", catalog.runs[0].number),
                    second = RunFile("one", catalog.runs[1].number);
  std::filesystem::rename(first, first + ".swap");
  std::filesystem::rename(second, first);
  std::filesystem::rename(first + ".swap", second);
  ExpectKnown("one", "id-", 1, 7);
}

// As `cp` of an older main file over the newer one leaves it.
TEST_F(KeyRunIdentityTest, AnOlderMainFileDoesNotBelieveNewerRunsOfItsNumbers) {
  Extend("one", "id-", 1, 5);
  CopyStore("one", "older");
  const std::int64_t number = Catalog("older").runs.back().number;
  Extend("one", "later-", 1, 8);
  ASSERT_EQ(Catalog("one").runs.size(), 2u);
  for (const sqlite::KeyRunRow& run : Catalog("one").runs) {
    const std::string mixed = absl::StrCat("mixed-", run.number);
    CopyStore("older", mixed);
    std::filesystem::copy_file(RunFile("one", run.number), RunFile(mixed, number), kReplace);
    ExpectKnown(mixed, "id-", 1, 5);
  }
}

TEST_F(KeyRunIdentityTest, RunsOfBeforeAreMadeAgainOnce) {
  Extend("one", "id-", 1, 5);
  const std::int64_t before = Catalog("one").runs.back().number;
  {
    const auto main =
        sqlite::Connection::Open(Path("one"), std::chrono::milliseconds(1000)).value();
    ASSERT_OK(main->Execute("UPDATE journal_key_runs SET checksum = NULL"));
  }
  ExpectKnown("one", "id-", 1, 5);
  const std::int64_t after = Catalog("one").runs.back().number;
  EXPECT_GT(after, before);
  Extend("one", "id-", 1, 0);
  const std::int64_t merged = Catalog("one").runs.back().number;
  ExpectKnown("one", "id-", 1, 5);
  EXPECT_EQ(Catalog("one").runs.back().number, merged) << "a run that agrees stays";
}

}  // namespace
}  // namespace hourglass::issuance
