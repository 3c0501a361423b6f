#include "issuance/store/sqlite/segments/segment_catalog.h"

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using std::chrono::microseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::chrono::hours kDay(24);
constexpr microseconds kTick(1);

Timestamp At(std::int64_t microseconds_since_1970) {
  return Timestamp(microseconds(microseconds_since_1970));
}

Segment SegmentOf(std::int64_t number, SegmentState state, std::int64_t first, std::int64_t last) {
  Segment segment;
  segment.number = number;
  segment.state = state;
  segment.first_sequence = first;
  segment.last_sequence = last;
  segment.first_intended_at = At(-number);
  segment.last_intended_at = At(number * 1000000 + 7);
  segment.last_not_after = ca::Time(std::chrono::seconds(number - 5));
  return segment;
}

// Segments 1 and 2 with a run, 4 sealed, 5 active; numbers and sequences have a gap.
Catalog Sound() {
  Catalog catalog;
  catalog.segments = {
      SegmentOf(1, SegmentState::kIndexed, 1, 10), SegmentOf(2, SegmentState::kIndexed, 11, 11),
      SegmentOf(4, SegmentState::kSealed, 20, 29), SegmentOf(5, SegmentState::kActive, 30, 0)};
  catalog.runs = {{7, 1, 2, 99}};
  return catalog;
}

TEST(CatalogTest, FindsASegmentByItsNumber) {
  const Catalog catalog = Sound();
  for (const std::int64_t number : {1, 2, 4, 5}) {
    ASSERT_NE(catalog.Find(number), nullptr) << number;
    EXPECT_EQ(catalog.Find(number)->number, number);
  }
  for (const std::int64_t number : {-1, 0, 3, 6}) EXPECT_EQ(catalog.Find(number), nullptr);
}

TEST(CatalogTest, KnowsWhichSegmentHasASequenceNumber) {
  const Catalog catalog = Sound();
  const struct {
    std::int64_t sequence, number;
  } kCases[] = {{-1, 0}, {0, 0},  {1, 1},  {10, 1}, {11, 2}, {12, 0},
                {19, 0}, {20, 4}, {29, 4}, {30, 5}, {31, 5}, {1000000, 5}};
  for (const auto& test : kCases) {
    const Segment* const holder = catalog.HolderOf(test.sequence);
    EXPECT_EQ(holder == nullptr ? 0 : holder->number, test.number) << test.sequence;
  }
  EXPECT_EQ(Catalog().HolderOf(1), nullptr);
}

TEST(CatalogTest, RefusesWhatAJournalCannotBeReadBy) {
  const struct {
    const char* what;
    std::function<void(Catalog&)> damage;
  } kCases[] = {
      {"no segment", [](Catalog& c) { c.segments.clear(); }},
      {"none is active", [](Catalog& c) { c.segments.pop_back(); }},
      {"two are active", [](Catalog& c) { c.segments[2].state = SegmentState::kActive; }},
      {"the last is sealed",
       [](Catalog& c) { c.segments[3] = SegmentOf(5, SegmentState::kSealed, 30, 31); }},
      {"sequence numbers from 0", [](Catalog& c) { c.segments[0].first_sequence = 0; }},
      {"a sequence number twice", [](Catalog& c) { c.segments[1].first_sequence = 10; }},
      {"of the active one too", [](Catalog& c) { c.segments[3].first_sequence = 29; }},
      {"a range that ends before it begins", [](Catalog& c) { c.segments[2].last_sequence = 19; }},
      {"no run", [](Catalog& c) { c.runs.clear(); }},
      {"a run that ends before", [](Catalog& c) { c.runs[0].last_segment = 1; }},
      {"a run that begins behind", [](Catalog& c) { c.runs[0].first_segment = 2; }},
      {"a sealed one that is said to be indexed",
       [](Catalog& c) { c.segments[2].state = SegmentState::kIndexed; }},
      {"a run of nothing",
       [](Catalog& c) {
         c.runs.push_back({8, 2, 1, 0});
       }},
      {"a run of segment 0",
       [](Catalog& c) {
         c.runs.push_back({8, 0, 1, 0});
       }},
      {"a run of the active segment",
       [](Catalog& c) {
         c.runs.push_back({8, 4, 5, 0});
       }},
  };
  EXPECT_OK(CheckCatalog(Sound()));
  for (const auto& test : kCases) {
    Catalog catalog = Sound();
    test.damage(catalog);
    EXPECT_THAT(CheckCatalog(catalog), FailsWith(ErrorReason::kJournalUnavailable)) << test.what;
  }
}

TEST(CatalogTest, TakesWhatAJournalMayBe) {
  Catalog catalog;
  catalog.segments = {SegmentOf(1, SegmentState::kActive, 1, 0)};
  EXPECT_OK(CheckCatalog(catalog)) << "a new one";
  catalog = Sound();
  catalog.runs.push_back({9, 4, 4, 0});
  EXPECT_OK(CheckCatalog(catalog)) << "a run of a sealed segment, which another process indexes";
  catalog = Sound();
  catalog.segments.erase(catalog.segments.begin());
  EXPECT_OK(CheckCatalog(catalog)) << "the first of a run was dropped";
}

class SegmentCatalogTest : public testing::Test {
 protected:
  explicit SegmentCatalogTest(std::size_t version = Migrations().size()) {
    EXPECT_OK(Migrate(*main_, Migrations(), version));
  }

  const TemporaryDirectory directory_;
  const std::unique_ptr<Connection> main_ =
      Connection::Open(directory_.Write("database", ""), std::chrono::milliseconds(0)).value();
};

void ExpectSame(const Segment& a, const Segment& b) {
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.first_sequence, b.first_sequence);
  EXPECT_EQ(a.last_sequence, b.last_sequence);
  EXPECT_EQ(a.first_intended_at, b.first_intended_at);
  EXPECT_EQ(a.last_intended_at, b.last_intended_at);
  EXPECT_EQ(a.last_not_after, b.last_not_after);
}

TEST_F(SegmentCatalogTest, ReadsBackWhatWasPut) {
  ASSERT_OK_AND_ASSIGN(Catalog read, ReadCatalog(*main_));
  EXPECT_EQ(read.version, 0);
  EXPECT_THAT(read.segments, IsEmpty());
  EXPECT_THAT(read.runs, IsEmpty());
  const Catalog sound = Sound();
  for (const int i : {3, 0, 2, 1}) {
    ASSERT_OK(PutSegment(*main_, sound.segments[static_cast<std::size_t>(i)]));
  }
  ASSERT_OK(AddKeyRun(*main_, {8, 4, 4, -5}));
  ASSERT_OK(AddKeyRun(*main_, {9, 1, 2, 0}));
  EXPECT_EQ(RaiseCatalogVersion(*main_).value(), 1);
  EXPECT_EQ(RaiseCatalogVersion(*main_).value(), 2);
  EXPECT_EQ(ReadCatalogVersion(*main_).value(), 2);
  ASSERT_OK_AND_ASSIGN(read, ReadCatalog(*main_));
  EXPECT_EQ(read.version, 2);
  ASSERT_EQ(read.segments.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) ExpectSame(read.segments[i], sound.segments[i]);
  ASSERT_EQ(read.runs.size(), 2u) << "by first segment";
  EXPECT_EQ(read.runs[0].number, 9);
  EXPECT_EQ(read.runs[1].number, 8);
  EXPECT_EQ(read.runs[1].first_segment, 4);
  EXPECT_EQ(read.runs[1].last_segment, 4);
  EXPECT_EQ(read.runs[1].checksum, -5);
  ASSERT_OK(RemoveKeyRun(*main_, 8));
  ASSERT_OK(RemoveKeyRun(*main_, 8)) << "a second time";
  EXPECT_EQ(ReadCatalog(*main_)->runs.size(), 1u);
}

TEST_F(SegmentCatalogTest, ASegmentIsPutAgainUnderItsNumber) {
  ASSERT_OK(PutSegment(*main_, SegmentOf(1, SegmentState::kActive, 1, 0)));
  Segment sealed = SegmentOf(1, SegmentState::kSealed, 1, 9);
  sealed.last_intended_at = At(77);
  ASSERT_OK(PutSegment(*main_, sealed));
  ASSERT_OK_AND_ASSIGN(const Catalog read, ReadCatalog(*main_));
  ASSERT_EQ(read.segments.size(), 1u);
  ExpectSame(read.segments[0], sealed);
}

TEST_F(SegmentCatalogTest, IsReadInATransactionAndOutside) {
  ASSERT_OK(PutSegment(*main_, SegmentOf(1, SegmentState::kActive, 1, 0)));
  {
    const Transaction transaction = Transaction::Begin(*main_).value();
    ASSERT_OK(ReadCatalog(*main_));
    EXPECT_TRUE(main_->InTransaction()) << "the caller's goes on";
  }
  ASSERT_OK(ReadCatalog(*main_));
  EXPECT_FALSE(main_->InTransaction());
}

TEST_F(SegmentCatalogTest, RefusesAStateThatIsNone) {
  ASSERT_OK(
      main_->Execute("PRAGMA ignore_check_constraints = ON;"
                     "INSERT INTO journal_segments VALUES (1, 'active', 1, 0, 0, 0, 0)"));
  EXPECT_THAT(ReadCatalog(*main_), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_FALSE(main_->InTransaction()) << "no transaction is left open";
  ASSERT_OK(main_->Execute("UPDATE journal_segments SET state = 'ACTIVE'"));
  EXPECT_OK(ReadCatalog(*main_));
}

TEST_F(SegmentCatalogTest, AHashKeyHas16Octets) {
  EXPECT_OK(ReadHashKey(*main_));
  ASSERT_OK(
      main_->Execute("UPDATE journal_catalog SET hash_key = x'0102030405060708090a0b0c0d0e0f10'"));
  ASSERT_OK_AND_ASSIGN(const HashKey key, ReadHashKey(*main_));
  EXPECT_EQ(key.low, 0x0807060504030201u);
  EXPECT_EQ(key.high, 0x100f0e0d0c0b0a09u);
  for (const char* octets : {"x''", "randomblob(15)", "randomblob(17)"}) {
    ASSERT_OK(main_->Execute(std::string("UPDATE journal_catalog SET hash_key = ") + octets));
    EXPECT_THAT(ReadHashKey(*main_), FailsWith(ErrorReason::kJournalUnavailable)) << octets;
  }
  ASSERT_OK(main_->Execute("DELETE FROM journal_catalog"));
  EXPECT_THAT(ReadHashKey(*main_), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(ReadCatalogVersion(*main_), FailsWith(ErrorReason::kInternalError));
}

TEST_F(SegmentCatalogTest, ARemovedSegmentTakesItsLateReleasesAlong) {
  for (const int sequence : {10, 11, 12, 13, 14}) {
    ASSERT_OK(main_->Change("INSERT INTO late_releases VALUES (?, x'', 1)", {sequence}));
  }
  const Segment segment = SegmentOf(3, SegmentState::kIndexed, 11, 13);
  ASSERT_OK(PutSegment(*main_, segment));
  EXPECT_THAT(ReadDropped(*main_).value(), IsEmpty());
  ASSERT_OK(RemoveSegment(*main_, segment));
  EXPECT_THAT(ReadCatalog(*main_)->segments, IsEmpty());
  EXPECT_EQ(main_->QueryInteger("SELECT count(*) + sum(sequence) FROM late_releases").value(), 26)
      << "of its neighbours";
  EXPECT_THAT(ReadDropped(*main_).value(), ElementsAre(3));
}

TEST_F(SegmentCatalogTest, DroppedSegmentsAreDueADayAfterTheyWereSeen) {
  for (const std::int64_t number : {4, 2}) {
    ASSERT_OK(RemoveSegment(*main_, SegmentOf(number, SegmentState::kIndexed, 1, 2)));
  }
  EXPECT_THAT(ReadDropped(*main_).value(), ElementsAre(2, 4));
  const Timestamp now = At(1000000000);
  EXPECT_THAT(SeeDropped(*main_, now).value(), IsEmpty());
  ASSERT_OK(RemoveSegment(*main_, SegmentOf(9, SegmentState::kIndexed, 3, 4)));
  EXPECT_THAT(SeeDropped(*main_, now + kDay - kTick).value(), IsEmpty());
  EXPECT_THAT(SeeDropped(*main_, now + kDay).value(), ElementsAre(2, 4)) << "9 was seen later";
  EXPECT_THAT(SeeDropped(*main_, now + 2 * kDay - kTick).value(), ElementsAre(2, 4, 9));
  EXPECT_THAT(ReadDropped(*main_).value(), ElementsAre(2, 4, 9)) << "until they are forgotten";
  ASSERT_OK(ForgetDropped(*main_, 4));
  ASSERT_OK(ForgetDropped(*main_, 4)) << "a second time";
  EXPECT_THAT(ReadDropped(*main_).value(), ElementsAre(2, 9));
}

TEST_F(SegmentCatalogTest, AClockThatCameBackBeginsTheDayAnew) {
  ASSERT_OK(RemoveSegment(*main_, SegmentOf(1, SegmentState::kIndexed, 1, 2)));
  const Timestamp now = At(1000000000);
  ASSERT_OK(SeeDropped(*main_, now + 100 * kDay));
  EXPECT_THAT(SeeDropped(*main_, now).value(), IsEmpty());
  EXPECT_THAT(SeeDropped(*main_, now + kDay - kTick).value(), IsEmpty());
  EXPECT_THAT(SeeDropped(*main_, now + kDay).value(), ElementsAre(1));
}

// While an old journal is moved.
class OlderSegmentCatalogTest : public SegmentCatalogTest {
 protected:
  OlderSegmentCatalogTest() : SegmentCatalogTest(kVersionWithChecksums - 1) {}
};

TEST_F(OlderSegmentCatalogTest, RunsHaveNoChecksumBeforeThereWasAPlaceForIt) {
  ASSERT_OK(AddKeyRun(*main_, {8, 1, 2, 77}));
  ASSERT_OK_AND_ASSIGN(Catalog read, ReadCatalog(*main_));
  ASSERT_EQ(read.runs.size(), 1u);
  EXPECT_EQ(read.runs[0].number, 8);
  EXPECT_EQ(read.runs[0].checksum, 0);
  ASSERT_OK(Migrate(*main_, Migrations()));
  ASSERT_OK_AND_ASSIGN(read, ReadCatalog(*main_));
  EXPECT_EQ(read.runs[0].checksum, 0);
  ASSERT_OK(AddKeyRun(*main_, {9, 3, 3, 77}));
  EXPECT_EQ(ReadCatalog(*main_)->runs[1].checksum, 77);
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
