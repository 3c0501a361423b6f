// The commands of docs/operations.md for backups and for restoring them do what it says, and what a
// restore by halves leaves is refused with the remedy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/daemon.h"
#include "tests/support/document_commands.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RestoreTest : public testing::Test {
 protected:
  // Runs the commands of this name as they are, but for the folders, the account, and who starts
  // the service.
  void Run(const std::string& name) {
    const std::string here = absl::StrReplaceAll(
        document_.Take(name), {{"/var/lib/hourglass/data", daemon_.data_directory()},
                               {"/etc/hourglass/hourglassd.yaml", daemon_.config_file()},
                               {"/backup", backup_.File("backup")}});
    const std::string script = absl::StrCat(
        "set -eu\nsystemctl() { :; }\nchown() { :; }\nrunuser() { shift 3; \"$@\"; }\n"
        "hourglassd() { \"$PROGRAM\" \"$@\"; }\n",
        here);
    const CommandResult result = RunCommand(
        {"bash", "-c", script}, "",
        {absl::StrCat("PROGRAM=", std::filesystem::absolute(Daemon::kProgram).string())});
    EXPECT_EQ(result.exit_code, 0) << name << ":\n" << script << result.output;
    EXPECT_THAT(result.output, Not(HasSubstr("rror")));
    if (name == "restore") {
      EXPECT_THAT(result.output, HasSubstr("the database is sound"));
    }
  }

  void Issue(int count) {
    for (int i = 0; i < count; ++i) ASSERT_THAT(daemon_.Issue(daemon_.Request()), Succeeded());
  }

  // Of the backup that is at /backup/data.
  void Restore() {
    Run("restore");
    std::filesystem::remove_all(daemon_.data_directory() + ".lost");
  }

  DocumentCommands document_{"docs/operations.md"};
  Daemon daemon_;
  const TemporaryDirectory backup_;
};

TEST_F(RestoreTest, ABackupOfAStoppedServiceIsRestored) {
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  Issue(3);
  EXPECT_EQ(daemon_.Stop(), 0);
  Run("back up a stopped service");
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.CreateTenant("fabrikam");
  Issue(2);
  daemon_.Kill();
  Restore();
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  EXPECT_EQ(daemon_.JournalSize(), 3);
  Issue(1);
  EXPECT_EQ(daemon_.JournalSize(), 4);
  EXPECT_THAT(daemon_.Log(), Not(HasSubstr("journal_segment_set_aside")));
}

TEST_F(RestoreTest, ABackupOfARunningServiceIsRestored) {
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  Issue(3);
  Run("back up a running service");
  Issue(2);
  daemon_.Kill();
  Restore();
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  EXPECT_EQ(daemon_.JournalSize(), 3);
  Issue(1);
  EXPECT_EQ(daemon_.JournalSize(), 4);
}

TEST_F(RestoreTest, AMainFileBesideTheLogOfAnotherTimeIsRefused) {
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  Issue(1);
  EXPECT_EQ(daemon_.Stop(), 0);
  Run("back up a stopped service");
  // With the next clean stop the main file has all that is in its log; what is logged after that is
  // of the new main file only.
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.CreateTenant("fabrikam");
  EXPECT_EQ(daemon_.Stop(), 0);
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.CreateTenant("woodgrove");
  daemon_.Kill();
  const std::string main = daemon_.data_directory() + "/hourglass.sqlite";
  // A crash alone is no reason.
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.CreateTenant("northwind");
  daemon_.Kill();
  ASSERT_TRUE(std::filesystem::exists(main + "-wal"));
  const std::string backup = backup_.File("backup") + "/data/hourglass.sqlite";
  std::filesystem::copy_file(backup, main, std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(daemon_.Start());
  EXPECT_THAT(daemon_.Log(), AllOf(HasSubstr(main + "-wal was not written for this file"),
                                   HasSubstr("move the -wal and -shm files beside it away")));
  EXPECT_EQ(ReadFileOrDie(main), ReadFileOrDie(backup));
  for (const char* beside : {"-wal", "-shm"}) std::filesystem::remove(main + beside);
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  EXPECT_EQ(daemon_.JournalSize(), 1);
}

}  // namespace
}  // namespace hourglass
