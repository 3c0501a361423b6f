#include "issuance/store/sqlite/journal/old_journal.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "issuance/store/sqlite/key_index/key_run.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/segments/segment_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class OldJournalTest : public testing::Test {
 protected:
  OldJournalTest() {
    EXPECT_OK(UseWriteAheadLog(*main_));
    EXPECT_OK(Migrate(*main_, Migrations().first(3)));
    EXPECT_OK(main_->Execute(
        "INSERT INTO tenants VALUES ('contoso', 'Contoso', 1, 2, 3, 4);"
        "INSERT INTO roots VALUES ('contoso', 'r1', 1, 'PRIMARY', 'ec-p256', 'software:r1', 1, "
        "x'3000', 100, 90000, 5, 6, 8000, 'create-1');"));
  }

  // As a program of schema version 3 wrote it; released where its number is even.
  void Add(std::int64_t sequence) {
    const std::string id = absl::StrCat(sequence);
    EXPECT_OK(main_->Execute(absl::StrCat(
        "INSERT INTO intents VALUES (", id, ", 'contoso', 2, 'r1', 'id-", id,
        "', x'd1', 'caller', 'u-1', 'upn', 'd-1', 'v-1', '7', 10, x'", absl::Hex(sequence + 4096),
        "', 4400, 8000, x'300100', ", 100 + sequence, ", x'05')")));
    if (sequence % 2 != 0) return;
    EXPECT_OK(main_->Execute(
        absl::StrCat("INSERT INTO releases VALUES (", id, ", x'3003300100ff', 30)")));
  }
  // To the version at which the program moves it.
  absl::Status Move(std::int64_t intents) {
    RETURN_IF_ERROR(Migrate(*main_, Migrations(), kVersionWithOldJournal));
    return MoveOldJournal(*main_, folder_, intents);
  }
  std::int64_t Integer(absl::string_view sql) { return main_->QueryInteger(sql).value(); }

  // `FIRST-LAST` of each segment.
  std::vector<std::string> Ranges() {
    std::vector<std::string> ranges;
    const Catalog catalog = ReadCatalog(*main_).value();
    for (const Segment& segment : catalog.segments) {
      EXPECT_EQ(segment.state, SegmentState::kIndexed);
      ranges.push_back(absl::StrCat(segment.first_sequence, "-", segment.last_sequence));
    }
    return ranges;
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.Write("store", "");
  const std::unique_ptr<Connection> main_ =
      Connection::Open(path_, std::chrono::milliseconds(100)).value();
  const JournalFolder folder_ = JournalFolder::Open(path_, std::chrono::milliseconds(100)).value();
};

TEST_F(OldJournalTest, AnEmptyOneLeavesNoSegment) {
  ASSERT_OK(Move(4));
  EXPECT_THAT(Ranges(), IsEmpty());
  EXPECT_EQ(Integer("PRAGMA user_version"), static_cast<std::int64_t>(Migrations().size()));
}

TEST_F(OldJournalTest, SegmentsHaveAsManyIntentsAsTheyMay) {
  for (const std::int64_t sequence : {1, 2, 3, 4, 5, 6, 7, 8, 9}) Add(sequence);
  ASSERT_OK(Move(4));
  EXPECT_THAT(Ranges(), ElementsAre("1-4", "5-8", "9-9"));
}

TEST_F(OldJournalTest, OneThatFillsItsSegmentsLeavesNoEmptyOne) {
  for (const std::int64_t sequence : {1, 2, 3, 4}) Add(sequence);
  ASSERT_OK(Move(2));
  EXPECT_THAT(Ranges(), ElementsAre("1-2", "3-4"));
}

TEST_F(OldJournalTest, SequenceNumbersStayAsTheyAre) {
  for (const std::int64_t sequence : {7, 20, 21, 1000}) Add(sequence);
  ASSERT_OK(Move(3));
  EXPECT_THAT(Ranges(), ElementsAre("7-21", "1000-1000"));
}

TEST_F(OldJournalTest, ARecordIsMovedInEveryField) {
  Add(1);
  Add(2);
  ASSERT_OK(Move(9));
  const std::unique_ptr<Connection> segment = folder_.OpenSegment(1).value();
  ASSERT_OK_AND_ASSIGN(const std::optional<NumberedRecord> first, ReadRecord(*segment, 1));
  ASSERT_OK_AND_ASSIGN(const std::optional<NumberedRecord> second, ReadRecord(*segment, 2));
  ASSERT_TRUE(first.has_value() && second.has_value());
  Intent expected;
  expected.tenant_id = "contoso";
  expected.epoch = 2;
  expected.root_id = "r1";
  expected.request_id = "id-1";
  expected.request_digest = "\xd1";
  expected.caller = "caller";
  expected.user_id = "u-1";
  expected.user_upn = "upn";
  expected.device_id = "d-1";
  expected.verdict_id = "v-1";
  expected.policy_version = "7";
  expected.verdict_evaluated_at = Timestamp(std::chrono::microseconds(10));
  expected.serial_number = "\x10\x01";
  expected.not_before = ca::Time(std::chrono::seconds(4400));
  expected.not_after = ca::Time(std::chrono::seconds(8000));
  expected.tbs_certificate = std::string("\x30\x01\x00", 3);
  expected.intended_at = Timestamp(std::chrono::microseconds(101));
  expected.intermediate_serial_number = "\x05";
  EXPECT_EQ(first->record, (JournalRecord{expected, "", std::nullopt}));
  EXPECT_EQ(second->record.intent.request_id, "id-2");
  EXPECT_EQ(second->record.certificate, std::string("\x30\x03\x30\x01\x00\xff", 6));
  EXPECT_EQ(second->record.released_at, Timestamp(std::chrono::microseconds(30)));
  EXPECT_TRUE(HasIndices(*segment).value());
}

TEST_F(OldJournalTest, EachSegmentIsInAKeyRun) {
  for (const std::int64_t sequence : {1, 2, 3}) Add(sequence);
  ASSERT_OK(Move(2));
  const Catalog catalog = ReadCatalog(*main_).value();
  ASSERT_OK_AND_ASSIGN(const HashKey key, ReadHashKey(*main_));
  ASSERT_EQ(catalog.runs.size(), 2u);
  for (const KeyRunRow& row : catalog.runs) {
    EXPECT_EQ(row.first_segment, row.last_segment);
    ASSERT_OK_AND_ASSIGN(const auto run, KeyRun::Open(folder_.KeyRunPath(row.number), key));
    EXPECT_EQ(run->entry_count(), row.first_segment == 1 ? 4u : 2u);
    Candidates candidates;
    ASSERT_OK(run->Find(HashOfRequestId(key, "contoso", "id-3"), candidates));
    EXPECT_EQ(candidates.size(), row.first_segment == 1 ? 0u : 1u);
  }
}

TEST_F(OldJournalTest, TheOldTablesGoAndASecondMoveIsNone) {
  Add(1);
  ASSERT_OK(Move(9));
  EXPECT_EQ(Integer("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'old_%'"), 0);
  EXPECT_EQ(Integer("PRAGMA user_version"), static_cast<std::int64_t>(Migrations().size()));
  const std::int64_t version = ReadCatalog(*main_)->version;
  ASSERT_OK(MoveOldJournal(*main_, folder_, 9));
  EXPECT_EQ(ReadCatalog(*main_)->version, version);
  EXPECT_THAT(Ranges(), ElementsAre("1-1"));
}

TEST_F(OldJournalTest, WhatCannotBeMovedStaysWhereItIs) {
  for (const std::int64_t sequence : {1, 2, 3, 4}) Add(sequence);
  ASSERT_OK(Migrate(*main_, Migrations(), kVersionWithOldJournal));
  ASSERT_OK(
      main_->Execute("CREATE TRIGGER fail BEFORE INSERT ON journal_key_runs WHEN "
                     "NEW.first_segment = 2 BEGIN SELECT RAISE(ABORT, 'broken'); END"));
  EXPECT_THAT(MoveOldJournal(*main_, folder_, 2), FailsWith(ErrorReason::kInternalError));
  EXPECT_FALSE(main_->InTransaction());
  EXPECT_THAT(Ranges(), ElementsAre("1-2"));
  EXPECT_EQ(Integer("SELECT count(*) + sum(sequence) FROM old_intents"), 9);
  EXPECT_EQ(Integer("SELECT count(*) + sum(sequence) FROM old_releases"), 5);
  ASSERT_OK(main_->Execute("DROP TRIGGER fail"));
  ASSERT_OK(MoveOldJournal(*main_, folder_, 2));
  EXPECT_THAT(Ranges(), ElementsAre("1-2", "3-4"));
  EXPECT_OK(ReadRecord(*folder_.OpenSegment(2).value(), 4));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
