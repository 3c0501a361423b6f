// Where a test holds up calls of other threads.
#ifndef HOURGLASS_TESTS_SUPPORT_DOOR_H_
#define HOURGLASS_TESTS_SUPPORT_DOOR_H_

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace hourglass {

// Shut until a test opens it, once. Safe to use from several threads.
class Door {
 public:
  // Long enough for any machine: only what is broken waits for it.
  static constexpr std::chrono::seconds kNever{60};

  // Waits until it is open; false where nobody has opened it after kNever.
  bool Pass() {
    std::unique_lock lock(mutex_);
    ++come_;
    changed_.notify_all();
    return changed_.wait_for(lock, kNever, [this] { return open_; });
  }
  // Whether so many have come to it; waits for them up to kNever.
  testing::AssertionResult HasMet(int calls) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kNever, [&] { return come_ >= calls; })) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << come_ << " have come, and not " << calls;
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int come_ = 0;
  bool open_ = false;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_DOOR_H_
