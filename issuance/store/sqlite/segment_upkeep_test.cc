// The store's own thread tells how it fares.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::AllOf;
using testing::ElementsAre;

MATCHER_P2(FailsSaying, reason, words, "") {
  return ReasonOf(arg) == reason && absl::StrContains(arg.message(), words);
}

// What a store tells of its upkeep.
class ToldOfUpkeep {
 public:
  void operator()(const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    told_.push_back(status);
    changed_.notify_all();
  }

  // All, as soon as there are `count`.
  std::vector<absl::Status> WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return told_.size() >= count; });
    return told_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<absl::Status> told_;
};

class SegmentUpkeepTest : public testing::Test {
 protected:
  // Whose first segment is sealed by the third of its intents.
  std::unique_ptr<Store> OpenWithTwoIntents() {
    SqliteStoreOptions options;
    options.segment_intents = 2;
    options.upkeep_retry_after = std::chrono::milliseconds(1);
    options.upkeep_observer = std::ref(told_);
    std::unique_ptr<Store> store = OpenSqliteStore(path_, options).value();
    EXPECT_OK(AddSamplePrimary(*store));
    for (const char* id : {"first", "second"}) EXPECT_OK(Append(*store, SampleIntent(id)));
    return store;
  }

  // Each try writes a file of another name, which it removes when it fails.
  void WaitForTries(std::size_t count) {
    std::set<std::string> written;
    while (written.size() < count) {
      for (const auto& file : std::filesystem::directory_iterator(folder_)) {
        const std::string name = file.path().filename();
        if (absl::StartsWith(name, "new-")) written.insert(name);
      }
    }
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.File("hourglass.db");
  const std::string folder_ = path_ + ".journal/";
  ToldOfUpkeep told_;
};

TEST_F(SegmentUpkeepTest, TellsOfAFailureOnceAndOfItsEnd) {
  const std::unique_ptr<Store> store = OpenWithTwoIntents();
  std::vector<std::string> in_the_way;
  for (int number = 1; number <= 9; ++number) {
    in_the_way.push_back(absl::StrCat(folder_, absl::Dec(number, absl::kZeroPad8), ".keys"));
    std::filesystem::create_directory(in_the_way.back());
  }
  ASSERT_OK(Append(*store, SampleIntent("third")));
  const auto fails =
      AllOf(FailsSaying(ErrorReason::kJournalUnavailable, "a key run cannot be named"),
            FailsSaying(ErrorReason::kJournalUnavailable, ".keys: Is a directory"));
  EXPECT_THAT(told_.WaitFor(1), ElementsAre(fails));
  WaitForTries(5);
  EXPECT_OK(store->FindByRequestId(kSampleTenant, "first"));
  for (const std::string& folder : in_the_way) std::filesystem::remove(folder);
  EXPECT_THAT(told_.WaitFor(2), ElementsAre(fails, IsOk()));
}

TEST_F(SegmentUpkeepTest, TellsOfAFailureThatFollowsAnother) {
  const std::unique_ptr<Store> store = OpenWithTwoIntents();
  const auto segment =
      sqlite::Connection::Open(folder_ + "00000001.sqlite", std::chrono::milliseconds(5000))
          .value();
  ASSERT_OK(segment->Execute("CREATE TABLE intents_by_time (a)"));
  ASSERT_OK(Append(*store, SampleIntent("third")));
  told_.WaitFor(1);
  ASSERT_OK(
      segment->Execute("BEGIN IMMEDIATE; DROP TABLE intents_by_time;"
                       "CREATE TABLE intents_by_user (a); COMMIT"));
  told_.WaitFor(2);
  ASSERT_OK(segment->Execute("DROP TABLE intents_by_user"));
  EXPECT_THAT(told_.WaitFor(3),
              ElementsAre(FailsSaying(ErrorReason::kInternalError, "a table named intents_by_time"),
                          FailsSaying(ErrorReason::kInternalError, "a table named intents_by_user"),
                          IsOk()));
}

}  // namespace
}  // namespace hourglass::issuance
