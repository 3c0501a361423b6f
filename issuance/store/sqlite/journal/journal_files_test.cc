#include "issuance/store/sqlite/segments/journal_files.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/journal/testing/small_journal.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class JournalFilesTest : public testing::Test {
 protected:
  Candidates Find(const JournalView& view, const std::string& request_id) {
    Candidates candidates;
    EXPECT_OK(
        view.Find(HashOfRequestId(journal_.files.key(), kSampleTenant, request_id), candidates));
    return candidates;
  }

  SmallJournal journal_;
  // Of another process.
  JournalFiles others_{journal_.folder, journal_.files.key()};
  const std::unique_ptr<Connection> others_main_ = journal_.Connect();
};

TEST_F(JournalFilesTest, ACurrentViewHasWhatWasCommittedBefore) {
  ASSERT_OK_AND_ASSIGN(auto view, others_.Newest(*others_main_));
  ASSERT_OK(journal_.Append(SmallJournal::At(1)));
  EXPECT_THAT(Find(*view, "t1"), IsEmpty());
  ASSERT_OK_AND_ASSIGN(view, others_.Newest(*others_main_));
  EXPECT_THAT(Find(*view, "t1"), IsEmpty()) << "the newest of the catalog may lack it";
  ASSERT_OK_AND_ASSIGN(view, others_.Current(*others_main_));
  EXPECT_THAT(Find(*view, "t1"), ElementsAre(1));
}

TEST_F(JournalFilesTest, AViewIsOfEveryKindOfSegment) {
  ASSERT_OK(journal_.AppendAll({SmallJournal::At(1), SmallJournal::At(2)}));
  ASSERT_OK(journal_.Seal());
  ASSERT_OK(journal_.Index(1));
  ASSERT_OK(journal_.Append(SmallJournal::At(3)));
  ASSERT_OK(journal_.Seal());
  ASSERT_OK(journal_.Append(SmallJournal::At(4)));
  for (JournalFiles* files : {&journal_.files, &others_}) {
    ASSERT_OK_AND_ASSIGN(const auto view, files->Current(*others_main_));
    for (int i = 1; i <= 4; ++i) EXPECT_THAT(Find(*view, absl::StrCat("t", i)), ElementsAre(i));
    EXPECT_THAT(Find(*view, "t5"), IsEmpty());
    EXPECT_EQ(view->active().number, 3);
    EXPECT_EQ(view->active_keys().number(), 3);
    EXPECT_EQ(view->runs.size(), 1u);
    EXPECT_EQ(view->unindexed.size(), 2u);
    EXPECT_EQ(view->unindexed.front()->number(), 2);
  }
}

// Who reads goes on with the view that he has.
TEST_F(JournalFilesTest, AnOlderViewStaysReadable) {
  ASSERT_OK(journal_.Append(SmallJournal::At(1)));
  ASSERT_OK_AND_ASSIGN(const auto before, others_.Current(*others_main_));
  ASSERT_OK(journal_.Seal());
  ASSERT_OK(journal_.Index(1));
  ASSERT_OK_AND_ASSIGN(const auto after, others_.Newest(*others_main_));
  EXPECT_GT(after->catalog.version, before->catalog.version);
  EXPECT_EQ(before->active().number, 1);
  EXPECT_EQ(after->active().number, 2);
  for (const auto& view : {before, after}) EXPECT_THAT(Find(*view, "t1"), ElementsAre(1));
  ASSERT_OK_AND_ASSIGN(const auto again, others_.Newest(*others_main_));
  EXPECT_EQ(again, after) << "nothing is read anew without a change";
}

TEST_F(JournalFilesTest, RefusesACatalogThatIsDamagedAndKeepsTheView) {
  ASSERT_OK(journal_.Append(SmallJournal::At(1)));
  ASSERT_OK(others_.Current(*others_main_));
  ASSERT_OK(
      journal_.main->Execute("UPDATE journal_segments SET state = 'SEALED', "
                             "last_sequence = 1"));
  EXPECT_OK(others_.Newest(*others_main_)) << "its version is the same";
  ASSERT_OK(RaiseCatalogVersion(*journal_.main));
  EXPECT_THAT(others_.Newest(*others_main_), FailsWith(ErrorReason::kJournalUnavailable));
  ASSERT_OK(journal_.main->Execute("UPDATE journal_segments SET state = 'ACTIVE'"));
  ASSERT_OK_AND_ASSIGN(const auto view, others_.Current(*others_main_));
  EXPECT_THAT(Find(*view, "t1"), ElementsAre(1));
}

TEST_F(JournalFilesTest, RefusesASealedSegmentThatLacksRecords) {
  ASSERT_OK(journal_.AppendAll({SmallJournal::At(1), SmallJournal::At(2)}));
  ASSERT_OK(journal_.Seal());
  ASSERT_OK(
      journal_.folder.OpenSegment(1).value()->Execute("DELETE FROM intents WHERE sequence = 2"));
  const auto refused = others_.Newest(*others_main_);
  EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(refused.status().message()), testing::HasSubstr("lacks records"));
}

TEST_F(JournalFilesTest, ARunThatIsExpectedIsNotReadAgain) {
  ASSERT_OK(journal_.Append(SmallJournal::At(1)));
  ASSERT_OK(journal_.Seal());
  ASSERT_OK(journal_.Index(1));
  const KeyRunRow row = journal_.ReadItsCatalog().runs[0];
  const std::string path = journal_.folder.KeyRunPath(row.number);
  ASSERT_OK_AND_ASSIGN(const auto run, KeyRun::Open(path, journal_.files.key()));
  others_.Expect(row.number, run);
  ASSERT_OK_AND_ASSIGN(const auto view, others_.Newest(*others_main_));
  EXPECT_EQ(view->runs[0], run);
  // Neither of another number, nor of a file that is another's by now.
  JournalFiles third(journal_.folder, journal_.files.key());
  third.Expect(row.number + 1, run);
  EXPECT_NE(third.Newest(*others_main_).value()->runs[0], run);
  JournalFiles fourth(journal_.folder, journal_.files.key());
  std::filesystem::copy_file(path, path + ".copy");
  std::filesystem::rename(path + ".copy", path);
  fourth.Expect(row.number, run);
  EXPECT_NE(fourth.Newest(*others_main_).value()->runs[0], run);
}

TEST_F(JournalFilesTest, ARunThatIsMissingOrOfAnotherRowIsRefused) {
  for (const int i : {1, 2}) {
    ASSERT_OK(journal_.Append(SmallJournal::At(i)));
    ASSERT_OK(journal_.Seal());
    ASSERT_OK(journal_.Index(i));
  }
  const Catalog catalog = journal_.ReadItsCatalog();
  const std::string first = journal_.folder.KeyRunPath(catalog.runs[0].number);
  const std::string second = journal_.folder.KeyRunPath(catalog.runs[1].number);
  std::filesystem::rename(first, first + ".away");
  EXPECT_THAT(others_.Newest(*others_main_), FailsWith(ErrorReason::kJournalUnavailable));
  std::filesystem::copy_file(second, first);
  EXPECT_THAT(others_.Newest(*others_main_), FailsWith(ErrorReason::kJournalUnavailable));
  std::filesystem::rename(first + ".away", first);
  EXPECT_OK(others_.Newest(*others_main_));
}

TEST_F(JournalFilesTest, ReadsASegmentAndDoesNotWriteIt) {
  const auto statement = [](const char* sql) {
    return [sql](Connection& file) { return file.Execute(sql); };
  };
  EXPECT_OK(others_.Read(1, statement("SELECT * FROM intents")));
  EXPECT_THAT(others_.Read(1, statement("DELETE FROM intents")),
              FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(others_.Read(2, statement("SELECT 1")), FailsWith(ErrorReason::kJournalUnavailable));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
