// What becomes of files in the journal's folder that the main file knows nothing of, or nothing of
// any more: nothing is deleted that might hold a record.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;

constexpr std::chrono::hours kDay(24);

class SegmentLeftoversTest : public testing::Test {
 protected:
  SegmentLeftoversTest() {
    options_.segment_intents = 2;
    options_.busy_timeout = std::chrono::milliseconds(10);
    options_.set_aside_observer = [this](const std::string& path) { set_aside_.push_back(path); };
  }

  absl::StatusOr<std::unique_ptr<Store>> Open() { return OpenSqliteStore(path_, options_); }

  // Segments 1 and 2 are sealed, with two intents each; 3 is active, with the fifth.
  void MakeStore() {
    const std::unique_ptr<Store> store = Open().value();
    EXPECT_OK(AddSamplePrimary(*store));
    for (int i = 0; i < 5; ++i) EXPECT_OK(Append(*store, SampleIntent(absl::StrCat(i))));
  }

  std::string InFolder(absl::string_view name) { return absl::StrCat(path_, ".journal/", name); }
  void Write(absl::string_view name, absl::string_view content) {
    directory_.Write(absl::StrCat("hourglass.db.journal/", name), content);
  }
  void Copy(absl::string_view from, absl::string_view to) {
    std::filesystem::copy_file(InFolder(from), InFolder(to));
  }

  std::set<std::string> Files() {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(path_ + ".journal")) {
      names.insert(file.path().filename());
    }
    return names;
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.File("hourglass.db");
  SqliteStoreOptions options_;
  std::vector<std::string> set_aside_;
};

TEST_F(SegmentLeftoversTest, FilesOfOtherNamesAreLeftAlone) {
  MakeStore();
  Copy("00000001.sqlite", "backup.sqlite");
  Copy("00000001.sqlite", "00000002.sqlite.bak");
  Copy("00000001.sqlite", "9.sqlite");
  for (const char* name : {"notes.keys", "README", "00000099.sqlite-wal.old"}) Write(name, "mine");
  std::filesystem::create_directory(InFolder("00000099.keys"));
  std::filesystem::create_symlink("/nowhere", InFolder("link"));
  const std::set<std::string> foreign = {
      "backup.sqlite", "00000002.sqlite.bak",     "9.sqlite",      "notes.keys",
      "README",        "00000099.sqlite-wal.old", "00000099.keys", "link"};
  const std::string content = ReadFileOrDie(InFolder("backup.sqlite"));
  ASSERT_OK(Open());
  EXPECT_THAT(Files(), IsSupersetOf(foreign));
  EXPECT_EQ(ReadFileOrDie(InFolder("backup.sqlite")), content);
  EXPECT_THAT(set_aside_, IsEmpty());
}

TEST_F(SegmentLeftoversTest, KeyRunsThatAreInNoCatalogGo) {
  MakeStore();
  Write("00000099.keys", "half made");
  Write("new-1-1.keys", "half made");
  ASSERT_OK(Open());
  EXPECT_THAT(Files(), AllOf(Not(Contains("00000099.keys")), Not(Contains("new-1-1.keys"))));
}

TEST_F(SegmentLeftoversTest, ANewerSegmentIsSetAsideWhateverItHolds) {
  MakeStore();
  const std::string sound = ReadFileOrDie(InFolder("00000001.sqlite"));
  std::string damaged = sound;
  damaged[3] = 'x';
  std::string damaged_later = sound;
  damaged_later.replace(4096, 100, 100, 'x');
  const std::vector<std::pair<std::string, std::string>> newer = {
      {"00000010.sqlite", sound},
      {"00000011.sqlite", damaged},
      {"00000012.sqlite", damaged_later},
      {"00000013.sqlite", sound.substr(0, 5000)},
      {"00000014.sqlite", "x"},
      {"00000015.sqlite", std::string(8192, '\0')},
      {"00000016.sqlite-wal", "only what was beside it"}};
  for (const auto& [name, content] : newer) Write(name, content);
  std::filesystem::create_directory(InFolder("00000017.sqlite"));
  std::filesystem::create_symlink("/nowhere", InFolder("00000018.sqlite"));
  ASSERT_OK(Open());
  for (const auto& [name, content] : newer) {
    const bool wal = absl::EndsWith(name, "-wal");
    const std::string moved = wal ? "00000016.sqlite.set-aside-wal" : name + ".set-aside";
    ASSERT_THAT(Files(), AllOf(Contains(moved), Not(Contains(name))));
    EXPECT_EQ(ReadFileOrDie(InFolder(moved)), content) << name;
  }
  EXPECT_THAT(Files(), IsSupersetOf({"00000017.sqlite.set-aside", "00000018.sqlite.set-aside"}));
  EXPECT_THAT(set_aside_, AllOf(SizeIs(9), Contains(InFolder("00000011.sqlite.set-aside"))));
  // A second time there is nothing to do, and the names that are taken stay.
  set_aside_.clear();
  Write("00000011.sqlite", damaged);
  ASSERT_OK(Open());
  EXPECT_EQ(set_aside_, std::vector<std::string>{InFolder("00000011.sqlite.set-aside-2")});
  EXPECT_EQ(ReadFileOrDie(InFolder("00000011.sqlite.set-aside")), damaged);
}

TEST_F(SegmentLeftoversTest, ANewerSegmentThatIsLockedIsSetAside) {
  MakeStore();
  Copy("00000001.sqlite", "00000010.sqlite");
  const auto other =
      sqlite::Connection::Open(InFolder("00000010.sqlite"), std::chrono::milliseconds(1000))
          .value();
  ASSERT_OK(
      other->Execute("DELETE FROM intents; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"));
  ASSERT_OK(Open());
  EXPECT_THAT(Files(), Contains("00000010.sqlite.set-aside"));
}

TEST_F(SegmentLeftoversTest, WhatIsNewerInAWriteAheadLogGoesWithItsFile) {
  MakeStore();
  Copy("00000001.sqlite", "00000010.sqlite");
  const auto other =
      sqlite::Connection::Open(InFolder("00000010.sqlite"), std::chrono::milliseconds(1000))
          .value();
  ASSERT_OK(other->Execute("UPDATE intents SET user_upn = 'in the log'"));
  Copy("00000010.sqlite", "00000011.sqlite");
  Copy("00000010.sqlite-wal", "00000011.sqlite-wal");
  ASSERT_OK(Open());
  const auto aside = sqlite::Connection::Open(InFolder("00000011.sqlite.set-aside"),
                                              std::chrono::milliseconds(1000));
  ASSERT_OK(aside);
  EXPECT_EQ(
      (*aside)->QueryInteger("SELECT count(*) FROM intents WHERE user_upn = 'in the log'").value(),
      2);
}

TEST_F(SegmentLeftoversTest, WhatIsProvedEmptyGoes) {
  MakeStore();
  Write("00000010.sqlite", "");
  Copy("00000001.sqlite", "00000011.sqlite");
  {
    const auto emptied =
        sqlite::Connection::Open(InFolder("00000011.sqlite"), std::chrono::milliseconds(1000))
            .value();
    ASSERT_OK(emptied->Execute("DELETE FROM intents; DELETE FROM releases"));
    for (const char* index : {"time", "user", "device"}) {
      ASSERT_OK(emptied->Execute(absl::StrCat("DROP INDEX IF EXISTS intents_by_", index)));
    }
    ASSERT_OK(emptied->Execute("VACUUM"));
  }
  ASSERT_OK(Open());
  EXPECT_THAT(Files(),
              AllOf(Not(Contains(HasSubstr("00000010"))), Not(Contains(HasSubstr("00000011")))));
  EXPECT_THAT(set_aside_, IsEmpty());
}

TEST_F(SegmentLeftoversTest, ANewMainFileBesideAJournalThatCannotBeReadIsRefused) {
  MakeStore();
  std::filesystem::remove(path_);
  for (const char* segment : {"00000001.sqlite", "00000002.sqlite", "00000003.sqlite"}) {
    std::fstream file(InFolder(segment), std::ios::in | std::ios::out);
    file << "xxxx";
  }
  const std::set<std::string> before = Files();
  const absl::StatusOr<std::unique_ptr<Store>> opened = Open();
  EXPECT_THAT(opened, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(opened.status().message(), HasSubstr("the file is new"));
  EXPECT_EQ(Files(), before);
}

TEST_F(SegmentLeftoversTest, WhatIsInTheWayOfTheNextSegmentIsSetAside) {
  const std::unique_ptr<Store> store = Open().value();
  ASSERT_OK(AddSamplePrimary(*store));
  for (const char* id : {"0", "1"}) ASSERT_OK(Append(*store, SampleIntent(id)));
  Write("00000002.sqlite", "somebody's");
  ASSERT_OK(Append(*store, SampleIntent("2")));
  EXPECT_EQ(ReadFileOrDie(InFolder("00000002.sqlite.set-aside")), "somebody's");
  EXPECT_THAT(set_aside_, SizeIs(1));
}

TEST_F(SegmentLeftoversTest, WhatIsDroppedIsDeletedADayAfterItWasSeen) {
  MakeStore();
  const std::unique_ptr<Store> store = Open().value();
  const Timestamp now = SampleTime() + std::chrono::hours(48);
  ASSERT_OK(store->DropJournalBefore(now));
  const auto dropped = IsSupersetOf(
      {"00000001.sqlite.dropped", "00000002.sqlite.dropped", "00000003.sqlite.dropped"});
  const auto gone = Not(Contains(HasSubstr(".dropped")));
  EXPECT_THAT(Files(), dropped);
  ASSERT_OK(store->DeleteDroppedJournal(now));
  EXPECT_THAT(Files(), dropped);
  ASSERT_OK(store->DeleteDroppedJournal(now + kDay - std::chrono::microseconds(1)));
  EXPECT_THAT(Files(), dropped);
  ASSERT_OK(store->DeleteDroppedJournal(now + kDay));
  EXPECT_THAT(Files(), gone);
}

TEST_F(SegmentLeftoversTest, AClockThatCameBackDoesNotShortenTheDayNorMakeItLong) {
  MakeStore();
  const std::unique_ptr<Store> store = Open().value();
  const Timestamp now = SampleTime() + std::chrono::hours(48);
  ASSERT_OK(store->DropJournalBefore(now));
  ASSERT_OK(store->DeleteDroppedJournal(now + 1000 * kDay));
  ASSERT_OK(store->DeleteDroppedJournal(now));
  ASSERT_OK(store->DeleteDroppedJournal(now + kDay / 2));
  EXPECT_THAT(Files(), Contains("00000001.sqlite.dropped"));
  ASSERT_OK(store->DeleteDroppedJournal(now + kDay));
  EXPECT_THAT(Files(), Not(Contains("00000001.sqlite.dropped")));
}

TEST_F(SegmentLeftoversTest, AnInterruptedDropIsFinishedAndAnotherHistorysFileKept) {
  MakeStore();
  {
    const std::unique_ptr<Store> store = Open().value();
    ASSERT_OK(store->DropJournalBefore(SampleTime() + std::chrono::hours(48)));
  }
  Copy("00000001.sqlite.dropped", "00000001.sqlite");
  const std::unique_ptr<Store> store = Open().value();
  EXPECT_THAT(Files(), AllOf(Contains("00000001.sqlite.dropped"),
                             Contains("00000001.sqlite.dropped.set-aside"),
                             Not(Contains("00000001.sqlite"))));
  ASSERT_OK(store->DeleteDroppedJournal(SampleTime()));
  ASSERT_OK(store->DeleteDroppedJournal(SampleTime() + kDay));
  EXPECT_THAT(Files(), AllOf(Not(Contains("00000001.sqlite.dropped")),
                             Contains("00000001.sqlite.dropped.set-aside")));
}

TEST_F(SegmentLeftoversTest, AnOlderMainFileTakesBackWhatWasDropped) {
  MakeStore();
  const std::string older = directory_.File("older.db");
  std::filesystem::copy_file(path_, older);
  {
    const std::unique_ptr<Store> store = Open().value();
    ASSERT_OK(store->DropJournalBefore(SampleTime() + std::chrono::hours(48)));
    EXPECT_THAT(store->FindByRequestId(kSampleTenant, "0"),
                FailsWith(ErrorReason::kCertificateUnknown));
  }
  std::filesystem::rename(older, path_);
  const absl::StatusOr<std::unique_ptr<Store>> store = Open();
  ASSERT_OK(store);
  for (const char* id : {"0", "3", "4"}) EXPECT_OK((*store)->FindByRequestId(kSampleTenant, id));
}

}  // namespace
}  // namespace hourglass::issuance
