#include "issuance/store/sqlite/segments/segment_keys.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/segments/segment_file.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr HashKey kKey{3, 4};

ca::Time Expiry(int seconds) { return ca::Time(std::chrono::seconds(seconds)); }

// Of a segment whose first sequence number is 11.
Segment Eleventh() {
  Segment segment;
  segment.number = 2;
  segment.first_sequence = 11;
  return segment;
}

IntentKeys Keys(std::int64_t sequence, int intended_at, int not_after,
                absl::string_view root = kSampleRoot, absl::string_view tenant = kSampleTenant) {
  IntentKeys keys;
  keys.sequence = sequence;
  keys.tenant_id = tenant;
  keys.root_id = root;
  keys.request_hash = static_cast<std::uint64_t>(1000 - sequence);
  keys.serial_hash = static_cast<std::uint64_t>(5000 + sequence);
  keys.intended_at = SampleTime(intended_at);
  keys.not_after = Expiry(not_after);
  return keys;
}

Candidates Find(const SegmentKeys& keys, std::uint64_t hash) {
  Candidates candidates;
  keys.Find(hash, candidates);
  return candidates;
}

TEST(SegmentKeysTest, ANewSegmentHasNothing) {
  const SegmentKeys keys(Eleventh(), kKey);
  EXPECT_EQ(keys.number(), 2);
  EXPECT_EQ(keys.last_sequence(), 10) << "the one before the segment's first";
  EXPECT_EQ(keys.Summary().first_sequence, 11);
  EXPECT_EQ(keys.Summary().last_sequence, 0);
  EXPECT_EQ(keys.LastLeafOf(kSampleTenant, kSampleRoot), std::nullopt);
  EXPECT_THAT(keys.AllLastLeaves(), IsEmpty());
  EXPECT_THAT(keys.SortedEntries(), IsEmpty());
  EXPECT_THAT(Find(keys, 0), IsEmpty());
}

TEST(SegmentKeysTest, SumsUpWhatItKnows) {
  SegmentKeys keys(Eleventh(), kKey);
  keys.Take(Keys(11, 5, 50));
  EXPECT_EQ(keys.Summary().first_intended_at, SampleTime(5));
  EXPECT_EQ(keys.Summary().last_intended_at, SampleTime(5));
  EXPECT_EQ(keys.Summary().last_not_after, Expiry(50));
  keys.Take(Keys(12, 9, 40));
  keys.Take(Keys(15, 3, 45));
  EXPECT_EQ(keys.last_sequence(), 15);
  const Segment summary = keys.Summary();
  EXPECT_EQ(summary.number, 2);
  EXPECT_EQ(summary.first_sequence, 11);
  EXPECT_EQ(summary.last_sequence, 15);
  EXPECT_EQ(summary.first_intended_at, SampleTime(3)) << "clocks go back";
  EXPECT_EQ(summary.last_intended_at, SampleTime(9));
  EXPECT_EQ(summary.last_not_after, Expiry(50));
}

// A segment's own times are 1970's until it has an intent, which must not be taken for one.
TEST(SegmentKeysTest, TheFirstIntentSaysTheRangesWhateverItsTime) {
  SegmentKeys keys(Eleventh(), kKey);
  IntentKeys early = Keys(11, 0, -100);
  early.intended_at = Timestamp(std::chrono::microseconds(-7));
  keys.Take(early);
  EXPECT_EQ(keys.Summary().last_intended_at, early.intended_at);
  EXPECT_EQ(keys.Summary().last_not_after, Expiry(-100));
  SegmentKeys others(Eleventh(), kKey);
  others.Take(Keys(11, 4, 100));
  EXPECT_EQ(others.Summary().first_intended_at, SampleTime(4));
}

TEST(SegmentKeysTest, FindsAnIntentByBothItsHashes) {
  SegmentKeys keys(Eleventh(), kKey);
  keys.Take(Keys(11, 1, 1));
  keys.Take(Keys(12, 1, 1));
  EXPECT_THAT(Find(keys, 1000 - 11), ElementsAre(11));
  EXPECT_THAT(Find(keys, 5000 + 11), ElementsAre(11));
  EXPECT_THAT(Find(keys, 1000 - 12), ElementsAre(12));
  EXPECT_THAT(Find(keys, 5000 + 13), IsEmpty());
  EXPECT_THAT(keys.SortedEntries(), ElementsAre(KeyEntry{988, 12}, KeyEntry{989, 11},
                                                KeyEntry{5011, 11}, KeyEntry{5012, 12}));
}

TEST(SegmentKeysTest, WhatIsKnownIsTakenOnce) {
  SegmentKeys keys(Eleventh(), kKey);
  for (const std::int64_t sequence : {11, 12, 11, 12, 10, 1}) keys.Take(Keys(sequence, 1, 1));
  EXPECT_EQ(keys.SortedEntries().size(), 4u);
  EXPECT_EQ(keys.last_sequence(), 12);
  keys.Take(Keys(12, 99, 99));
  EXPECT_EQ(keys.Summary().last_intended_at, SampleTime(1));
}

TEST(SegmentKeysTest, KnowsTheLastLeafOfEachRootOfEachTenant) {
  SegmentKeys keys(Eleventh(), kKey);
  keys.Take(Keys(11, 1, 50));
  keys.Take(Keys(12, 1, 60));
  keys.Take(Keys(13, 1, 55));
  keys.Take(Keys(14, 1, 70, "root-2"));
  keys.Take(Keys(15, 1, 80, kSampleRoot, "fabrikam"));
  EXPECT_EQ(keys.LastLeafOf(kSampleTenant, kSampleRoot), Expiry(60));
  EXPECT_EQ(keys.LastLeafOf(kSampleTenant, "root-2"), Expiry(70));
  EXPECT_EQ(keys.LastLeafOf("fabrikam", kSampleRoot), Expiry(80));
  EXPECT_EQ(keys.LastLeafOf("fabrikam", "root-2"), std::nullopt);
  EXPECT_EQ(keys.AllLastLeaves().size(), 3u);
  EXPECT_EQ(keys.AllLastLeaves().at({"fabrikam", std::string(kSampleRoot)}), Expiry(80));
}

TEST(SegmentKeysTest, IsWholeOnlyWithTheLastRecordThatTheMainFileKnows) {
  SegmentKeys keys(Eleventh(), kKey);
  keys.Take(Keys(11, 1, 1));
  keys.Take(Keys(12, 1, 1));
  Segment sealed = Eleventh();
  sealed.state = SegmentState::kSealed;
  sealed.last_sequence = 12;
  EXPECT_OK(keys.CheckWhole(sealed));
  for (const std::int64_t last : {10, 11, 13}) {
    sealed.last_sequence = last;
    const absl::Status refused = keys.CheckWhole(sealed);
    EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable)) << last;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("segment 2 of the journal")) << last;
  }
}

TEST(SegmentKeysTest, CatchesUpWithWhatWasCommitted) {
  const TemporaryDirectory directory;
  const auto folder =
      JournalFolder::Open(directory.File("store"), std::chrono::milliseconds(1000)).value();
  const std::unique_ptr<Connection> file = folder.MakeSegment(2).value();
  SegmentKeys keys(Eleventh(), kKey);
  ASSERT_OK(keys.CatchUp(*file));
  EXPECT_EQ(keys.last_sequence(), 10);
  for (int i = 11; i <= 13; ++i) {
    Intent intent = SampleIntent(absl::StrCat(i));
    intent.intended_at = SampleTime(i);
    ASSERT_OK(InsertIntent(*file, i, intent));
    if (i == 13) continue;
    ASSERT_OK(keys.CatchUp(*file));
    EXPECT_EQ(keys.last_sequence(), i);
  }
  // Of an older history: never looked at.
  ASSERT_OK(InsertIntent(*file, 5, SampleIntent("5")));
  ASSERT_OK(keys.CatchUp(*file));
  ASSERT_OK(keys.CatchUp(*file)) << "a second time";
  EXPECT_EQ(keys.last_sequence(), 13);
  EXPECT_EQ(keys.SortedEntries().size(), 6u);
  EXPECT_EQ(keys.Summary().last_intended_at, SampleTime(13));
  EXPECT_THAT(Find(keys, HashOfRequestId(kKey, kSampleTenant, "13")), ElementsAre(13));
  EXPECT_THAT(Find(keys, HashOfRequestId(kKey, kSampleTenant, "5")), IsEmpty());
  ASSERT_OK(file->Execute("DROP TABLE intents"));
  EXPECT_THAT(keys.CatchUp(*file), FailsWith(ErrorReason::kInternalError));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
