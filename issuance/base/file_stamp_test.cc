#include "issuance/base/file_stamp.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

FileStamp StampOfPath(const std::string& path) {
  struct stat about = {};
  EXPECT_EQ(stat(path.c_str(), &about), 0);
  return StampOf(about);
}

TEST(FileStampTest, IsTheSameUntilTheFileIsAnother) {
  const TemporaryDirectory directory;
  const std::string path = directory.Write("file", "one");
  const FileStamp before = StampOfPath(path);
  EXPECT_EQ(StampOfPath(path), before);
  directory.Write("file", "three");
  EXPECT_NE(StampOfPath(path), before) << "another size";
  directory.Write("other", "one");
  std::filesystem::rename(directory.File("other"), path);
  EXPECT_NE(StampOfPath(path), before) << "another file";
}

TEST(FileStampTest, SettlesTwoSecondsAfterTheLastChange) {
  FileStamp stamp;
  stamp.changed = 5'000'000'000;
  EXPECT_FALSE(HasSettled(stamp, Timestamp(std::chrono::seconds(7))));
  EXPECT_TRUE(HasSettled(stamp, Timestamp(std::chrono::microseconds(7'000'001))));
}

}  // namespace
}  // namespace hourglass::issuance
