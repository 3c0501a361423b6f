// SegmentUpkeep beside a journal that nothing else indexes; how a store tells of its failures is in
// issuance/store/sqlite/segment_upkeep_test.cc.
#include "issuance/store/sqlite/journal/segment_upkeep.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/journal/testing/small_journal.h"
#include "issuance/store/sqlite/key_index/key_run.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::ElementsAre;

class SegmentUpkeepTest : public testing::Test {
 protected:
  void AppendAndSeal(int first, int last) {
    for (int i = first; i <= last; ++i) {
      ASSERT_OK(journal_.Append(SmallJournal::At(i)));
      ASSERT_OK(journal_.Seal());
    }
  }
  std::unique_ptr<SegmentUpkeep> Start(
      const std::function<void(const absl::Status&)>& observer = nullptr) {
    return std::make_unique<SegmentUpkeep>(connections_.get(), &files_,
                                           UpkeepOptions{std::chrono::hours(9), observer});
  }
  // Until all that is sealed is indexed, in so many runs; fails where that takes too long. Nothing
  // tells of it: the upkeep's observer hears of failures alone.
  Catalog WaitForRuns(std::size_t runs) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(40);
    for (;;) {
      Catalog catalog = journal_.ReadItsCatalog();
      const bool done = std::none_of(
          catalog.segments.begin(), catalog.segments.end(),
          [](const Segment& segment) { return segment.state == SegmentState::kSealed; });
      if (done && catalog.runs.size() == runs) return catalog;
      if (std::chrono::steady_clock::now() > deadline) {
        ADD_FAILURE() << "not " << runs << " runs: " << Show(catalog);
        return catalog;
      }
      std::this_thread::yield();
    }
  }
  // The state of each segment, and what each run is of.
  static std::string Show(const Catalog& catalog) {
    std::string shown;
    for (const Segment& segment : catalog.segments) {
      absl::StrAppend(&shown, "segment ", segment.number, " in state ",
                      static_cast<int>(segment.state), "; ");
    }
    for (const KeyRunRow& run : catalog.runs) {
      absl::StrAppend(&shown, "run ", run.number, " of ", run.first_segment, " to ",
                      run.last_segment, "; ");
    }
    return shown;
  }
  void ExpectAllFound(int last) {
    ASSERT_OK_AND_ASSIGN(const auto view, journal_.files.Current(*journal_.main));
    for (int i = 1; i <= last; ++i) {
      Candidates candidates;
      ASSERT_OK(view->Find(HashOfRequestId(files_.key(), kSampleTenant, absl::StrCat("t", i)),
                           candidates));
      EXPECT_THAT(candidates, ElementsAre(i));
    }
  }

  SmallJournal journal_;
  const std::unique_ptr<Connections> connections_ =
      Connections::Open(journal_.path, std::chrono::milliseconds(10000)).value();
  JournalFiles files_{journal_.folder, journal_.files.key()};
};

TEST_F(SegmentUpkeepTest, GoesOnWithWhatAnEarlierProcessLeft) {
  AppendAndSeal(1, 5);
  const auto upkeep = Start();
  const Catalog catalog = WaitForRuns(2);
  ASSERT_EQ(catalog.runs.size(), 2u) << "of four segments and of one";
  EXPECT_EQ(catalog.runs[0].first_segment, 1);
  EXPECT_EQ(catalog.runs[0].last_segment, 4);
  EXPECT_EQ(catalog.runs[1].first_segment, 5);
  EXPECT_EQ(catalog.runs[1].last_segment, 5);
  EXPECT_OK(CheckCatalog(catalog));
  EXPECT_EQ(catalog.segments.back().state, SegmentState::kActive);
  ExpectAllFound(5);
  for (int i = 1; i <= 5; ++i) {
    EXPECT_TRUE(HasIndices(*journal_.folder.OpenSegment(i).value()).value()) << i;
  }
}

TEST_F(SegmentUpkeepTest, LooksAgainWhenItIsWoken) {
  const auto upkeep = Start();
  for (int i = 1; i <= 3; ++i) {
    AppendAndSeal(i, i);
    upkeep->Wake();
    WaitForRuns(i == 3 ? 2 : 1);
  }
  ExpectAllFound(3);
}

TEST_F(SegmentUpkeepTest, TwoProcessesMayDoSoAtOnce) {
  AppendAndSeal(1, 4);
  const auto others = Connections::Open(journal_.path, std::chrono::milliseconds(10000)).value();
  JournalFiles others_files(journal_.folder, journal_.files.key());
  {
    const auto first = Start();
    const SegmentUpkeep second(others.get(), &others_files, {std::chrono::hours(9), nullptr});
    WaitForRuns(1);
  }
  ExpectAllFound(4);
}

// Whatever it waits for.
TEST_F(SegmentUpkeepTest, EndsAtOnceThoughItsNextTryIsHoursAway) {
  AppendAndSeal(1, 1);
  for (int number = 1; number <= 9; ++number) {
    std::filesystem::create_directory(journal_.folder.KeyRunPath(number));
  }
  std::promise<absl::Status> told;
  auto upkeep = Start([&told](const absl::Status& status) { told.set_value(status); });
  EXPECT_THAT(told.get_future().get(), FailsWith(ErrorReason::kJournalUnavailable));
  upkeep.reset();
  EXPECT_EQ(journal_.ReadItsCatalog().segments[0].state, SegmentState::kSealed);
  for (const auto& file : std::filesystem::directory_iterator(journal_.path + ".journal")) {
    EXPECT_NE(file.path().filename().string().substr(0, 4), "new-") << "what failed is removed";
  }
}

TEST_F(SegmentUpkeepTest, WritesARunOfASegmentUnderANewName) {
  const std::vector<KeyEntry> entries = {{5, 1}, {7, 2}};
  ASSERT_OK_AND_ASSIGN(const std::string first,
                       WriteKeyRun(journal_.folder, files_.key(), 3, entries));
  ASSERT_OK_AND_ASSIGN(const std::string second, WriteKeyRun(journal_.folder, files_.key(), 3, {}));
  EXPECT_NE(first, second);
  ASSERT_OK_AND_ASSIGN(const auto run, KeyRun::Open(first, files_.key()));
  EXPECT_EQ(run->ReadPage(0).value(), entries);
  EXPECT_EQ(run->facts().first_segment, 3);
  EXPECT_EQ(run->facts().last_segment, 3);
  EXPECT_EQ(KeyRun::Open(second, files_.key()).value()->entry_count(), 0u);
  std::filesystem::remove_all(journal_.path + ".journal");
  EXPECT_THAT(WriteKeyRun(journal_.folder, files_.key(), 3, entries),
              FailsWith(ErrorReason::kJournalUnavailable));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
