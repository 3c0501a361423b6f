#include "issuance/store/sqlite/journal/journal_query.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/journal/testing/small_journal.h"
#include "issuance/store/sqlite/segments/segment_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class JournalQueryTest : public testing::Test {
 protected:
  // All pages one after the other.
  std::vector<std::string> List(const JournalFilter& filter = {}, int page_size = 3) {
    std::vector<std::string> ids;
    std::string token;
    do {
      const auto page =
          ListJournal(*journal_.main, journal_.files, kSampleTenant, filter, page_size, token);
      EXPECT_OK(page);
      if (!page.ok()) return {"error"};
      for (const JournalRecord& record : page->records) ids.push_back(record.intent.request_id);
      token = page->next_page_token;
    } while (!token.empty());
    return ids;
  }
  absl::StatusOr<JournalRecord> Find(absl::string_view request_id) {
    return FindByRequestId(*journal_.main, journal_.files, kSampleTenant, request_id);
  }
  absl::StatusOr<JournalRecord> FindSerial(absl::string_view serial_number) {
    return FindBySerialNumber(*journal_.main, journal_.files, kSampleTenant, serial_number);
  }

  // Segments 1 (indexed), 2 (sealed) and 3 (active), whose times overlap; `t6` was intended 6
  // seconds after SampleTime.
  void MakeThreeSegments() {
    for (const int i : {1, 4, 3}) ASSERT_OK(journal_.Append(At(i)));
    ASSERT_OK(journal_.Seal());
    ASSERT_OK(journal_.Index(1));
    for (const int i : {2, 6, 5}) ASSERT_OK(journal_.Append(At(i)));
    ASSERT_OK(journal_.Seal());
    for (const int i : {8, 0, 7}) ASSERT_OK(journal_.Append(At(i)));
  }
  static Intent At(int seconds) {
    Intent intent = SmallJournal::At(seconds);
    intent.user_upn = seconds % 2 == 0 ? "Even@contoso.example" : "odd@contoso.example";
    intent.device_id = seconds < 5 ? "low" : "high";
    return intent;
  }

  SmallJournal journal_;
};

TEST_F(JournalQueryTest, PagesAreInOrderOfTimeWhateverTheSegment) {
  MakeThreeSegments();
  const auto all = ElementsAre("t8", "t7", "t6", "t5", "t4", "t3", "t2", "t1", "t0");
  for (const int page_size : {1, 2, 3, 4, 8, 9, 10, kMaxPageSize}) {
    EXPECT_THAT(List({}, page_size), all) << page_size;
  }
}

TEST_F(JournalQueryTest, ALastPageThatIsFullHasNoNext) {
  MakeThreeSegments();
  const auto next = [this](int page_size) {
    return ListJournal(*journal_.main, journal_.files, kSampleTenant, {}, page_size, "")
        ->next_page_token;
  };
  EXPECT_NE(next(8), "");
  EXPECT_EQ(next(9), "");
  EXPECT_EQ(next(10), "");
}

TEST_F(JournalQueryTest, FiltersReachIntoEverySegment) {
  MakeThreeSegments();
  JournalFilter user, device, both, time, serial;
  user.user_upn = "even@CONTOSO.example";
  EXPECT_THAT(List(user), ElementsAre("t8", "t6", "t4", "t2", "t0"));
  device.device_id = "low";
  EXPECT_THAT(List(device), ElementsAre("t4", "t3", "t2", "t1", "t0"));
  both = user;
  both.device_id = "low";
  EXPECT_THAT(List(both, 1), ElementsAre("t4", "t2", "t0"));
  time.intended_from = SampleTime(3);
  time.intended_before = SampleTime(7);
  EXPECT_THAT(List(time, 1), ElementsAre("t6", "t5", "t4", "t3"));
  time.intended_before = SampleTime(3);
  EXPECT_THAT(List(time), IsEmpty());
  for (const int i : {1, 2, 8}) {
    serial.serial_number = At(i).serial_number;
    EXPECT_THAT(List(serial), ElementsAre(absl::StrCat("t", i)));
  }
  serial.intended_before = SampleTime(8);
  EXPECT_THAT(List(serial), IsEmpty());
}

// A filter whose borders are those of a segment: neither a segment too few nor a record too many.
TEST_F(JournalQueryTest, TimesAtTheBordersOfSegments) {
  MakeThreeSegments();
  for (int from = -1; from <= 9; ++from) {
    for (int before = from; before <= 10; ++before) {
      JournalFilter time;
      time.intended_from = SampleTime(from);
      time.intended_before = SampleTime(before);
      std::vector<std::string> expected;
      for (int i = 8; i >= 0; --i) {
        if (i >= from && i < before) expected.push_back(absl::StrCat("t", i));
      }
      EXPECT_EQ(List(time, 2), expected) << from << " " << before;
    }
  }
}

TEST_F(JournalQueryTest, AUserOfNoNameIsNobody) {
  MakeThreeSegments();
  JournalFilter nobody;
  nobody.user_upn = " \u200b";
  EXPECT_THAT(List(nobody), IsEmpty());
  EXPECT_THAT(ListJournal(*journal_.main, journal_.files, kSampleTenant, nobody, 1, "x"),
              FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  EXPECT_THAT(ListJournal(*journal_.main, journal_.files, kSampleTenant, nobody, 0, ""),
              FailsWith(ErrorReason::kFieldInvalid, "page_size"));
}

TEST_F(JournalQueryTest, RecordsAreFoundInEverySegmentAndNoOther) {
  MakeThreeSegments();
  for (int i = 0; i <= 8; ++i) {
    ASSERT_OK_AND_ASSIGN(const JournalRecord found, Find(absl::StrCat("t", i)));
    EXPECT_EQ(found, (JournalRecord{At(i), "", std::nullopt}));
    ASSERT_OK_AND_ASSIGN(const JournalRecord same, FindSerial(At(i).serial_number));
    EXPECT_EQ(same.intent.request_id, found.intent.request_id);
  }
  const auto unknown = FailsWith(ErrorReason::kCertificateUnknown);
  EXPECT_THAT(Find("t9"), unknown);
  EXPECT_THAT(Find(""), unknown);
  EXPECT_THAT(Find(At(1).serial_number), unknown) << "a serial number is no request id";
  EXPECT_THAT(FindSerial("t1"), unknown);
  EXPECT_THAT(FindByRequestId(*journal_.main, journal_.files, "fabrikam", "t1"), unknown);
  EXPECT_THAT(FindBySerialNumber(*journal_.main, journal_.files, "fabrikam", At(1).serial_number),
              unknown);
}

TEST_F(JournalQueryTest, OfSeveralRootsWithOneSerialNumberTheNewestIsFound) {
  Intent first = At(5), second = At(3), third = At(4);
  second.serial_number = third.serial_number = first.serial_number;
  ASSERT_OK(journal_.Append(first));
  ASSERT_OK(journal_.Seal());
  // As roots of the tenant that were its primary before.
  const std::unique_ptr<Connection> active = journal_.folder.OpenSegment(2).value();
  second.root_id = "root-0";
  third.root_id = "root-00";
  ASSERT_OK(InsertIntent(*active, 2, second));
  ASSERT_OK(InsertIntent(*active, 3, third));
  EXPECT_EQ(FindSerial(first.serial_number)->intent.request_id, "t5");
  JournalFilter serial;
  serial.serial_number = first.serial_number;
  for (const int page_size : {1, 2, 3}) {
    EXPECT_THAT(List(serial, page_size), ElementsAre("t5", "t4", "t3")) << page_size;
  }
  serial.intended_before = SampleTime(5);
  EXPECT_THAT(List(serial, 1), ElementsAre("t4", "t3"));
}

TEST_F(JournalQueryTest, ALateReleaseBelongsToItsRecord) {
  MakeThreeSegments();
  for (const int i : {1, 2, 8}) ASSERT_OK(journal_.Append(ReleaseOf(At(i))));
  EXPECT_EQ(journal_.main->QueryInteger("SELECT count(*) FROM late_releases").value(), 2);
  for (const int i : {1, 2, 8}) {
    const JournalRecord expected{At(i), ReleaseOf(At(i)).certificate, ReleaseOf(At(i)).released_at};
    EXPECT_EQ(Find(absl::StrCat("t", i)).value(), expected);
    EXPECT_EQ(FindSerial(At(i).serial_number).value(), expected);
    JournalFilter time;
    time.intended_from = SampleTime(i);
    time.intended_before = SampleTime(i + 1);
    ASSERT_OK_AND_ASSIGN(const Page<JournalRecord> page,
                         ListJournal(*journal_.main, journal_.files, kSampleTenant, time, 9, ""));
    EXPECT_THAT(page.records, ElementsAre(expected));
  }
  EXPECT_EQ(Find("t3")->released_at, std::nullopt);
}

TEST_F(JournalQueryTest, ASegmentThatWasDroppedIsLeftOut) {
  MakeThreeSegments();
  // What is remembered of the journal is of before.
  ASSERT_OK(journal_.files.Current(*journal_.main));
  const Catalog catalog = journal_.ReadItsCatalog();
  ASSERT_OK(journal_.Transact([&]() -> absl::Status {
    RETURN_IF_ERROR(RemoveSegment(*journal_.main, catalog.segments[1]));
    return RaiseCatalogVersion(*journal_.main).status();
  }));
  ASSERT_OK(journal_.folder.DropSegment(2));
  EXPECT_THAT(List(), ElementsAre("t8", "t7", "t4", "t3", "t1", "t0"));
  EXPECT_THAT(Find("t6"), FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_OK(Find("t4"));
}

TEST_F(JournalQueryTest, ASegmentThatIsMissingIsTold) {
  MakeThreeSegments();
  std::filesystem::remove(journal_.folder.SegmentPath(1));
  // One that has no file open yet.
  JournalFiles files(journal_.folder, journal_.files.key());
  for (const absl::Status& status :
       {ListJournal(*journal_.main, files, kSampleTenant, {}, 9, "").status(),
        FindByRequestId(*journal_.main, files, kSampleTenant, "t1").status()}) {
    EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("00000001.sqlite"));
  }
  EXPECT_OK(FindByRequestId(*journal_.main, files, kSampleTenant, "t8"));
}

TEST_F(JournalQueryTest, RootsGetTheLastLeafThatTheViewKnows) {
  ASSERT_OK(journal_.Append(At(1)));
  ASSERT_OK_AND_ASSIGN(const auto view, journal_.files.Current(*journal_.main));
  const ca::Time last = At(1).not_after;
  const std::chrono::seconds second(1);
  std::vector<RootRecord> roots(5, SampleRoot(1));
  roots[1].last_leaf_not_after = last - second;
  roots[2].last_leaf_not_after = last + second;
  roots[3].root_id = "root-2";
  roots[4].tenant_id = "fabrikam";
  roots[4].last_leaf_not_after = last - second;
  RaiseLastLeaves(*view, absl::MakeSpan(roots));
  EXPECT_EQ(roots[0].last_leaf_not_after, last);
  EXPECT_EQ(roots[1].last_leaf_not_after, last);
  EXPECT_EQ(roots[2].last_leaf_not_after, last + second) << "it is never lowered";
  EXPECT_EQ(roots[3].last_leaf_not_after, std::nullopt);
  EXPECT_EQ(roots[4].last_leaf_not_after, last - second);
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
