#include "tools/agent/readiness.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/support/status_matchers.h"

namespace hourglass::agent {
namespace {

bool Ready(const Readiness& readiness) {
  pollfd end = {readiness.fd(), POLLIN, 0};
  return poll(&end, 1, 0) == 1;
}

TEST(ReadinessTest, IsThatOfAnyThatIsAwaitedNow) {
  const int one = eventfd(0, EFD_CLOEXEC), other = eventfd(1, EFD_CLOEXEC);
  ASSERT_OK_AND_ASSIGN(Readiness readiness, Readiness::Create());
  EXPECT_FALSE(Ready(readiness));
  readiness.Await({-1, one});
  EXPECT_FALSE(Ready(readiness));
  readiness.Await({one, other});
  EXPECT_TRUE(Ready(readiness));
  readiness.Await({one});
  EXPECT_FALSE(Ready(readiness));
  eventfd_write(one, 1);
  EXPECT_TRUE(Ready(readiness));
  // One that is closed is awaited no more.
  close(one);
  readiness.Await({-1});
  EXPECT_FALSE(Ready(readiness));
  close(other);
}

}  // namespace
}  // namespace hourglass::agent
