// What other threads say, for a test that waits for it.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TESTING_HEARD_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TESTING_HEARD_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "hsm/base/mutex.h"

namespace hourglass::issuance {

// In the order in which it came. Safe to call from several threads.
class Heard {
 public:
  void Add(std::string what) {
    const MutexLock lock(mutex_);
    all_.push_back(std::move(what));
    more_.notify_all();
  }

  // All that came so far, once there are so many at least.
  std::vector<std::string> Await(std::size_t count) {
    MutexLock lock(mutex_);
    more_.wait(lock, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return all_.size() >= count; });
    return all_;
  }
  // The same once `what` is among it.
  std::vector<std::string> AwaitOne(const std::string& what) {
    MutexLock lock(mutex_);
    more_.wait(lock, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return std::find(all_.begin(), all_.end(), what) != all_.end();
    });
    return all_;
  }

 private:
  Mutex mutex_;
  ConditionVariable more_;
  std::vector<std::string> all_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TESTING_HEARD_H_
