#include "issuance/store/sqlite/sqlite_store.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kWriter[] = "issuance/store/testing/journal_writer";

// Matches a Status or StatusOr with JOURNAL_UNAVAILABLE whose message says `why`.
MATCHER_P(IsUnavailable, why, std::string("says why: ") + why) {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return ReasonOf(status) == ErrorReason::kJournalUnavailable &&
         absl::StrContains(status.message(), why);
}

class SqliteStoreTest : public testing::Test {
 protected:
  // A store with one tenant, one root and one intent, closed again.
  void MakeStore() {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_));
    ASSERT_OK(AddSamplePrimary(*store));
    ASSERT_OK(Append(*store, SampleIntent("r-1")));
  }

  std::unique_ptr<sqlite::Connection> Connect() {
    return sqlite::Connection::Open(path_, std::chrono::milliseconds(0)).value();
  }

  static void Overwrite(const std::string& path, std::size_t from, std::size_t size) {
    std::string content = ReadFileOrDie(path);
    ASSERT_GE(content.size(), from + size);
    content.replace(from, size, size, '\xa5');
    std::ofstream(path, std::ios::binary) << content;
  }

  mode_t ModeOf(const std::string& path) {
    struct stat file;
    return stat(path.c_str(), &file) == 0 ? file.st_mode & 07777 : 0;
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.File("hourglass.db");
};

TEST_F(SqliteStoreTest, ReopenedSeesAll) {
  MakeStore();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_));
  ASSERT_OK_AND_ASSIGN(const JournalRecord found, store->FindByRequestId(kSampleTenant, "r-1"));
  EXPECT_EQ(found.intent, SampleIntent("r-1"));
}

// What a gateway asks for each few seconds does not wait for who writes.
TEST_F(SqliteStoreTest, WhatWasFetchedBeforeIsNotWritten) {
  SqliteStoreOptions options;
  options.busy_timeout = std::chrono::milliseconds(0);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_, options));
  ASSERT_OK(AddSamplePrimary(*store));
  ASSERT_OK(store->AddRelyingParty(SampleRelyingParty("vpn"), SampleCause()));
  const auto fetched = [&](const std::string& identity, std::uint64_t version) {
    return store->NoteFetched(kSampleTenant, identity, version, SampleTime());
  };
  ASSERT_OK(fetched("vpn-caller", 1));
  const std::unique_ptr<sqlite::Connection> another = Connect();
  ASSERT_OK(another->Execute("BEGIN IMMEDIATE"));
  EXPECT_OK(fetched("vpn-caller", 1));
  EXPECT_OK(fetched("vpn-caller", 3)) << "there is no such version";
  EXPECT_OK(fetched("nobody", 2));
  EXPECT_THAT(fetched("", 2), FailsWith(ErrorReason::kInternalError, "identity"));
  EXPECT_THAT(fetched("vpn-caller", 2), FailsWith(ErrorReason::kJournalUnavailable));
  ASSERT_OK(another->Execute("ROLLBACK"));
  EXPECT_OK(fetched("vpn-caller", 2));
  EXPECT_EQ(store->ListRelyingParties(kSampleTenant)->at(0).fetched_version, 2u);
}

TEST_F(SqliteStoreTest, FilesAreTheOwnersAlone) {
  const mode_t before = umask(0);
  MakeStore();
  EXPECT_EQ(ModeOf(path_), 0600u);
  EXPECT_EQ(ModeOf(path_ + ".journal"), 0700u);
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_));
    ASSERT_OK(Append(*store, SampleIntent("r-2")));
    for (const char* suffix : {"", "-wal", "-shm"}) {
      EXPECT_EQ(ModeOf(path_ + suffix), 0600u) << suffix;
      EXPECT_EQ(ModeOf(path_ + ".journal/00000001.sqlite" + suffix), 0600u) << suffix;
    }
  }
  umask(before);
}

TEST_F(SqliteStoreTest, NamesThatMeanSomethingToSqliteAreFiles) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory_.path());
  for (const char* name : {":memory:", "file:x?mode=memory"}) {
    EXPECT_OK(OpenSqliteStore(name));
    EXPECT_TRUE(std::filesystem::exists(directory_.File(name))) << name;
  }
  std::filesystem::current_path(before);
}

TEST_F(SqliteStoreTest, RefusesPlacesWhereNoFileCanBe) {
  const std::string file = directory_.Write("file", "content");
  EXPECT_THAT(OpenSqliteStore(directory_.File("missing/hourglass.db")),
              IsUnavailable("No such file or directory"));
  EXPECT_THAT(OpenSqliteStore(file + "/hourglass.db"), IsUnavailable("Not a directory"));
  EXPECT_THAT(OpenSqliteStore(directory_.path()), IsUnavailable("not a regular file"));
  EXPECT_THAT(OpenSqliteStore(""), IsUnavailable("cannot be made"));
  EXPECT_OK(OpenSqliteStore(path_));
}

TEST_F(SqliteStoreTest, RefusesANewerSchemaAndLeavesIt) {
  MakeStore();
  ASSERT_OK(Connect()->Execute("PRAGMA user_version = 99"));
  const std::string before = ReadFileOrDie(path_);
  EXPECT_THAT(OpenSqliteStore(path_),
              AllOf(IsUnavailable("schema version 99, newer than"), IsUnavailable(path_)));
  EXPECT_EQ(ReadFileOrDie(path_), before);
}

TEST_F(SqliteStoreTest, RefusesAnotherProgramsDatabaseAndLeavesIt) {
  directory_.Write("hourglass.db", "");
  ASSERT_OK(Connect()->Execute("CREATE TABLE theirs (x)"));
  const std::string before = ReadFileOrDie(path_);
  EXPECT_THAT(OpenSqliteStore(path_), IsUnavailable("belongs to another program"));
  EXPECT_EQ(ReadFileOrDie(path_), before);
}

TEST_F(SqliteStoreTest, RefusesAFileWithADamagedHeader) {
  MakeStore();
  Overwrite(path_, 0, 100);
  const std::string before = ReadFileOrDie(path_);
  EXPECT_THAT(OpenSqliteStore(path_), IsUnavailable("not a SQLite database"));
  EXPECT_EQ(ReadFileOrDie(path_), before);
}

TEST_F(SqliteStoreTest, SaysThatPagesAreDamaged) {
  MakeStore();
  const std::size_t size = ReadFileOrDie(path_).size();
  Overwrite(path_, 4096, size - 4096);
  EXPECT_THAT(OpenSqliteStore(path_), IsUnavailable("the file is damaged"));
}

TEST_F(SqliteStoreTest, SaysThatPagesOfTheJournalAreDamaged) {
  MakeStore();
  const std::string segment = path_ + ".journal/00000001.sqlite";
  const std::string whole = ReadFileOrDie(segment);
  Overwrite(segment, 4096, whole.size() - 4096);
  EXPECT_THAT(OpenSqliteStore(path_), IsUnavailable("the file is damaged"));
  std::filesystem::remove(segment);
  EXPECT_THAT(OpenSqliteStore(path_), IsUnavailable("the file cannot be opened"));
  EXPECT_FALSE(std::filesystem::exists(segment)) << "an empty journal must not take its place";
  directory_.Write("hourglass.db.journal/00000001.sqlite", whole);
  EXPECT_OK(OpenSqliteStore(path_));
}

TEST_F(SqliteStoreTest, SaysThatTheFileIsCutShort) {
  MakeStore();
  std::filesystem::resize_file(path_, ReadFileOrDie(path_).size() / 2);
  EXPECT_THAT(OpenSqliteStore(path_), IsUnavailable("the file is damaged"));
}

TEST_F(SqliteStoreTest, WritersWaitForALockReadersDoNot) {
  MakeStore();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                       OpenSqliteStore(path_, {std::chrono::milliseconds(10)}));
  const std::unique_ptr<sqlite::Connection> other = Connect();
  ASSERT_OK(other->Execute("BEGIN IMMEDIATE; UPDATE tenants SET display_name = 'theirs'"));
  EXPECT_THAT(Append(*store, SampleIntent("r-2")), IsUnavailable("locked by another process"));
  ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store->GetTenant(kSampleTenant));
  EXPECT_EQ(tenant.display_name, SampleTenant().display_name)
      << "what is not committed is not seen";
  ASSERT_OK(other->Execute("ROLLBACK"));
  EXPECT_OK(Append(*store, SampleIntent("r-2")));
}

TEST_F(SqliteStoreTest, SurvivesAFullDisk) {
  const CommandResult result = RunCommand({kWriter, "fill", path_, "300000"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(
      result.output,
      AllOf(HasSubstr(": the disk is full"), HasSubstr("UNAVAILABLE: database: "),
            HasSubstr("00000001.sqlite"), HasSubstr("all are there"),
            Not(HasSubstr("the refused one is there")), Not(HasSubstr("refused after 0:"))));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_));
  EXPECT_OK(store->FindByRequestId(kSampleTenant, "r-0"));
}

// Runs a shell script where it may mount file systems of its own.
CommandResult RunWithMounts(const std::string& script, const std::string& directory) {
  return RunCommand({"unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script, "sh",
                     directory, kWriter});
}

bool MountsAreAllowed(const std::string& directory) {
  return RunWithMounts("mount -t tmpfs -o size=4k tmpfs \"$1\"", directory).exit_code == 0;
}

TEST_F(SqliteStoreTest, SurvivesAFullFileSystem) {
  if (!MountsAreAllowed(directory_.path())) GTEST_SKIP() << "no rights to mount";
  const CommandResult result = RunWithMounts(
      "mount -t tmpfs -o size=2m tmpfs \"$1\"; head -c 1000000 /dev/zero > \"$1/db.ballast\"; "
      "\"$2\" fill \"$1/db\" 0",
      directory_.path());
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(
      result.output,
      AllOf(HasSubstr(": the disk is full"), HasSubstr("UNAVAILABLE: database: "),
            HasSubstr("00000001.sqlite"), HasSubstr("all are there"),
            Not(HasSubstr("the refused one is there")), Not(HasSubstr("refused after 0:"))));
}

TEST_F(SqliteStoreTest, RefusesAReadOnlyFileSystem) {
  if (!MountsAreAllowed(directory_.path())) GTEST_SKIP() << "no rights to mount";
  MakeStore();
  const std::string before = ReadFileOrDie(path_);
  const std::string remount = "mount --bind \"$1\" \"$1\"; mount -o remount,bind,ro \"$1\"; ";
  const CommandResult existing =
      RunWithMounts(remount + "\"$2\" open \"$1/hourglass.db\"", directory_.path());
  EXPECT_EQ(existing.exit_code, 1);
  EXPECT_THAT(existing.output, HasSubstr("UNAVAILABLE: "));
  EXPECT_THAT(existing.output, HasSubstr("read-only"));
  const CommandResult fresh =
      RunWithMounts(remount + "\"$2\" open \"$1/new.db\"", directory_.path());
  EXPECT_EQ(fresh.exit_code, 1);
  EXPECT_THAT(fresh.output, HasSubstr("Read-only file system"));
  EXPECT_EQ(ReadFileOrDie(path_), before);
  EXPECT_EQ(RunCommand({kWriter, "open", path_}).exit_code, 0);
}

}  // namespace
}  // namespace hourglass::issuance
