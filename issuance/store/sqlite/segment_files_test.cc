// The files beside the main one: what is left over goes, what is missing is told, what is sealed
// is indexed.
#include <gmock/gmock.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/segments/journal_files.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using sqlite::SegmentState;
using testing::Contains;

class SegmentFilesTest : public testing::Test {
 protected:
  SegmentFilesTest() { options_.segment_intents = 2; }

  std::unique_ptr<Store> Open() { return OpenSqliteStore(path_, options_).value(); }

  // A store with intents `0` to `count - 1`.
  std::unique_ptr<Store> OpenWithIntents(int count) {
    std::unique_ptr<Store> store = Open();
    EXPECT_OK(AddSamplePrimary(*store));
    for (int i = 0; i < count; ++i) {
      Intent intent = SampleIntent(absl::StrCat(i));
      intent.intended_at = SampleTime(i);
      EXPECT_OK(Append(*store, intent));
    }
    return store;
  }

  sqlite::Catalog Catalog() {
    const auto main = sqlite::Connection::Open(path_, std::chrono::milliseconds(1000)).value();
    return sqlite::ReadCatalog(*main).value();
  }

  // Until the store's own thread has nothing left to do.
  sqlite::Catalog WaitForUpkeep() {
    for (;;) {
      const sqlite::Catalog catalog = Catalog();
      std::size_t sealed = 0;
      for (const sqlite::Segment& segment : catalog.segments) {
        sealed += segment.state == SegmentState::kSealed ? 1 : 0;
      }
      // As many runs as the number of segments has ones.
      const std::size_t indexed = catalog.segments.size() - 1;
      if (sealed == 0 && catalog.runs.size() == static_cast<std::size_t>(std::popcount(indexed))) {
        return catalog;
      }
      std::this_thread::yield();
    }
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
};

TEST_F(SegmentFilesTest, SegmentsAreSealedIndexedAndMergedBesideTheRequests) {
  const std::unique_ptr<Store> store = OpenWithIntents(15);
  const sqlite::Catalog catalog = WaitForUpkeep();
  ASSERT_EQ(catalog.segments.size(), 8u);
  EXPECT_EQ(catalog.segments.back().state, SegmentState::kActive);
  EXPECT_EQ(catalog.segments[1].first_sequence, 3);
  EXPECT_EQ(catalog.segments[1].last_sequence, 4);
  EXPECT_EQ(catalog.segments[1].first_intended_at, SampleTime(2));
  EXPECT_EQ(catalog.segments[1].last_intended_at, SampleTime(3));
  EXPECT_EQ(catalog.HolderOf(4)->number, 2);
  EXPECT_EQ(catalog.HolderOf(15)->number, 8);
  EXPECT_EQ(catalog.HolderOf(0), nullptr);
  for (int i = 0; i < 15; ++i) {
    EXPECT_OK(store->FindByRequestId(kSampleTenant, absl::StrCat(i)));
    EXPECT_THAT(Append(*store, SampleIntent(absl::StrCat(i))),
                FailsWith(ErrorReason::kRequestIdReused));
  }
}

TEST_F(SegmentFilesTest, AnIntentLongAfterTheFirstOfItsFileBeginsAnother) {
  options_.segment_intents = 100;
  const std::unique_ptr<Store> store = OpenWithIntents(3);
  Intent later = SampleIntent("later");
  later.intended_at = SampleTime() + options_.segment_span;
  ASSERT_OK(Append(*store, later));
  EXPECT_EQ(Catalog().segments.size(), 1u);
  later = SampleIntent("too late");
  later.intended_at = SampleTime(1) + options_.segment_span;
  ASSERT_OK(Append(*store, later));
  EXPECT_EQ(Catalog().segments.size(), 2u);
}

TEST_F(SegmentFilesTest, TheNextStoreGoesOnWithWhatIsSealed) {
  OpenWithIntents(9).reset();
  {
    const auto main = sqlite::Connection::Open(path_, std::chrono::milliseconds(1000)).value();
    ASSERT_OK(
        main->Execute("UPDATE journal_segments SET state = 'SEALED' WHERE state = 'INDEXED';"
                      "DELETE FROM journal_key_runs;"
                      "UPDATE journal_catalog SET version = version + 1"));
  }
  const std::unique_ptr<Store> store = Open();
  EXPECT_OK(store->FindByRequestId(kSampleTenant, "0"));
  WaitForUpkeep();
  EXPECT_OK(store->FindByRequestId(kSampleTenant, "0"));
}

TEST_F(SegmentFilesTest, AHalfMadeSegmentIsMadeAgain) {
  const std::unique_ptr<Store> store = OpenWithIntents(2);
  directory_.Write("hourglass.db.journal/00000002.sqlite", std::string(5000, 'x'));
  ASSERT_OK(Append(*store, SampleIntent("next")));
  EXPECT_OK(store->FindByRequestId(kSampleTenant, "next"));
}

TEST_F(SegmentFilesTest, GoesOnWhereTheNextSegmentCouldNotBeMade) {
  const std::unique_ptr<Store> store = OpenWithIntents(2);
  const std::string folder = path_ + ".journal", away = path_ + ".away";
  std::filesystem::rename(folder, away);
  EXPECT_THAT(Append(*store, SampleIntent("next")), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_EQ(Catalog().segments.size(), 1u);
  std::filesystem::rename(away, folder);
  ASSERT_OK(Append(*store, SampleIntent("next")));
  EXPECT_EQ(Catalog().segments.size(), 2u);
  for (const char* id : {"0", "1", "next"}) {
    EXPECT_OK(store->FindByRequestId(kSampleTenant, id));
    EXPECT_THAT(Append(*store, SampleIntent(id)), FailsWith(ErrorReason::kRequestIdReused));
  }
}

TEST_F(SegmentFilesTest, DroppedFilesAreOutOfTheJournalAndTheirLateReleasesGone) {
  const std::unique_ptr<Store> store = OpenWithIntents(9);
  ASSERT_OK(Append(*store, ReleaseOf(SampleIntent("0"))));
  const auto main = sqlite::Connection::Open(path_, std::chrono::milliseconds(1000)).value();
  EXPECT_EQ(main->QueryInteger("SELECT count(*) FROM late_releases").value(), 1);
  WaitForUpkeep();
  ASSERT_OK(store->DropJournalBefore(SampleTime() + std::chrono::hours(24)));
  EXPECT_EQ(main->QueryInteger("SELECT count(*) FROM late_releases").value(), 0);
  EXPECT_EQ(Catalog().segments.size(), 1u);
  EXPECT_TRUE(Catalog().runs.empty());
  for (const std::string& name : Files()) {
    EXPECT_TRUE(name.substr(0, 8) == "00000006" || absl::StrContains(name, ".sqlite.dropped"))
        << name;
  }
  EXPECT_THAT(store->FindByRequestId(kSampleTenant, "0"),
              FailsWith(ErrorReason::kCertificateUnknown));
}

TEST_F(SegmentFilesTest, AKeyRunThatIsMissingOrDamagedIsMadeAgain) {
  OpenWithIntents(9).reset();
  for (const bool missing : {true, false}) {
    std::vector<std::string> runs;
    {
      const std::unique_ptr<Store> store = Open();
      for (const sqlite::KeyRunRow& run : WaitForUpkeep().runs) {
        runs.push_back(
            absl::StrCat(path_, ".journal/", absl::Dec(run.number, absl::kZeroPad8), ".keys"));
      }
    }
    ASSERT_FALSE(runs.empty());
    for (const std::string& run : runs) {
      const std::uintmax_t size = std::filesystem::file_size(run);
      if (missing) {
        std::filesystem::remove(run);
      } else {
        std::filesystem::resize_file(run, size - 1);
      }
    }
    const std::unique_ptr<Store> store = Open();
    WaitForUpkeep();
    for (int i = 0; i < 9; ++i) {
      EXPECT_THAT(Append(*store, SampleIntent(absl::StrCat(i))),
                  FailsWith(ErrorReason::kRequestIdReused));
    }
  }
}

// What docs/operations.md says of a backup while the service runs.
TEST_F(SegmentFilesTest, AnOlderMainFileWithNewerFilesOfTheJournalIsABackup) {
  std::unique_ptr<Store> store = OpenWithIntents(7);
  WaitForUpkeep();
  const std::string backup = directory_.File("backup.db");
  {
    const auto main = sqlite::Connection::Open(path_, std::chrono::milliseconds(1000)).value();
    ASSERT_OK(main->Execute(absl::StrCat("VACUUM INTO '", backup, "'")));
  }
  for (int i = 7; i < 12; ++i) ASSERT_OK(Append(*store, SampleIntent(absl::StrCat(i))));
  WaitForUpkeep();
  store.reset();
  std::filesystem::copy(path_ + ".journal", backup + ".journal");
  ASSERT_OK_AND_ASSIGN(store, OpenSqliteStore(backup, options_));
  for (int i = 0; i < 8; ++i) {
    EXPECT_OK(store->FindByRequestId(kSampleTenant, absl::StrCat(i))) << i;
  }
  EXPECT_THAT(store->FindByRequestId(kSampleTenant, "8"),
              FailsWith(ErrorReason::kCertificateUnknown));
  ASSERT_OK(Append(*store, SampleIntent("8")));
  EXPECT_OK(store->FindByRequestId(kSampleTenant, "8"));
  // What the older file does not know of is no part of the journal any more, and not lost either.
  for (const char* segment : {"00000005.sqlite", "00000006.sqlite"}) {
    const auto aside = sqlite::Connection::Open(
        absl::StrCat(backup, ".journal/", segment, ".set-aside"), std::chrono::milliseconds(1000));
    ASSERT_OK(aside.status());
    EXPECT_EQ((*aside)->QueryInteger("SELECT count(*) FROM intents").value(), 2) << segment;
  }
  store.reset();
  std::filesystem::copy_file(path_ + ".journal/00000006.sqlite",
                             backup + ".journal/00000009.sqlite");
  std::filesystem::copy_file(path_ + ".journal/00000006.sqlite",
                             backup + ".journal/00000009.sqlite.set-aside");
  ASSERT_OK_AND_ASSIGN(store, OpenSqliteStore(backup, options_));
  EXPECT_TRUE(std::filesystem::exists(backup + ".journal/00000009.sqlite.set-aside-2"));
  EXPECT_FALSE(std::filesystem::exists(backup + ".journal/00000009.sqlite"));
}

// A number is given again where the commit that was to use it failed.
TEST_F(SegmentFilesTest, ARunThatDidNotComeIntoTheCatalogIsNotTakenForTheOneThatDid) {
  OpenWithIntents(3).reset();
  {
    const std::unique_ptr<Store> store = Open();
    WaitForUpkeep();
  }
  const auto main = sqlite::Connection::Open(path_, std::chrono::milliseconds(1000)).value();
  const HashKey key = sqlite::ReadHashKey(*main).value();
  const auto folder = sqlite::JournalFolder::Open(path_, std::chrono::milliseconds(1000)).value();
  sqlite::JournalFiles files(folder, key);
  const std::string stale = directory_.File("stale.keys");
  ASSERT_OK(KeyRunWriter::Create(stale, key, 0, 1, 1).value()->Finish());
  files.Expect(Catalog().runs.at(0).number, KeyRun::Open(stale, key).value());
  Candidates candidates;
  ASSERT_OK(
      files.Current(*main).value()->Find(HashOfRequestId(key, kSampleTenant, "0"), candidates));
  EXPECT_THAT(candidates, Contains(1));
}

// A segment that was backed up before it had its indices, and not again.
TEST_F(SegmentFilesTest, ASegmentWithoutItsIndicesIsListed) {
  OpenWithIntents(5).reset();
  const std::unique_ptr<Store> store = Open();
  WaitForUpkeep();
  const auto segment =
      sqlite::Connection::Open(path_ + ".journal/00000001.sqlite", std::chrono::milliseconds(1000))
          .value();
  ASSERT_OK(segment->Execute(
      "DROP INDEX intents_by_time; DROP INDEX intents_by_user; DROP INDEX intents_by_device"));
  ASSERT_OK_AND_ASSIGN(const Page<JournalRecord> page,
                       store->ListJournal(kSampleTenant, JournalFilter{}, 10, ""));
  EXPECT_EQ(page.records.size(), 5u);
}

TEST_F(SegmentFilesTest, AnOlderSegmentThanTheMainFileIsRefused) {
  OpenWithIntents(5).reset();
  {
    const std::unique_ptr<Store> store = Open();
    WaitForUpkeep();
  }
  // Closed each time, so that no write-ahead log is left.
  const auto change = [&](const std::string& sql) {
    return sqlite::Connection::Open(path_ + ".journal/00000001.sqlite",
                                    std::chrono::milliseconds(1000))
        .value()
        ->Execute(sql);
  };
  ASSERT_OK(change("DELETE FROM intents WHERE sequence = 2"));
  for (const std::string& name : Files()) {
    if (absl::EndsWith(name, ".keys")) std::filesystem::remove(path_ + ".journal/" + name);
  }
  EXPECT_THAT(OpenSqliteStore(path_, options_), FailsWith(ErrorReason::kJournalUnavailable));
  ASSERT_OK(
      change("INSERT INTO intents SELECT 2, tenant_id, epoch, root_id, '1', "
             "x'02', intended_at, not_before, not_after, user_upn, device_id, "
             "user_id, caller, request_digest, verdict_id, policy_version, "
             "verdict_evaluated_at, intermediate_serial_number, tbs_certificate, "
             "identity, token_issuer, token_id FROM intents"));
  EXPECT_OK(OpenSqliteStore(path_, options_));
}

TEST_F(SegmentFilesTest, ADamagedCatalogIsRefused) {
  OpenWithIntents(5).reset();
  const std::string whole = directory_.File("whole.db");
  {
    const std::unique_ptr<Store> store = Open();
    WaitForUpkeep();
  }
  std::filesystem::copy_file(path_, whole);
  for (const char* damage :
       {"DELETE FROM journal_key_runs", "UPDATE journal_segments SET first_sequence = 1",
        "UPDATE journal_segments SET last_sequence = 0 WHERE number = 1",
        "UPDATE journal_key_runs SET last_segment = 9223372036854775807",
        "UPDATE journal_segments SET number = 0 WHERE state = 'ACTIVE'"}) {
    std::filesystem::copy_file(whole, path_, std::filesystem::copy_options::overwrite_existing);
    {
      const auto main = sqlite::Connection::Open(path_, std::chrono::milliseconds(1000)).value();
      ASSERT_OK(main->Execute(damage));
    }
    EXPECT_FALSE(OpenSqliteStore(path_, options_).ok()) << damage;
  }
  std::filesystem::copy_file(whole, path_, std::filesystem::copy_options::overwrite_existing);
  EXPECT_OK(OpenSqliteStore(path_, options_));
}

TEST_F(SegmentFilesTest, ANewMainFileDoesNotTakeAwayTheJournalOfALostOne) {
  OpenWithIntents(3).reset();
  const std::string kept = directory_.File("kept.db");
  std::filesystem::rename(path_, kept);
  const std::set<std::string> before = Files();
  EXPECT_THAT(OpenSqliteStore(path_, options_), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_EQ(Files(), before);
  std::filesystem::rename(kept, path_);
  EXPECT_OK(Open()->FindByRequestId(kSampleTenant, "0"));
}

}  // namespace
}  // namespace hourglass::issuance
