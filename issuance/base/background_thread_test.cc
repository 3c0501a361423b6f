#include "issuance/base/background_thread.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "issuance/base/scheduling_attributes.h"

namespace hourglass::issuance {
namespace {

SchedulingAttributes OfThisThread() {
  SchedulingAttributes attributes = {};
  EXPECT_EQ(syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0), 0);
  return attributes;
}

TEST(BackgroundThreadTest, IsNiceAloneAndLetsOthersThrough) {
  const SchedulingAttributes before = OfThisThread();
  SchedulingAttributes within = {};
  std::thread([&within] {
    RunInBackground();
    within = OfThisThread();
  }).join();
  const SchedulingAttributes after = OfThisThread();
  EXPECT_EQ(within.nice, 10);
  EXPECT_EQ(within.policy, before.policy);
  // Zero where the kernel knows no slice of one thread.
  if (before.runtime != 0) {
    EXPECT_GT(within.runtime, 10 * before.runtime);
  }
  EXPECT_EQ(after.nice, before.nice);
  EXPECT_EQ(after.runtime, before.runtime);
}

}  // namespace
}  // namespace hourglass::issuance
