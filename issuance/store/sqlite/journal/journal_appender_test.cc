#include "issuance/store/sqlite/journal/journal_appender.h"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "issuance/store/sqlite/journal/testing/small_journal.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::chrono::microseconds kTick(1);

class JournalAppenderTest : public testing::Test {
 protected:
  // Whether a segment was sealed. Every write must pass.
  bool Appends(JournalAppender& appender, const std::vector<JournalWrite>& writes) {
    bool sealed = false;
    const auto statuses = appender.Append(*journal_.main, writes, sealed);
    EXPECT_OK(statuses);
    if (!statuses.ok()) return false;
    EXPECT_EQ(statuses->size(), writes.size());
    for (const absl::Status& status : *statuses) EXPECT_OK(status);
    return sealed;
  }
  // The sequence numbers of a segment.
  std::vector<std::int64_t> Sequences(std::int64_t segment) {
    const std::unique_ptr<Connection> file = journal_.folder.OpenSegment(segment).value();
    Rows rows = file->Query("SELECT sequence FROM intents ORDER BY sequence").value();
    std::vector<std::int64_t> sequences;
    while (rows.Next().value()) sequences.push_back(rows.TakeInteger());
    return sequences;
  }

  SmallJournal journal_;
};

TEST_F(JournalAppenderTest, ASegmentEndsAtTheFirstIntentBeyondItsNumber) {
  JournalAppender appender(&journal_.files, {2});
  EXPECT_FALSE(Appends(appender, {SmallJournal::At(1)}));
  EXPECT_FALSE(Appends(appender, {SmallJournal::At(2)})) << "the last that it may have";
  EXPECT_FALSE(Appends(appender, {ReleaseOf(SmallJournal::At(1))})) << "a release begins none";
  EXPECT_FALSE(Appends(appender, {}));
  EXPECT_TRUE(Appends(appender, {ReleaseOf(SmallJournal::At(2)), SmallJournal::At(3)}));
  EXPECT_THAT(Sequences(1), ElementsAre(1, 2));
  EXPECT_THAT(Sequences(2), ElementsAre(3));
  const Catalog catalog = journal_.ReadItsCatalog();
  ASSERT_EQ(catalog.segments.size(), 2u);
  EXPECT_EQ(catalog.segments[0].state, SegmentState::kSealed);
  EXPECT_EQ(catalog.segments[0].last_sequence, 2);
}

TEST_F(JournalAppenderTest, ABatchStaysTogether) {
  JournalAppender appender(&journal_.files, {2});
  EXPECT_FALSE(Appends(appender, {SmallJournal::At(1), SmallJournal::At(2), SmallJournal::At(3),
                                  SmallJournal::At(4)}));
  EXPECT_TRUE(Appends(appender, {SmallJournal::At(5), SmallJournal::At(6), SmallJournal::At(7)}));
  EXPECT_THAT(Sequences(1), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Sequences(2), ElementsAre(5, 6, 7));
}

TEST_F(JournalAppenderTest, ASegmentEndsAtTheFirstIntentBeyondItsSpan) {
  JournalAppender appender(&journal_.files, {100, std::chrono::hours(1)});
  Intent first = SmallJournal::At(0), border = SmallJournal::At(1), beyond = SmallJournal::At(2),
         before = SmallJournal::At(3);
  border.intended_at = first.intended_at + std::chrono::hours(1);
  beyond.intended_at = border.intended_at + kTick;
  before.intended_at = first.intended_at - std::chrono::hours(9);
  EXPECT_FALSE(Appends(appender, {first}));
  EXPECT_FALSE(Appends(appender, {border}));
  EXPECT_TRUE(Appends(appender, {beyond}));
  EXPECT_FALSE(Appends(appender, {before})) << "of a clock that went back";
}

// A new segment has no first intent to be far from.
TEST_F(JournalAppenderTest, TheFirstIntentOfAJournalSealsNothing) {
  JournalAppender appender(&journal_.files, {1, std::chrono::hours(0)});
  EXPECT_FALSE(Appends(appender, {SmallJournal::At(100)}));
  EXPECT_TRUE(Appends(appender, {SmallJournal::At(200)}));
}

TEST_F(JournalAppenderTest, WhatIsRefusedLeavesNoTraceAndTakesNoNumber) {
  Intent twice = SmallJournal::At(1), stranger = SmallJournal::At(2), late = SmallJournal::At(3),
         same_serial = SmallJournal::At(4);
  stranger.tenant_id = "fabrikam";
  late.epoch = 2;
  same_serial.serial_number = SmallJournal::At(5).serial_number;
  Intent of_none = SmallJournal::At(6);
  of_none.intermediate_serial_number = "never released";
  Release before_its_intent = ReleaseOf(SmallJournal::At(7));
  ASSERT_OK_AND_ASSIGN(
      const std::vector<absl::Status> statuses,
      journal_.AppendAll({SmallJournal::At(1), twice, stranger, SmallJournal::At(5), late,
                          same_serial, of_none, before_its_intent, SmallJournal::At(7),
                          ReleaseOf(SmallJournal::At(7)), ReleaseOf(SmallJournal::At(7))}));
  EXPECT_THAT(statuses,
              ElementsAre(IsOk(), FailsWith(ErrorReason::kRequestIdReused, "request_id"),
                          FailsWith(ErrorReason::kTenantUnknown, "tenant_id"), IsOk(),
                          FailsWith(ErrorReason::kPrimaryChanged, ""),
                          FailsWith(ErrorReason::kInternalError, "serial_number"),
                          FailsWith(ErrorReason::kInternalError, "intermediate_serial_number"),
                          FailsWith(ErrorReason::kCertificateUnknown, "request_id"), IsOk(), IsOk(),
                          FailsWith(ErrorReason::kRequestIdReused, "request_id")));
  EXPECT_THAT(Sequences(1), ElementsAre(1, 2, 3));
  EXPECT_OK(journal_.Append(SmallJournal::At(4))) << "the id of what was refused is free";
  EXPECT_THAT(Sequences(1), ElementsAre(1, 2, 3, 4));
}

TEST_F(JournalAppenderTest, RequestIdsAreKnownInEverySegment) {
  ASSERT_OK(journal_.Append(SmallJournal::At(1)));
  ASSERT_OK(journal_.Seal());
  ASSERT_OK(journal_.Index(1));
  ASSERT_OK(journal_.Append(SmallJournal::At(2)));
  ASSERT_OK(journal_.Seal());
  ASSERT_OK(journal_.Append(SmallJournal::At(3)));
  for (const int i : {1, 2, 3}) {
    EXPECT_THAT(journal_.Append(SmallJournal::At(i)), FailsWith(ErrorReason::kRequestIdReused))
        << i;
    Intent other = SmallJournal::At(i);
    other.request_id = "other";
    EXPECT_THAT(journal_.Append(other), FailsWith(ErrorReason::kInternalError, "serial_number"));
  }
  EXPECT_OK(journal_.Append(SmallJournal::At(4)));
}

TEST_F(JournalAppenderTest, ASealedSegmentIsNeverWrittenAgain) {
  ASSERT_OK(journal_.AppendAll(
      {SmallJournal::At(1), SmallJournal::At(2), ReleaseOf(SmallJournal::At(1))}));
  ASSERT_OK(journal_.Seal());
  // Holds all of it in its file: a log would tell of a write.
  ASSERT_OK(journal_.folder.IndexSegment(1));
  const std::string before = ReadFileOrDie(journal_.folder.SegmentPath(1));
  ASSERT_OK(journal_.Append(ReleaseOf(SmallJournal::At(2))));
  EXPECT_EQ(ReadFileOrDie(journal_.folder.SegmentPath(1)), before);
  const std::filesystem::path log = journal_.folder.SegmentPath(1) + "-wal";
  EXPECT_TRUE(!std::filesystem::exists(log) || std::filesystem::file_size(log) == 0);
  EXPECT_EQ(journal_.main->QueryInteger("SELECT sequence FROM late_releases").value(), 2);
  for (const int i : {1, 2}) {
    EXPECT_THAT(journal_.Append(ReleaseOf(SmallJournal::At(i))),
                FailsWith(ErrorReason::kRequestIdReused))
        << i;
  }
  EXPECT_EQ(journal_.main->QueryInteger("SELECT count(*) FROM late_releases").value(), 1);
}

TEST_F(JournalAppenderTest, AReleaseIsOfTheEpochOfItsIntentAndOfItsTenant) {
  ASSERT_OK(journal_.Append(SmallJournal::At(1)));
  Release later = ReleaseOf(SmallJournal::At(1)), of_another = ReleaseOf(SmallJournal::At(1));
  later.epoch = 2;
  of_another.tenant_id = "fabrikam";
  EXPECT_THAT(journal_.Append(later), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(journal_.Append(of_another), FailsWith(ErrorReason::kCertificateUnknown));
  ASSERT_OK(journal_.main->Execute("UPDATE tenants SET epoch = 2"));
  EXPECT_THAT(journal_.Append(later), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(journal_.Append(ReleaseOf(SmallJournal::At(1))),
              FailsWith(ErrorReason::kPrimaryChanged));
  ASSERT_OK(journal_.main->Execute("UPDATE tenants SET epoch = 1"));
  EXPECT_OK(journal_.Append(ReleaseOf(SmallJournal::At(1))));
}

TEST_F(JournalAppenderTest, WhatAnotherProcessWroteIsKnown) {
  const std::unique_ptr<Connection> main = journal_.Connect();
  JournalFiles files(journal_.folder, journal_.files.key());
  JournalAppender other(&files, {2}), own(&journal_.files, {2});
  bool sealed = false;
  EXPECT_FALSE(Appends(own, {SmallJournal::At(1)}));
  ASSERT_OK_AND_ASSIGN(std::vector<absl::Status> statuses,
                       other.Append(*main, {SmallJournal::At(1), SmallJournal::At(2)}, sealed));
  EXPECT_THAT(statuses, ElementsAre(FailsWith(ErrorReason::kRequestIdReused), IsOk()));
  EXPECT_FALSE(sealed);
  ASSERT_OK(other.Append(*main, {SmallJournal::At(3)}, sealed));
  EXPECT_TRUE(sealed);
  EXPECT_FALSE(Appends(own, {SmallJournal::At(4)})) << "in the segment that the other began";
  EXPECT_THAT(Sequences(1), ElementsAre(1, 2));
  EXPECT_THAT(Sequences(2), ElementsAre(3, 4));
}

TEST_F(JournalAppenderTest, NothingIsWrittenWhereTheMainFileIsLocked) {
  const std::unique_ptr<Connection> other = journal_.Connect();
  {
    const Transaction held = Transaction::Begin(*other).value();
    const auto refused = journal_.AppendAll({SmallJournal::At(1)});
    EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("locked by another process"));
  }
  EXPECT_FALSE(journal_.main->InTransaction());
  EXPECT_THAT(Sequences(1), ElementsAre());
  EXPECT_OK(journal_.Append(SmallJournal::At(1)));
}

TEST_F(JournalAppenderTest, ABatchIsOneTransaction) {
  const std::unique_ptr<Connection> segment = journal_.folder.OpenSegment(1).value();
  ASSERT_OK(
      segment->Execute("CREATE TRIGGER fail BEFORE INSERT ON intents WHEN NEW.request_id = "
                       "'t2' BEGIN SELECT RAISE(ABORT, 'broken'); END"));
  EXPECT_THAT(journal_.AppendAll({SmallJournal::At(1), SmallJournal::At(2), SmallJournal::At(3)}),
              FailsWith(ErrorReason::kInternalError));
  EXPECT_THAT(Sequences(1), ElementsAre());
  EXPECT_OK(journal_.AppendAll({SmallJournal::At(1), SmallJournal::At(3)}));
  EXPECT_THAT(Sequences(1), ElementsAre(1, 2));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
