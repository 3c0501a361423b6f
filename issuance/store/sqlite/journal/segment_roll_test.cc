#include "issuance/store/sqlite/journal/segment_roll.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/journal/testing/small_journal.h"
#include "issuance/store/sqlite/key_index/key_run.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::chrono::microseconds kTick(1);

class SegmentRollTest : public testing::Test {
 protected:
  absl::Status Start() {
    return journal_.Transact([this] { return StartJournal(*journal_.main, journal_.folder); });
  }
  absl::StatusOr<Dropped> Drop(Timestamp before) {
    return journal_.Transact([&] { return DropSegments(*journal_.main, journal_.files, before); });
  }
  // An intent at this second, whose certificate expires `life` later.
  static Intent At(int second, std::chrono::seconds life = std::chrono::seconds(10)) {
    Intent intent = SmallJournal::IntentAt(absl::StrCat("t", second), second);
    intent.not_after = std::chrono::floor<std::chrono::seconds>(intent.intended_at) + life;
    return intent;
  }
  std::optional<ca::Time> LastLeaf() {
    return GetRoot(*journal_.main, kSampleTenant, kSampleRoot)->last_leaf_not_after;
  }
  std::vector<std::int64_t> Numbers() {
    std::vector<std::int64_t> numbers;
    for (const Segment& segment : journal_.ReadItsCatalog().segments) {
      numbers.push_back(segment.number);
    }
    return numbers;
  }

  // As SegmentUpkeep does.
  absl::Status MergeRuns(const KeyRunRow& a, const KeyRunRow& b) {
    std::vector<std::shared_ptr<const KeyRun>> runs;
    for (const KeyRunRow& row : {a, b}) {
      ASSIGN_OR_RETURN(std::shared_ptr<const KeyRun> run,
                       KeyRun::Open(journal_.folder.KeyRunPath(row.number), journal_.files.key()));
      runs.push_back(std::move(run));
    }
    const std::string path = journal_.folder.NewKeyRunPath();
    RETURN_IF_ERROR(MergeKeyRuns(runs, 1, path, journal_.files.key()));
    ASSIGN_OR_RETURN(const std::shared_ptr<const KeyRun> merged,
                     KeyRun::Open(path, journal_.files.key()));
    return journal_.Transact([&]() -> absl::Status {
      ASSIGN_OR_RETURN(const std::int64_t number, RaiseCatalogVersion(*journal_.main));
      RETURN_IF_ERROR(journal_.folder.NameKeyRun(path, number));
      for (const KeyRunRow& row : {a, b}) {
        RETURN_IF_ERROR(RemoveKeyRun(*journal_.main, row.number));
      }
      return AddKeyRun(*journal_.main,
                       {number, a.first_segment, b.last_segment, merged->facts().checksum});
    });
  }

  SmallJournal journal_;
};

TEST_F(SegmentRollTest, AJournalIsStartedOnce) {
  const std::int64_t version = journal_.ReadItsCatalog().version;
  EXPECT_EQ(version, 1);
  ASSERT_OK(Start());
  const Catalog catalog = journal_.ReadItsCatalog();
  EXPECT_EQ(catalog.version, version);
  ASSERT_EQ(catalog.segments.size(), 1u);
  EXPECT_EQ(catalog.segments[0].number, 1);
  EXPECT_EQ(catalog.segments[0].first_sequence, 1);
  EXPECT_EQ(catalog.segments[0].state, SegmentState::kActive);
}

// As an old journal that was moved leaves it.
TEST_F(SegmentRollTest, AJournalThatOnlyHasSealedSegmentsGoesOn) {
  ASSERT_OK(journal_.Append(At(1)));
  Segment sealed = journal_.files.Current(*journal_.main).value()->active_keys().Summary();
  sealed.state = SegmentState::kSealed;
  ASSERT_OK(PutSegment(*journal_.main, sealed));
  ASSERT_OK(Start());
  const Catalog catalog = journal_.ReadItsCatalog();
  ASSERT_EQ(catalog.segments.size(), 2u);
  EXPECT_EQ(catalog.segments[1].number, 2);
  EXPECT_EQ(catalog.segments[1].first_sequence, 2);
  EXPECT_OK(CheckCatalog(catalog));
  EXPECT_OK(journal_.folder.OpenSegment(2));
}

TEST_F(SegmentRollTest, ASealedSegmentIsDescribed) {
  ASSERT_OK(journal_.AppendAll({At(5), At(3), At(9)}));
  ASSERT_OK(journal_.Seal());
  const Catalog catalog = journal_.ReadItsCatalog();
  ASSERT_EQ(catalog.segments.size(), 2u);
  const Segment& sealed = catalog.segments[0];
  EXPECT_EQ(sealed.state, SegmentState::kSealed);
  EXPECT_EQ(sealed.last_sequence, 3);
  EXPECT_EQ(sealed.first_intended_at, SampleTime(3));
  EXPECT_EQ(sealed.last_intended_at, SampleTime(9));
  EXPECT_EQ(sealed.last_not_after, At(9).not_after);
  EXPECT_EQ(catalog.segments[1].first_sequence, 4);
  EXPECT_EQ(catalog.version, 2);
}

TEST_F(SegmentRollTest, TheMainFileLearnsTheLastLeaf) {
  ASSERT_OK(journal_.AppendAll({At(9), At(3)}));
  EXPECT_EQ(LastLeaf(), std::nullopt);
  ASSERT_OK(journal_.Seal());
  EXPECT_EQ(LastLeaf(), At(9).not_after);
  ASSERT_OK(journal_.Append(At(4)));
  ASSERT_OK(journal_.Seal());
  EXPECT_EQ(LastLeaf(), At(9).not_after) << "it is never lowered";
  ASSERT_OK(journal_.Append(At(10)));
  ASSERT_OK(journal_.Seal());
  EXPECT_EQ(LastLeaf(), At(10).not_after);
}

// A record is over once it is older than `before` and its certificate has expired by then.
TEST_F(SegmentRollTest, SegmentsAreDroppedAtTheBorder) {
  const auto drops = [this](const Intent& intent, Timestamp before) {
    EXPECT_OK(journal_.Append(intent));
    EXPECT_OK(journal_.Seal());
    const std::size_t kept = Numbers().size();
    return Drop(before)->segments.size() == 1 && Numbers().size() == kept - 1;
  };
  const Intent brief = At(0, std::chrono::seconds(-100));
  EXPECT_FALSE(drops(brief, brief.intended_at));
  EXPECT_TRUE(Drop(brief.intended_at + kTick)->segments.size() == 1);
  const Intent lasting = At(1);
  const Timestamp expiry = lasting.not_after;
  EXPECT_FALSE(drops(lasting, expiry - kTick));
  EXPECT_TRUE(Drop(expiry)->segments.size() == 1);
}

TEST_F(SegmentRollTest, TheActiveSegmentGoesTooIfItIsOver) {
  EXPECT_THAT(Drop(SampleTime(1000))->segments, IsEmpty()) << "an empty one is kept";
  EXPECT_THAT(Numbers(), ElementsAre(1));
  ASSERT_OK(journal_.Append(At(1)));
  EXPECT_THAT(Drop(SampleTime(5))->segments, IsEmpty());
  EXPECT_THAT(Numbers(), ElementsAre(1));
  EXPECT_THAT(Drop(SampleTime(1000))->segments, ElementsAre(1));
  EXPECT_THAT(Numbers(), ElementsAre(2));
  EXPECT_OK(CheckCatalog(journal_.ReadItsCatalog()));
  EXPECT_EQ(journal_.ReadItsCatalog().segments[0].first_sequence, 2)
      << "sequence numbers never come again";
  EXPECT_EQ(LastLeaf(), At(1).not_after) << "what is dropped is remembered";
  EXPECT_THAT(ReadDropped(*journal_.main).value(), ElementsAre(1));
  EXPECT_OK(journal_.Append(At(1))) << "the request id is free again";
}

TEST_F(SegmentRollTest, AKeyRunGoesWithTheLastOfItsSegments) {
  for (int i = 1; i <= 3; ++i) {
    ASSERT_OK(journal_.Append(At(100 * i)));
    ASSERT_OK(journal_.Seal());
    ASSERT_OK(journal_.Index(i));
  }
  const Catalog before = journal_.ReadItsCatalog();
  ASSERT_EQ(before.runs.size(), 3u);
  ASSERT_OK_AND_ASSIGN(Dropped dropped, Drop(SampleTime(150)));
  EXPECT_THAT(dropped.segments, ElementsAre(1));
  EXPECT_THAT(dropped.key_runs, ElementsAre(before.runs[0].number));
  EXPECT_GT(journal_.ReadItsCatalog().version, before.version);
  ASSERT_OK(MergeRuns(before.runs[1], before.runs[2]));
  ASSERT_OK_AND_ASSIGN(dropped, Drop(SampleTime(250)));
  EXPECT_THAT(dropped.segments, ElementsAre(2));
  EXPECT_THAT(dropped.key_runs, IsEmpty()) << "segment 3 is still in it";
  EXPECT_OK(CheckCatalog(journal_.ReadItsCatalog()));
  ASSERT_OK_AND_ASSIGN(dropped, Drop(SampleTime(350)));
  EXPECT_THAT(dropped.segments, ElementsAre(3));
  EXPECT_EQ(dropped.key_runs.size(), 1u);
  EXPECT_THAT(journal_.ReadItsCatalog().runs, IsEmpty());
  EXPECT_THAT(Numbers(), ElementsAre(4));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
