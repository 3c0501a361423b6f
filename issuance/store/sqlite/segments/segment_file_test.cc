#include "issuance/store/sqlite/segments/segment_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/journal_file_names.h"
#include "issuance/store/sqlite/segments/segment_records.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kSegment7[] = "00000007.sqlite";

class SegmentFileTest : public testing::Test {
 protected:
  std::string In(absl::string_view name) { return absl::StrCat(path_, ".journal/", name); }
  void Write(absl::string_view name, absl::string_view content) {
    directory_.Write(absl::StrCat("store.journal/", name), content);
  }
  std::set<std::string> Files() {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(path_ + ".journal")) {
      names.insert(file.path().filename());
    }
    return names;
  }
  mode_t ModeOf(const std::string& path) {
    struct stat file;
    return stat(path.c_str(), &file) == 0 ? file.st_mode & 07777 : 0;
  }
  // A segment with one intent, closed.
  void MakeWithIntent(std::int64_t number) {
    const std::unique_ptr<Connection> segment = folder_.MakeSegment(number).value();
    EXPECT_OK(InsertIntent(*segment, number, SampleIntent("r")));
  }
  // A segment 7 with one intent, which only its log holds; both under these names.
  void MakeWithIntentInTheLog(const std::string& database, const std::string& log) {
    std::string octets, octets_of_log;
    {
      const std::unique_ptr<Connection> segment = folder_.MakeSegment(7).value();
      Transaction transaction = Transaction::Begin(*segment).value();
      EXPECT_OK(InsertIntent(*segment, 7, SampleIntent("r")));
      EXPECT_OK(transaction.Commit());
      octets = ReadFileOrDie(In(kSegment7));
      octets_of_log = ReadFileOrDie(In(kSegment7) + "-wal");
    }
    std::filesystem::remove(In(kSegment7));
    Write(database, octets);
    Write(log, octets_of_log);
  }
  std::int64_t IntentsIn(const std::string& name) {
    return Connection::Open(In(name), milliseconds(10))
        .value()
        ->QueryInteger("SELECT count(*) FROM intents")
        .value();
  }
  bool HasIntent(std::int64_t number) {
    const auto segment = folder_.OpenSegment(number);
    if (!segment.ok()) return false;
    const auto intent = ReadIntent(**segment, number);
    return intent.ok() && intent->has_value();
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.File("store");
  std::vector<std::string> set_aside_;
  const JournalFolder folder_ =
      JournalFolder::Open(path_, milliseconds(10), [this](const std::string& path) {
        set_aside_.push_back(path);
      }).value();
};

TEST_F(SegmentFileTest, TheFolderIsTheOwnersAlone) {
  EXPECT_EQ(ModeOf(path_ + ".journal"), 0700u);
  std::filesystem::permissions(path_ + ".journal", std::filesystem::perms::all);
  EXPECT_OK(JournalFolder::Open(path_, milliseconds(10)));
  EXPECT_EQ(ModeOf(path_ + ".journal"), 0700u) << "also where it was there";
  const auto refused = JournalFolder::Open(directory_.File("missing/store"), milliseconds(10));
  EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr(directory_.File("missing/store.journal") + ": No such file"));
}

TEST_F(SegmentFileTest, NamesItsFiles) {
  EXPECT_EQ(folder_.SegmentPath(7), In(kSegment7));
  EXPECT_EQ(folder_.KeyRunPath(7), In("00000007.keys"));
  const std::string first = folder_.NewKeyRunPath(), second = folder_.NewKeyRunPath();
  EXPECT_NE(first, second);
  for (const std::string& path : {first, second}) {
    EXPECT_EQ(std::filesystem::path(path).parent_path(), path_ + ".journal");
    EXPECT_EQ(ParseJournalFileName(std::filesystem::path(path).filename().string()).kind,
              JournalFileKind::kNewKeyRun);
  }
}

TEST_F(SegmentFileTest, ANewSegmentIsEmptyAndDurable) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Connection> segment, folder_.MakeSegment(7));
  EXPECT_EQ(ModeOf(In(kSegment7)), 0600u);
  EXPECT_EQ(segment->QueryInteger("SELECT count(*) FROM intents").value(), 0);
  EXPECT_EQ(segment->QueryInteger("SELECT count(*) FROM releases").value(), 0);
  EXPECT_EQ(segment->QueryInteger("SELECT count(*) FROM wal_tie WHERE id <> zeroblob(16)").value(),
            1);
  EXPECT_FALSE(HasIndices(*segment).value());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Connection> other, folder_.OpenSegment(7));
  for (Connection* connection : {segment.get(), other.get()}) {
    EXPECT_EQ(connection->QueryInteger("PRAGMA synchronous").value(), 2) << "FULL";
    ASSERT_OK_AND_ASSIGN(Rows rows, connection->Query("PRAGMA journal_mode"));
    ASSERT_OK(rows.Next());
    EXPECT_EQ(rows.TakeOctets(), "wal");
  }
  const auto missing = folder_.OpenSegment(8);
  EXPECT_THAT(missing, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr(In("00000008.sqlite")));
}

TEST_F(SegmentFileTest, WhatIsUnderTheNameOfANewSegmentIsKeptUnlessItIsEmpty) {
  ASSERT_OK(folder_.MakeSegment(7));
  ASSERT_OK(folder_.MakeSegment(7)) << "as an interrupted run leaves it";
  Write(kSegment7, "");
  ASSERT_OK(folder_.MakeSegment(7));
  EXPECT_THAT(set_aside_, IsEmpty());
  EXPECT_THAT(Files(), ElementsAre(kSegment7));
  ASSERT_OK(folder_.DeleteDropped(7));
  MakeWithIntent(7);
  ASSERT_OK(folder_.MakeSegment(7));
  EXPECT_FALSE(HasIntent(7));
  EXPECT_THAT(set_aside_, ElementsAre(In("00000007.sqlite.set-aside")));
  Write(kSegment7, "somebody's");
  ASSERT_OK(folder_.MakeSegment(7));
  EXPECT_THAT(set_aside_,
              ElementsAre(In("00000007.sqlite.set-aside"), In("00000007.sqlite.set-aside-2")));
  EXPECT_EQ(ReadFileOrDie(In("00000007.sqlite.set-aside-2")), "somebody's");
}

TEST_F(SegmentFileTest, IndicesAreMadeOnceAndAfterAnInterruption) {
  MakeWithIntent(7);
  int pauses = 0;
  ASSERT_OK(folder_.IndexSegment(7, [&] { ++pauses; }));
  EXPECT_GE(pauses, 3) << "after each";
  const std::string whole = ReadFileOrDie(In(kSegment7));
  const auto segment = folder_.OpenSegment(7).value();
  EXPECT_EQ(segment
                ->QueryInteger("SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name "
                               "IN ('intents_by_time', 'intents_by_user', 'intents_by_device')")
                .value(),
            3);
  const auto columns_of = [&](const std::string& index) {
    Rows rows = segment->Query("SELECT group_concat(name) FROM pragma_index_info(?)", {Text{index}})
                    .value();
    EXPECT_OK(rows.Next());
    return rows.TakeOctets();
  };
  EXPECT_EQ(columns_of("intents_by_time"), "tenant_id,intended_at,sequence");
  EXPECT_EQ(columns_of("intents_by_user"), "tenant_id,user_upn,intended_at,sequence");
  EXPECT_EQ(columns_of("intents_by_device"), "tenant_id,device_id,intended_at,sequence");
  ASSERT_OK(segment->Execute("DROP INDEX intents_by_user; DROP INDEX intents_by_device"));
  ASSERT_OK(folder_.IndexSegment(7));
  EXPECT_TRUE(HasIndices(*segment).value());
  EXPECT_EQ(columns_of("intents_by_user"), "tenant_id,user_upn,intended_at,sequence");
  EXPECT_TRUE(HasIntent(7));
  EXPECT_EQ(std::filesystem::file_size(In(kSegment7) + "-wal"), 0u) << "all is written back";
  EXPECT_THAT(folder_.IndexSegment(8), FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(SegmentFileTest, KeyRunsGetTheirNumberAndGo) {
  const std::string path = folder_.NewKeyRunPath();
  Write(std::filesystem::path(path).filename().string(), "run");
  ASSERT_OK(folder_.NameKeyRun(path, 9));
  EXPECT_THAT(Files(), ElementsAre("00000009.keys"));
  const absl::Status refused = folder_.NameKeyRun(path, 9);
  EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(refused.message()), HasSubstr(In("00000009.keys")));
  EXPECT_EQ(ReadFileOrDie(In("00000009.keys")), "run");
  folder_.RemoveKeyRun(9);
  folder_.RemoveKeyRun(9);
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(SegmentFileTest, RemovalHasTwoSteps) {
  MakeWithIntent(7);
  MakeWithIntent(17);
  ASSERT_OK(folder_.DropSegment(7));
  ASSERT_OK(folder_.DropSegment(7)) << "a second time";
  EXPECT_THAT(Files(), ElementsAre("00000007.sqlite.dropped", "00000017.sqlite"));
  ASSERT_OK(folder_.DeleteDropped(7));
  ASSERT_OK(folder_.DeleteDropped(7)) << "a second time";
  EXPECT_THAT(Files(), ElementsAre("00000017.sqlite"));
  ASSERT_OK(folder_.DeleteDropped(17)) << "without the first";
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(SegmentFileTest, WhatAnotherHistoryDroppedIsKept) {
  MakeWithIntent(7);
  Write("00000007.sqlite.dropped", "of before");
  ASSERT_OK(folder_.DropSegment(7));
  ASSERT_OK(folder_.DeleteDropped(7));
  EXPECT_THAT(Files(), ElementsAre("00000007.sqlite.dropped.set-aside"));
  EXPECT_EQ(ReadFileOrDie(In("00000007.sqlite.dropped.set-aside")), "of before");
}

TEST_F(SegmentFileTest, ALogThatAnotherHistoryDroppedIsInNobodysWay) {
  MakeWithIntent(7);
  Write("00000007.sqlite-wal", "own");
  Write("00000007.sqlite.dropped-wal", "of before");
  ASSERT_OK(folder_.DropSegment(7));
  EXPECT_THAT(Files(), ElementsAre("00000007.sqlite.dropped", "00000007.sqlite.dropped-wal",
                                   "00000007.sqlite.dropped.set-aside-wal"));
  EXPECT_EQ(ReadFileOrDie(In("00000007.sqlite.dropped-wal")), "own");
  ASSERT_OK(folder_.DeleteDropped(7));
  EXPECT_THAT(Files(), ElementsAre("00000007.sqlite.dropped.set-aside-wal"));
  EXPECT_EQ(ReadFileOrDie(In("00000007.sqlite.dropped.set-aside-wal")), "of before");
}

TEST_F(SegmentFileTest, TellsOfAnySegmentThatMayHoldARecord) {
  ASSERT_OK(folder_.MakeSegment(3));
  Write("00000004.sqlite", "");
  Write("00000005.keys", "run");
  Write("notes.sqlite", "notes");
  Write("00000006.sqlite.dropped", "dropped");
  EXPECT_EQ(folder_.AnySegment().value(), "");
  Write("00000008.sqlite-wal", "log");
  EXPECT_EQ(folder_.AnySegment().value(), In("00000008.sqlite-wal"));
  std::filesystem::remove(In("00000008.sqlite-wal"));
  MakeWithIntent(7);
  EXPECT_EQ(folder_.AnySegment().value(), In(kSegment7));
  std::filesystem::remove_all(path_ + ".journal");
  EXPECT_THAT(folder_.AnySegment(), FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(SegmentFileTest, SettlesWhatTheCatalogKnowsNothingOf) {
  for (const std::int64_t number : {1, 2, 3, 4}) MakeWithIntent(number);
  ASSERT_OK(folder_.MakeSegment(5));
  for (const char* name :
       {"00000010.keys", "00000011.keys", "new-1-2.keys", "notes.keys", "00000002.sqlite.bak"}) {
    Write(name, name);
  }
  ASSERT_OK(folder_.Settle({{1, 2}, {3}, {10}}));
  EXPECT_THAT(Files(), ElementsAre("00000001.sqlite", "00000002.sqlite", "00000002.sqlite.bak",
                                   "00000003.sqlite.dropped", "00000004.sqlite.set-aside",
                                   "00000010.keys", "notes.keys"));
  EXPECT_THAT(set_aside_, ElementsAre(In("00000004.sqlite.set-aside")));
  EXPECT_TRUE(HasIntent(1) && HasIntent(2));
  const std::set<std::string> before = Files();
  ASSERT_OK(folder_.Settle({{1, 2}, {3}, {10}}));
  EXPECT_EQ(Files(), before) << "a second time";
}

TEST_F(SegmentFileTest, TakesBackWhatAnOlderCatalogKnows) {
  MakeWithIntent(7);
  ASSERT_OK(folder_.DropSegment(7));
  ASSERT_OK(folder_.Settle({{7}, {}, {}}));
  EXPECT_THAT(Files(), ElementsAre(kSegment7));
  EXPECT_TRUE(HasIntent(7));
  // Not where there is one of the name.
  Write("00000007.sqlite.dropped", "of another history");
  ASSERT_OK(folder_.Settle({{7}, {}, {}}));
  EXPECT_TRUE(HasIntent(7));
  EXPECT_EQ(ReadFileOrDie(In("00000007.sqlite.dropped")), "of another history");
}

// The log goes first, the database last: what is only in the log must come back too.
TEST_F(SegmentFileTest, TakesBackWhatWasDroppedByHalf) {
  MakeWithIntentInTheLog(kSegment7, "00000007.sqlite.dropped-wal");
  ASSERT_OK(folder_.Settle({{7}, {}, {}}));
  EXPECT_TRUE(HasIntent(7));
  // Not where there is a log of its own.
  MakeWithIntentInTheLog(kSegment7, "00000007.sqlite-wal");
  Write("00000007.sqlite.dropped-wal", "of another history");
  const std::string log = ReadFileOrDie(In("00000007.sqlite-wal"));
  ASSERT_OK(folder_.Settle({{7}, {}, {}}));
  EXPECT_EQ(ReadFileOrDie(In("00000007.sqlite-wal")), log);
  EXPECT_EQ(ReadFileOrDie(In("00000007.sqlite.dropped-wal")), "of another history");
  EXPECT_TRUE(HasIntent(7));
}

TEST_F(SegmentFileTest, GoesOnWithTakingBack) {
  MakeWithIntentInTheLog("00000007.sqlite.dropped", "00000007.sqlite-wal");
  ASSERT_OK(folder_.Settle({{7}, {}, {}}));
  EXPECT_TRUE(HasIntent(7));
  EXPECT_THAT(Files(), ElementsAre(kSegment7)) << "the log is written back";
}

// Its database alone looks empty, and its log would be taken for that of the next segment 7.
TEST_F(SegmentFileTest, SetsAsideBothHalvesOfASegment) {
  const struct {
    const char* database;
    const char* log;
  } kHalves[] = {
      {kSegment7, "00000007.sqlite-wal"},
      {kSegment7, "00000007.sqlite.dropped-wal"},
      {"00000007.sqlite.dropped", "00000007.sqlite-wal"},
      {kSegment7, "00000007.sqlite.set-aside-wal"},
  };
  for (const auto& halves : kHalves) {
    SCOPED_TRACE(halves.log);
    MakeWithIntentInTheLog(halves.database, halves.log);
    ASSERT_OK(folder_.Settle({{}, {}, {}}));
    EXPECT_THAT(Files(), ElementsAre("00000007.sqlite.set-aside", "00000007.sqlite.set-aside-wal"));
    EXPECT_EQ(IntentsIn("00000007.sqlite.set-aside"), 1);
    ASSERT_OK(folder_.MakeSegment(7));
    ASSERT_OK(folder_.Settle({{7}, {}, {}}));
    EXPECT_FALSE(HasIntent(7)) << "it is another";
    EXPECT_THAT(set_aside_, ElementsAre(In("00000007.sqlite.set-aside")));
    for (const std::string& name : Files()) std::filesystem::remove(In(name));
    set_aside_.clear();
  }
}

TEST_F(SegmentFileTest, ANewSegmentLiesBesideNoDroppedLog) {
  Write("00000007.sqlite.dropped-wal", "of another history");
  ASSERT_OK(folder_.MakeSegment(7));
  ASSERT_OK(folder_.Settle({{7}, {}, {}}));
  EXPECT_THAT(Files(), ElementsAre(kSegment7, "00000007.sqlite.dropped.set-aside-wal"));
  EXPECT_EQ(ReadFileOrDie(In("00000007.sqlite.dropped.set-aside-wal")), "of another history");
}

TEST_F(SegmentFileTest, FinishesADropThatWasInterrupted) {
  MakeWithIntent(7);
  Write("00000007.sqlite.dropped-wal", "log");
  ASSERT_OK(folder_.Settle({{}, {7}, {}}));
  EXPECT_THAT(Files(), ElementsAre("00000007.sqlite.dropped", "00000007.sqlite.dropped-wal"));
}

TEST_F(SegmentFileTest, RefusesALogOfAnotherTime) {
  MakeWithIntent(7);
  MakeWithIntent(8);
  std::string log;
  {
    const auto other = folder_.OpenSegment(8).value();
    Transaction transaction = Transaction::Begin(*other).value();
    ASSERT_OK(other->Execute("DELETE FROM intents"));
    ASSERT_OK(transaction.Commit());
    log = ReadFileOrDie(In("00000008.sqlite-wal"));
  }
  ASSERT_OK(folder_.Settle({{7, 8}, {}, {}}));
  Write("00000007.sqlite-wal", log);
  const absl::Status refused = folder_.Settle({{7, 8}, {}, {}});
  EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(refused.message()), HasSubstr(In("00000007.sqlite-wal")));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
