#include "hsm/base/mutex.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <vector>

namespace hourglass {
namespace {

constexpr int kThreads = 4;
constexpr int kTimes = 10'000;

struct Counter {
  Mutex mutex;
  ConditionVariable changed;
  int count ABSL_GUARDED_BY(mutex) = 0;
};

void RunInThreads(const std::function<void()>& run) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(run);
  for (std::thread& thread : threads) thread.join();
}

TEST(MutexTest, LetsOneThreadInAtATime) {
  Counter counter;
  RunInThreads([&] {
    for (int i = 0; i < kTimes; ++i) {
      const MutexLock lock(counter.mutex);
      ++counter.count;
    }
  });
  const MutexLock lock(counter.mutex);
  EXPECT_EQ(counter.count, kThreads * kTimes);
}

TEST(MutexTest, IsFreeBetweenUnlockAndLock) {
  Counter counter;
  MutexLock lock(counter.mutex);
  lock.unlock();
  std::thread([&] {
    const MutexLock other(counter.mutex);
    ++counter.count;
  }).join();
  lock.lock();
  EXPECT_EQ(counter.count, 1);
}

TEST(ConditionVariableTest, WaitsUntilWhatItWaitsForIsSo) {
  Counter counter;
  auto waiting = std::async(std::launch::async, [&] {
    MutexLock lock(counter.mutex);
    counter.changed.wait(lock, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(counter.mutex) {
      return counter.count == kThreads;
    });
    return counter.count;
  });
  RunInThreads([&] {
    const MutexLock lock(counter.mutex);
    ++counter.count;
    counter.changed.notify_all();
  });
  EXPECT_EQ(waiting.get(), kThreads);
}

TEST(ConditionVariableTest, SaysWhetherTheTimeHasPassed) {
  Counter counter;
  MutexLock lock(counter.mutex);
  const auto is_zero = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(counter.mutex) {
    return counter.count == 0;
  };
  const auto is_one = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(counter.mutex) {
    return counter.count == 1;
  };
  constexpr std::chrono::milliseconds kShort(1);
  EXPECT_TRUE(counter.changed.wait_for(lock, kShort, is_zero));
  EXPECT_FALSE(counter.changed.wait_for(lock, kShort, is_one));
  EXPECT_TRUE(counter.changed.wait_until(lock, std::chrono::steady_clock::now() + kShort, is_zero));
  EXPECT_FALSE(counter.changed.wait_until(lock, std::chrono::steady_clock::now() + kShort, is_one));
}

struct Pair {
  SharedMutex mutex;
  int one ABSL_GUARDED_BY(mutex) = 0;
  int other ABSL_GUARDED_BY(mutex) = 0;
};

TEST(SharedMutexTest, ReadersNeverSeeHalfAChange) {
  Pair pair;
  RunInThreads([&] {
    for (int i = 0; i < kTimes; ++i) {
      {
        const WriterMutexLock lock(pair.mutex);
        ++pair.one;
        ++pair.other;
      }
      const ReaderMutexLock lock(pair.mutex);
      ASSERT_EQ(pair.one, pair.other);
    }
  });
  const ReaderMutexLock lock(pair.mutex);
  EXPECT_EQ(pair.one, kThreads * kTimes);
}

TEST(SharedMutexTest, ReadersShare) {
  Pair pair;
  const ReaderMutexLock lock(pair.mutex);
  std::thread([&] {
    const ReaderMutexLock other(pair.mutex);
    EXPECT_EQ(pair.one, 0);
  }).join();
}

}  // namespace
}  // namespace hourglass
