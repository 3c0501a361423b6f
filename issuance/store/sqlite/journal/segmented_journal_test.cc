#include "issuance/store/sqlite/journal/segmented_journal.h"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/journal/testing/small_journal.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::HasSubstr;

class SegmentedJournalTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<SegmentedJournal>> Open() {
    return SegmentedJournal::Open(connections_.get(), journal_.path, options_);
  }
  static absl::Status Append(SegmentedJournal& journal, const JournalWrite& write) {
    const auto statuses = journal.Append({write});
    return statuses.ok() ? statuses->front() : statuses.status();
  }

  SqliteStoreOptions options_;
  SmallJournal journal_;
  const std::unique_ptr<Connections> connections_ =
      Connections::Open(journal_.path, std::chrono::milliseconds(10000)).value();
};

TEST_F(SegmentedJournalTest, WhatIsAppendedIsFoundListedAndDropped) {
  ASSERT_OK_AND_ASSIGN(const auto journal, Open());
  ASSERT_OK(Append(*journal, SmallJournal::At(1)));
  ASSERT_OK(Append(*journal, ReleaseOf(SmallJournal::At(1))));
  const JournalRecord expected{SmallJournal::At(1), ReleaseOf(SmallJournal::At(1)).certificate,
                               ReleaseOf(SmallJournal::At(1)).released_at};
  EXPECT_EQ(journal->FindByRequestId(kSampleTenant, "t1").value(), expected);
  EXPECT_EQ(journal->FindBySerialNumber(kSampleTenant, SmallJournal::At(1).serial_number).value(),
            expected);
  EXPECT_EQ(journal->List(kSampleTenant, {}, 9, "")->records, std::vector<JournalRecord>{expected});
  ASSERT_OK(journal->DropBefore(SampleTime() + std::chrono::hours(9)));
  EXPECT_THAT(journal->FindByRequestId(kSampleTenant, "t1"),
              FailsWith(ErrorReason::kCertificateUnknown));
  const std::string dropped = journal_.folder.SegmentPath(1) + ".dropped";
  EXPECT_TRUE(std::filesystem::exists(dropped));
  ASSERT_OK(journal->DeleteDropped(SampleTime()));
  EXPECT_TRUE(std::filesystem::exists(dropped));
  ASSERT_OK(journal->DeleteDropped(SampleTime() + std::chrono::hours(24)));
  EXPECT_FALSE(std::filesystem::exists(dropped));
  EXPECT_OK(Append(*journal, SmallJournal::At(1))) << "its request id is free again";
}

TEST_F(SegmentedJournalTest, ARootHasTheLastLeafThatTheMainFileDoesNotKnowYet) {
  ASSERT_OK_AND_ASSIGN(const auto journal, Open());
  EXPECT_EQ(journal->GetRoot(kSampleTenant, kSampleRoot)->last_leaf_not_after, std::nullopt);
  ASSERT_OK(Append(*journal, SmallJournal::At(1)));
  EXPECT_EQ(sqlite::GetRoot(*journal_.main, kSampleTenant, kSampleRoot)->last_leaf_not_after,
            std::nullopt);
  EXPECT_EQ(journal->GetRoot(kSampleTenant, kSampleRoot)->last_leaf_not_after,
            SmallJournal::At(1).not_after);
  EXPECT_EQ(journal->ListRoots(kSampleTenant)->front().last_leaf_not_after,
            SmallJournal::At(1).not_after);
  EXPECT_THAT(journal->GetRoot(kSampleTenant, "root-9"), FailsWith(ErrorReason::kRootUnknown));
}

TEST_F(SegmentedJournalTest, AKeyRunThatIsGoneIsMadeAgain) {
  ASSERT_OK(journal_.Append(SmallJournal::At(1)));
  ASSERT_OK(journal_.Seal());
  ASSERT_OK(journal_.Index(1));
  const std::int64_t number = journal_.ReadItsCatalog().runs[0].number;
  std::filesystem::remove(journal_.folder.KeyRunPath(number));
  ASSERT_OK_AND_ASSIGN(const auto journal, Open());
  EXPECT_OK(journal->FindByRequestId(kSampleTenant, "t1"));
  const Catalog catalog = journal_.ReadItsCatalog();
  ASSERT_EQ(catalog.runs.size(), 1u);
  EXPECT_NE(catalog.runs[0].number, number);
}

// It has what the run had: without it, a request id could pass twice.
TEST_F(SegmentedJournalTest, AKeyRunWhoseSegmentIsGoneTooIsRefused) {
  ASSERT_OK(journal_.Append(SmallJournal::At(1)));
  ASSERT_OK(journal_.Seal());
  ASSERT_OK(journal_.Index(1));
  std::filesystem::remove(journal_.folder.KeyRunPath(journal_.ReadItsCatalog().runs[0].number));
  const std::string segment = journal_.folder.SegmentPath(1);
  std::filesystem::rename(segment, segment + ".away");
  EXPECT_THAT(Open(), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_EQ(journal_.ReadItsCatalog().runs.size(), 1u) << "the catalog is as it was";
  std::filesystem::rename(segment + ".away", segment);
  EXPECT_OK(Open());
}

TEST_F(SegmentedJournalTest, ACatalogWithoutSegmentsDoesNotTakeOverAJournal) {
  ASSERT_OK(journal_.Append(SmallJournal::At(1)));
  ASSERT_OK(journal_.main->Execute("DELETE FROM journal_segments"));
  const auto refused = Open();
  EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(journal_.folder.SegmentPath(1)));
  ASSERT_OK(journal_.folder.DeleteDropped(1));
  EXPECT_OK(Open()) << "an empty folder is an interrupted start's";
  EXPECT_EQ(journal_.ReadItsCatalog().segments.size(), 1u);
}

TEST_F(SegmentedJournalTest, IsRefusedWhereTheCatalogIsDamaged) {
  ASSERT_OK(journal_.main->Execute("INSERT INTO journal_key_runs VALUES (9, 1, 1, 0)"));
  EXPECT_THAT(Open(), FailsWith(ErrorReason::kJournalUnavailable));
  ASSERT_OK(journal_.main->Execute("DELETE FROM journal_key_runs"));
  EXPECT_OK(Open());
}

TEST_F(SegmentedJournalTest, SegmentsEndAsItsOptionsSay) {
  options_.segment_intents = 1;
  ASSERT_OK_AND_ASSIGN(const auto journal, Open());
  for (int i = 1; i <= 3; ++i) ASSERT_OK(Append(*journal, SmallJournal::At(i)));
  EXPECT_EQ(journal_.ReadItsCatalog().segments.size(), 3u);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_OK(journal->FindByRequestId(kSampleTenant, absl::StrCat("t", i)));
  }
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
