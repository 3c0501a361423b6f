#include "issuance/background_thread.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <thread>

namespace hourglass::issuance {
namespace {

// sched_setattr(2)
struct SchedulingAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime;  // nanoseconds
  std::uint64_t deadline;
  std::uint64_t period;
};

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
