// Files of a store that are of different times are refused as a store, and left as they are; what a
// crash leaves is taken.
#include <gmock/gmock.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kMain[] = "/hourglass.db";
constexpr char kSegment[] = "/hourglass.db.journal/00000001.sqlite";

class StaleLogTest : public testing::Test {
 protected:
  // Crashes `before` and `after`, between which both logs were begun anew.
  StaleLogTest() {
    const std::string live = directory_.File("live");
    std::filesystem::create_directory(live);
    const std::unique_ptr<Store> store = OpenSqliteStore(live + kMain).value();
    EXPECT_OK(AddSamplePrimary(*store));
    EXPECT_OK(Append(*store, SampleIntent("0")));
    Crash("before");
    for (const char* name : {"fabrikam", "woodgrove"}) {
      BeginLogsAnew(live);
      EXPECT_OK(AddSamplePrimary(*store, name));
      EXPECT_OK(Append(*store, SampleIntent(name)));
    }
    Crash("after");
  }

  static void BeginLogsAnew(const std::string& folder) {
    for (const char* file : {kMain, kSegment}) {
      const auto other =
          sqlite::Connection::Open(folder + file, std::chrono::milliseconds(5000)).value();
      auto rows = other->Query("PRAGMA wal_checkpoint(TRUNCATE)").value();
      EXPECT_OK(rows.Next());
    }
  }

  void Crash(const std::string& name) {
    std::filesystem::copy(directory_.File("live"), directory_.File(name),
                          std::filesystem::copy_options::recursive);
  }

  // `after` with one file of `before`.
  std::string Mix(const std::string& name, const std::string& file) {
    std::filesystem::copy(directory_.File("after"), directory_.File(name),
                          std::filesystem::copy_options::recursive);
    std::filesystem::copy_file(directory_.File("before") + file, directory_.File(name) + file,
                               std::filesystem::copy_options::overwrite_existing);
    return directory_.File(name);
  }

  static std::map<std::string, std::string> Content(const std::string& folder) {
    std::map<std::string, std::string> content;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
      if (file.is_regular_file() && file.path().extension() != ".sqlite-shm") {
        content[file.path()] = ReadFileOrDie(file.path().string());
      }
    }
    return content;
  }

  const TemporaryDirectory directory_;
};

TEST_F(StaleLogTest, WhatACrashLeavesIsTaken) {
  for (const char* name : {"before", "after"}) {
    const auto store = OpenSqliteStore(directory_.File(name) + kMain);
    ASSERT_OK(store) << name;
    EXPECT_OK((*store)->FindByRequestId(kSampleTenant, "0"));
  }
}

TEST_F(StaleLogTest, AnIndexOfTheLogMeansNothing) {
  const std::string folder = directory_.File("after");
  for (const char* file : {kMain, kSegment}) {
    std::filesystem::copy_file(directory_.File("before") + file + "-shm", folder + file + "-shm",
                               std::filesystem::copy_options::overwrite_existing);
  }
  const auto store = OpenSqliteStore(folder + kMain);
  ASSERT_OK(store);
  EXPECT_OK((*store)->FindByRequestId(kSampleTenant, "woodgrove"));
  EXPECT_OK((*store)->GetTenant("woodgrove"));
}

TEST_F(StaleLogTest, AnOlderMainFileBesideANewerLogIsRefused) {
  const std::string folder = Mix("mixed", kMain);
  const auto before = Content(folder);
  const auto store = OpenSqliteStore(folder + kMain);
  EXPECT_THAT(store, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(store.status().message(),
              HasSubstr(absl::StrCat(folder, kMain, "-wal was not written for this file")));
  EXPECT_EQ(Content(folder), before);
}

TEST_F(StaleLogTest, AnOlderLogBesideANewerMainFileIsRefused) {
  const std::string folder = Mix("mixed", std::string(kMain) + "-wal");
  EXPECT_THAT(OpenSqliteStore(folder + kMain), FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(StaleLogTest, AnOlderSegmentBesideANewerLogIsRefused) {
  const std::string folder = Mix("mixed", kSegment);
  const std::string segment = ReadFileOrDie(folder + kSegment);
  const auto store = OpenSqliteStore(folder + kMain);
  EXPECT_THAT(store, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(store.status().message(),
              AllOf(HasSubstr(absl::StrCat(folder, kSegment, "-wal was not written for this file")),
                    HasSubstr("move the -wal and -shm files beside it away")));
  EXPECT_EQ(ReadFileOrDie(folder + kSegment), segment);
  // The remedy for a segment that was restored.
  for (const char* beside : {"-wal", "-shm"}) {
    std::filesystem::remove(folder + kSegment + beside);
  }
  EXPECT_OK(OpenSqliteStore(folder + kMain));
}

}  // namespace
}  // namespace hourglass::issuance
