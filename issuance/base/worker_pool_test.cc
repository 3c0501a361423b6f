#include "issuance/base/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace hourglass::issuance {
namespace {

TEST(WorkerPoolTest, RunsEveryCallBeforeItGoes) {
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(4, 1000);
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(pool.Submit([&ran] { ++ran; }));
  }
  EXPECT_EQ(ran, 1000);
}

TEST(WorkerPoolTest, RefusesWhatTheQueueCannotHold) {
  std::promise<void> started;
  std::promise<void> go_on;
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(1, 2);
    ASSERT_TRUE(pool.Submit([&] {
      started.set_value();
      go_on.get_future().wait();
    }));
    started.get_future().wait();
    EXPECT_TRUE(pool.Submit([&ran] { ++ran; }));
    EXPECT_TRUE(pool.Submit([&ran] { ++ran; }));
    EXPECT_FALSE(pool.Submit([&ran] { ran += 100; }));
    go_on.set_value();
  }
  EXPECT_EQ(ran, 2);
}

TEST(WorkerPoolTest, CallsRunBesideEachOther) {
  std::promise<void> first;
  std::promise<void> second;
  WorkerPool pool(2, 10);
  pool.Submit([&] {
    first.set_value();
    second.get_future().wait();
  });
  pool.Submit([&] {
    first.get_future().wait();
    second.set_value();
  });
}

}  // namespace
}  // namespace hourglass::issuance
