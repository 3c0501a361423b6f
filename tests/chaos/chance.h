// Chance from a seed, and the end of a run.
#ifndef HOURGLASS_TESTS_CHAOS_CHANCE_H_
#define HOURGLASS_TESTS_CHAOS_CHANCE_H_

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "hsm/base/mutex.h"

namespace hourglass::chaos {

// For one thread. The same seed and `part` give the same choices.
class Chance {
 public:
  Chance(std::uint64_t seed, std::uint64_t part) {
    std::seed_seq both{seed, seed >> 32, part};
    random_.seed(both);
  }

  bool In(double share) { return std::bernoulli_distribution(share)(random_); }
  // 0 to `count` - 1, each as likely.
  int Below(int count) { return std::uniform_int_distribution<int>(0, count - 1)(random_); }
  std::chrono::milliseconds Between(std::chrono::milliseconds least,
                                    std::chrono::milliseconds most) {
    return std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(random_));
  }
  template <typename T>
  const T& OneOf(const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(Below(static_cast<int>(choices.size())))];
  }
  std::mt19937_64& random() { return random_; }

 private:
  std::mt19937_64 random_;
};

// Safe to call from several threads.
class Ending {
 public:
  void Begin() {
    MutexLock lock(mutex_);
    has_begun_ = true;
    changed_.notify_all();
  }
  bool HasBegun() const {
    MutexLock lock(mutex_);
    return has_begun_;
  }
  // Waits so long, but not beyond Begin.
  void Await(std::chrono::milliseconds longest) {
    MutexLock lock(mutex_);
    changed_.wait_for(lock, longest,
                      [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return has_begun_; });
  }

 private:
  mutable Mutex mutex_;
  ConditionVariable changed_;
  bool has_begun_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_CHANCE_H_
