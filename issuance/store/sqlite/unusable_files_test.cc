// Who may not use a file of the store reads which, whose it is, and as whom the process runs.
#include <errno.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr uid_t kNobody = 65534;

bool IsRoot() { return geteuid() == 0; }

// What opening the store says to an account that is not root.
std::string MessageToOthers(const std::string& path) {
  std::array<int, 2> ends;
  if (pipe(ends.data()) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    if (IsRoot() && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) _exit(2);
    const auto store = OpenSqliteStore(path);
    const std::string message(store.ok() ? "opened" : store.status().message());
    _exit(write(ends[1], message.data(), message.size()) < 0 ? 3 : 0);
  }
  close(ends[1]);
  std::string message(8192, '\0');
  const ssize_t size = read(ends[0], message.data(), message.size());
  close(ends[0]);
  waitpid(child, nullptr, 0);
  message.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return message;
}

class UnusableFilesTest : public testing::Test {
 protected:
  UnusableFilesTest() {
    EXPECT_EQ(chmod(directory_.path().c_str(), 0755), 0);
    const std::unique_ptr<Store> store = OpenSqliteStore(path_).value();
    EXPECT_OK(AddSamplePrimary(*store));
    EXPECT_OK(Append(*store, SampleIntent("0")));
  }

  // Root in a namespace of one account can neither be another nor be kept from anything.
  bool HasOthers() {
    return !IsRoot() || (chown(directory_.path().c_str(), kNobody, kNobody) == 0 &&
                         chown(directory_.path().c_str(), 0, 0) == 0);
  }

  // So that all of it is the other account's.
  void GiveAway() {
    if (!IsRoot()) return;
    EXPECT_EQ(chown(directory_.path().c_str(), kNobody, kNobody), 0);
    for (const auto& file : std::filesystem::recursive_directory_iterator(directory_.path())) {
      EXPECT_EQ(lchown(file.path().c_str(), kNobody, kNobody), 0);
    }
  }

  // As a restore by root leaves it.
  static void TakeBack(const std::string& file) {
    EXPECT_EQ(IsRoot() ? chown(file.c_str(), 0, 0) : chmod(file.c_str(), 0), 0);
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.File("hourglass.db");
  const std::string segment_ = path_ + ".journal/00000001.sqlite";
};

TEST_F(UnusableFilesTest, NamesTheVeryFile) {
  if (!HasOthers()) GTEST_SKIP() << "no other account here";
  GiveAway();
  EXPECT_EQ(MessageToOthers(path_), "opened");
  const std::string rest = IsRoot() ? ": Permission denied (owned by root, mode 0600; this process "
                                      "runs as nobody)"
                                    : ": Permission denied (owned by ";
  TakeBack(segment_);
  EXPECT_THAT(MessageToOthers(path_), HasSubstr(segment_ + rest));
  TakeBack(path_);
  EXPECT_THAT(MessageToOthers(path_), HasSubstr(path_ + rest));
}

TEST_F(UnusableFilesTest, NamesAFolderThatIsInTheWay) {
  if (!HasOthers()) GTEST_SKIP() << "no other account here";
  GiveAway();
  TakeBack(path_ + ".journal");
  const std::string message = MessageToOthers(path_);
  EXPECT_THAT(message, AllOf(HasSubstr(path_ + ".journal"), HasSubstr("owned by")));
}

TEST_F(UnusableFilesTest, NamesASegmentThatCannotBeOpenedByAnybody) {
  std::filesystem::remove(segment_);
  std::filesystem::create_symlink(segment_, segment_);
  const auto store = OpenSqliteStore(path_);
  EXPECT_THAT(store, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(store.status().message(),
              HasSubstr(segment_ + ": Too many levels of symbolic links"));
}

}  // namespace
}  // namespace hourglass::issuance
