#include "tools/client/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::client {
namespace {

int ModeOf(const std::string& file) {
  struct stat status = {};
  return stat(file.c_str(), &status) == 0 ? status.st_mode & 07777 : -1;
}

class FilesTest : public testing::Test {
 protected:
  bool Exists(const std::string& name) const {
    return std::filesystem::exists(directory_.File(name));
  }
  std::string Read(const std::string& name) const { return ReadFileOrDie(directory_.File(name)); }

  TemporaryDirectory directory_;
};

TEST_F(FilesTest, NothingChangesBeforeTheCommit) {
  const std::string path = directory_.Write("key", "old");
  {
    ASSERT_OK_AND_ASSIGN(const StagedFile staged, StagedFile::Write(path, "new", 0600));
    EXPECT_EQ(Read("key"), "old");
    EXPECT_EQ(Read("key.new"), "new");
  }
  EXPECT_EQ(Read("key"), "old");
  EXPECT_FALSE(Exists("key.new"));
}

TEST_F(FilesTest, ACommitReplacesAndLeavesNothingBehind) {
  const std::string path = directory_.Write("key", "old");
  ASSERT_OK(ReplaceFile(path, "new", 0600));
  EXPECT_EQ(Read("key"), "new");
  EXPECT_FALSE(Exists("key.new"));
}

TEST_F(FilesTest, TheModeIsExactWhateverTheUmask) {
  const mode_t before = umask(0077);
  EXPECT_OK(ReplaceFile(directory_.File("public"), "x", 0644));
  umask(0);
  EXPECT_OK(ReplaceFile(directory_.File("secret"), "x", 0600));
  umask(before);
  EXPECT_EQ(ModeOf(directory_.File("public")), 0644);
  EXPECT_EQ(ModeOf(directory_.File("secret")), 0600);
}

TEST_F(FilesTest, ALinkLeftUnderTheStagedNameIsNotFollowed) {
  const std::string victim = directory_.Write("victim", "mine");
  ASSERT_EQ(symlink(victim.c_str(), directory_.File("key.new").c_str()), 0);
  ASSERT_OK(ReplaceFile(directory_.File("key"), "secret", 0600));
  EXPECT_EQ(Read("victim"), "mine");
  EXPECT_EQ(Read("key"), "secret");
}

TEST_F(FilesTest, CommitsInOrderUntilOneFails) {
  std::filesystem::create_directory(directory_.File("folder"));
  std::vector<StagedFile> files;
  for (const char* name : {"first", "folder", "last"}) {
    ASSERT_OK_AND_ASSIGN(StagedFile staged, StagedFile::Write(directory_.File(name), name, 0600));
    files.push_back(std::move(staged));
  }
  EXPECT_THAT(CommitTogether(files), FailsWith(ErrorReason::kFieldInvalid));
  files.clear();
  EXPECT_EQ(Read("first"), "first");
  EXPECT_FALSE(Exists("last"));
  EXPECT_FALSE(Exists("last.new"));
  EXPECT_FALSE(Exists("folder.new"));
}

TEST_F(FilesTest, AFolderThatIsNotThereIsAnError) {
  const auto staged = StagedFile::Write(directory_.File("none/key"), "x", 0600);
  EXPECT_EQ(staged.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadWholeFile(directory_.File("none")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(ReadWholeFile(directory_.path()), FailsWith(ErrorReason::kFieldInvalid));
}

TEST_F(FilesTest, RemovingTellsWhetherThereWasOne) {
  const std::string path = directory_.Write("certificate", "x");
  EXPECT_TRUE(*RemoveFile(path));
  EXPECT_FALSE(Exists("certificate"));
  EXPECT_FALSE(*RemoveFile(path));
}

TEST_F(FilesTest, ReadsWholeFilesUpToALimit) {
  const std::string large(16 << 20, 'x');
  EXPECT_EQ(*ReadWholeFile(directory_.Write("large", large)), large);
  EXPECT_THAT(ReadWholeFile(directory_.Write("larger", large + "x")),
              FailsWith(ErrorReason::kFieldInvalid));
}

}  // namespace
}  // namespace hourglass::client
