#include "tools/client/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
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

TEST_F(FilesTest, ALinkStaysAndItsTargetIsReplaced) {
  std::filesystem::create_directory(directory_.File("folder"));
  directory_.Write("folder/key", "old");
  ASSERT_EQ(symlink("folder/key", directory_.File("link").c_str()), 0);
  ASSERT_EQ(symlink("folder/later", directory_.File("dangling").c_str()), 0);
  ASSERT_OK(ReplaceFile(directory_.File("link"), "new", 0600));
  ASSERT_OK(ReplaceFile(directory_.File("dangling"), "first", 0600));
  EXPECT_EQ(std::filesystem::read_symlink(directory_.File("link")), "folder/key");
  EXPECT_EQ(Read("folder/key"), "new");
  EXPECT_EQ(Read("folder/later"), "first");
  EXPECT_TRUE(*RemoveFile(directory_.File("link")));
  EXPECT_FALSE(Exists("folder/key"));
  EXPECT_TRUE(std::filesystem::is_symlink(directory_.File("link")));
}

TEST_F(FilesTest, WhatIsNoRegularFileIsNeverReplaced) {
  std::filesystem::create_directory(directory_.File("folder"));
  ASSERT_EQ(mkfifo(directory_.File("pipe").c_str(), 0600), 0);
  ASSERT_EQ(symlink("/dev/null", directory_.File("null").c_str()), 0);
  for (const char* name : {"folder", "pipe", "null"}) {
    const absl::Status refused = ReplaceFile(directory_.File(name), "x", 0600);
    EXPECT_THAT(refused, FailsWith(ErrorReason::kFieldInvalid));
    EXPECT_THAT(std::string(refused.message()),
                testing::HasSubstr(directory_.File(name) + ": it is not a regular file"));
    EXPECT_FALSE(Exists(std::string(name) + ".new"));
  }
  EXPECT_TRUE(std::filesystem::is_fifo(directory_.File("pipe")));
  EXPECT_THAT(RemoveFile(directory_.File("pipe")), FailsWith(ErrorReason::kFieldInvalid));
  EXPECT_OK(ReplaceFile(directory_.File("file"), "x", 0600));
}

TEST_F(FilesTest, AllAreReplacedOrNone) {
  const std::string first = directory_.Write("first", "old first");
  const std::string made = directory_.File("made");
  const std::string third = directory_.Write("third", "old third");
  const auto stage = [&] {
    std::vector<StagedFile> files;
    for (const std::string& path : {first, made, third}) {
      auto staged = StagedFile::Write(path, "new", 0600);
      EXPECT_OK(staged);
      if (staged.ok()) files.push_back(*std::move(staged));
    }
    return files;
  };
  {
    std::vector<StagedFile> files = stage();
    // What cannot be renamed over comes there at the last moment.
    std::filesystem::remove(third);
    std::filesystem::create_directories(third + "/inner");
    std::filesystem::remove(third + ".new");
    const absl::Status refused = CommitTogether(files);
    EXPECT_THAT(refused, FailsWith(ErrorReason::kFieldInvalid));
    EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("; nothing was changed"));
  }
  EXPECT_EQ(Read("first"), "old first");
  EXPECT_FALSE(Exists("made"));
  for (const char* name : {"first.new", "made.new", "third.new"}) EXPECT_FALSE(Exists(name));
  std::filesystem::remove_all(third);
  directory_.Write("third", "old third");
  {
    std::vector<StagedFile> files = stage();
    EXPECT_OK(CommitTogether(files));
  }
  for (const char* name : {"first", "made", "third"}) {
    EXPECT_EQ(Read(name), "new") << name;
    EXPECT_FALSE(Exists(std::string(name) + ".new")) << name;
  }
}

// The bind mount of one file is what a container has. Only root may make one.
TEST_F(FilesTest, AMountPointStaysAndSoDoesItsPair) {
  const std::string key = directory_.Write("key", "old key");
  const std::string mounted = directory_.Write("certificate", "old certificate");
  const std::string source = directory_.Write("source", "old certificate");
  if (RunCommand({"unshare", "--mount", "true"}).exit_code != 0) {
    GTEST_SKIP() << "SKIPPED: needs the right to mount";
  }
  ASSERT_EQ(unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(mount(source.c_str(), mounted.c_str(), nullptr, MS_BIND, nullptr), 0);
  std::vector<StagedFile> files;
  for (const std::string& path : {key, mounted}) {
    ASSERT_OK_AND_ASSIGN(StagedFile staged, StagedFile::Write(path, "new", 0600));
    files.push_back(std::move(staged));
  }
  const absl::Status refused = CommitTogether(files);
  files.clear();
  EXPECT_EQ(Read("key"), "old key");
  EXPECT_EQ(Read("certificate"), "old certificate");
  umount(mounted.c_str());
  EXPECT_THAT(refused, FailsWith(ErrorReason::kFieldInvalid));
  EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("nothing was changed"));
}

TEST_F(FilesTest, AMinusIsStandardOutput) {
  testing::internal::CaptureStdout();
  EXPECT_OK(ReplaceFile("-", "to be seen\n", 0600));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "to be seen\n");
  EXPECT_FALSE(std::filesystem::exists("-"));
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
