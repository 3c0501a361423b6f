#include "issuance/base/recurring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace hourglass::issuance {
namespace {

TEST(RecurringTest, WorksOnceWhereTheEndComesAtOnce) {
  std::atomic<int> times = 0;
  {
    const Recurring work(std::chrono::hours(1000), [&] { ++times; });
  }
  EXPECT_EQ(times, 1);
}

TEST(RecurringTest, ComesAgainAfterThePause) {
  std::promise<void> third;
  std::atomic<int> times = 0;
  const Recurring work(std::chrono::seconds(0), [&] {
    if (++times == 3) third.set_value();
  });
  EXPECT_EQ(third.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
}

TEST(RecurringTest, TheEndWaitsForWhatIsBeingDone) {
  std::promise<void> begun, goes_on;
  std::atomic<bool> done = false;
  std::future<void> end;
  {
    const Recurring work(std::chrono::hours(1000), [&] {
      begun.set_value();
      goes_on.get_future().wait();
      done = true;
    });
    begun.get_future().wait();
    end = std::async(std::launch::async, [&] { goes_on.set_value(); });
  }
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace hourglass::issuance
