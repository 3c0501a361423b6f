#include "issuance/edge/file_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace hourglass::issuance {
namespace {

TEST(FileLimitTest, IsRaisedToTheHardOne) {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = 300;
  limit.rlim_max = 400;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(FileLimit(), 300);
  EXPECT_EQ(RaiseFileLimit(), 400);
  EXPECT_EQ(FileLimit(), 400);
}

TEST(FileLimitTest, ConnectionsLeaveRoomForOtherFiles) {
  EXPECT_EQ(ConnectionsWithin(65536, 4096), 4096);
  EXPECT_EQ(ConnectionsWithin(1024, 4096), 384);
  EXPECT_EQ(ConnectionsWithin(64, 4096), 16);
}

}  // namespace
}  // namespace hourglass::issuance
