// Who may not use a file of the store reads which, whose it is, and as whom the process runs.
#include <errno.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/as_account.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// What opening the store says to an account that is not root.
std::string MessageToOthers(const std::string& path) {
  return SaidBy(kNobody, [&] {
    const auto store = OpenSqliteStore(path);
    return std::string(store.ok() ? "opened" : store.status().message());
  });
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
    return !IsRoot() ||
           (chown(directory_.path().c_str(), kNobody, kNobody) == 0 &&
            chown(directory_.path().c_str(), 0, 0) == 0 && CanLookAt(kNobody, directory_.path()));
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

  const bool in_tmp_ = UseTmp();
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
