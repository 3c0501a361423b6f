#include "issuance/store/sqlite/engine/file_error.h"

#include <errno.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/as_account.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr uid_t kNameless = 54321;

class FileErrorTest : public testing::Test {
 protected:
  FileErrorTest() { EXPECT_EQ(chmod(directory_.path().c_str(), 0755), 0); }

  const bool in_tmp_ = UseTmp();
  const TemporaryDirectory directory_;
  const std::string path_ = directory_.Write("hourglass.db", "");
};

TEST_F(FileErrorTest, SaysWhoOwnsAFileWhereRightsAreMissing) {
  ASSERT_EQ(chmod(path_.c_str(), 0640), 0);
  for (const int error : {EACCES, EPERM}) {
    EXPECT_THAT(WhoOwns(path_, error), StartsWith(" (owned by "));
    EXPECT_THAT(WhoOwns(path_, error), HasSubstr(", mode 0640; this process runs as "));
  }
  ASSERT_EQ(chmod(path_.c_str(), 07), 0);
  EXPECT_THAT(WhoOwns(path_, EACCES), HasSubstr(", mode 0007;"));
  for (const int error : {0, ENOENT, ENOSPC, EIO, EROFS}) EXPECT_EQ(WhoOwns(path_, error), "");
}

TEST_F(FileErrorTest, SaysWhoseTheNearestFolderIsWhereTheFileCannotBeSeen) {
  const std::string missing = directory_.File("a/b/c");
  EXPECT_THAT(WhoOwns(missing, EACCES),
              HasSubstr(absl::StrCat(" (", directory_.path(), " is owned by ")));
  EXPECT_THAT(WhoOwns("not/there", EACCES), StartsWith(" (. is owned by "));
  EXPECT_THAT(WhoOwns("not-there", EACCES), StartsWith(" (. is owned by "));
}

TEST_F(FileErrorTest, NamesAccountsAndTheNumbersOfThoseWithoutAName) {
  if (!IsRoot() || chown(path_.c_str(), kNameless, kNameless) != 0) {
    GTEST_SKIP() << "no other account here";
  }
  if (!CanLookAt(kNobody, directory_.path())) GTEST_SKIP() << "not to be reached by others";
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  EXPECT_EQ(WhoOwns(path_, EACCES), " (owned by user 54321, mode 0600; this process runs as root)");
  EXPECT_EQ(SaidBy(kNobody, [&] { return WhoOwns(path_, EACCES); }),
            " (owned by user 54321, mode 0600; this process runs as nobody)");
}

TEST_F(FileErrorTest, AFullDiskIsSaidAsSuch) {
  const struct {
    int error;
    const char* words;
  } kCases[] = {
      {ENOSPC, "the disk is full: No space left on device"},
      {EDQUOT, "the disk is full: Disk quota exceeded"},
      {EFBIG, "the disk is full: File too large"},
      {EIO, "Input/output error"},
      {EROFS, "Read-only file system"},
      {ENOENT, "No such file or directory"},
  };
  for (const auto& test : kCases) {
    const absl::Status status = FileError("cannot write", path_, test.error);
    EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable, ""));
    EXPECT_EQ(status.message(), absl::StrCat("database: cannot write ", path_, ": ", test.words));
  }
  EXPECT_THAT(
      std::string(FileError("cannot open", path_, EACCES).message()),
      StartsWith(absl::StrCat("database: cannot open ", path_, ": Permission denied (owned by ")));
}

TEST_F(FileErrorTest, ADatabaseThatMayBeUsedIsOnlyNamed) {
  EXPECT_EQ(WhyUnusable(path_, 0), path_);
  EXPECT_EQ(WhyUnusable(path_, EIO), path_ + ": Input/output error");
  for (const char* beside : {"-wal", "-shm", "-journal"}) {
    directory_.Write(absl::StrCat("hourglass.db", beside), "");
  }
  EXPECT_EQ(WhyUnusable(path_, 0), path_);
}

TEST_F(FileErrorTest, NamesTheVeryFileThatCannotBeUsed) {
  const std::string missing = directory_.File("missing");
  EXPECT_EQ(WhyUnusable(missing, 0), missing + ": No such file or directory");
  EXPECT_EQ(WhyUnusable(path_ + "/x", EIO), path_ + "/x: Not a directory");
  for (const char* beside : {"-wal", "-shm", "-journal"}) {
    const std::string loop = path_ + beside;
    std::filesystem::create_symlink(loop, loop);
    EXPECT_EQ(WhyUnusable(path_, EIO), loop + ": Too many levels of symbolic links");
    std::filesystem::remove(loop);
  }
}

TEST_F(FileErrorTest, NamesWhatAnotherAccountMayNotUse) {
  if (!IsRoot() || chown(path_.c_str(), kNobody, kNobody) != 0) {
    GTEST_SKIP() << "no other account here";
  }
  if (!CanLookAt(kNobody, directory_.path())) GTEST_SKIP() << "not to be reached by others";
  const auto said = [&] { return SaidBy(kNobody, [&] { return WhyUnusable(path_, 0); }); };
  EXPECT_EQ(said(), absl::StrCat(directory_.path(),
                                 ": Permission denied (owned by root, mode "
                                 "0755; this process runs as nobody)"))
      << "no file can be made beside it";
  ASSERT_EQ(chmod(directory_.path().c_str(), 0777), 0);
  EXPECT_EQ(said(), path_);
  const std::string log = directory_.Write("hourglass.db-wal", "");
  ASSERT_EQ(chmod(log.c_str(), 0644), 0);
  EXPECT_THAT(said(), StartsWith(log + ": Permission denied (owned by root, mode 0644;"));
  ASSERT_EQ(chmod(path_.c_str(), 0400), 0);
  EXPECT_THAT(said(), StartsWith(path_ + ": Permission denied (owned by nobody, mode 0400;"));
}

}  // namespace
}  // namespace hourglass::issuance
