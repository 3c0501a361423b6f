// Work that comes again for as long as somebody wants it.
#ifndef HOURGLASS_ISSUANCE_BASE_RECURRING_H_
#define HOURGLASS_ISSUANCE_BASE_RECURRING_H_

#include <chrono>
#include <functional>
#include <thread>

#include "hsm/base/mutex.h"

namespace hourglass::issuance {

// Does the work on a thread of its own: at once, also where the end comes at once, and again each
// time that `pause` has passed since it was done.
class Recurring {
 public:
  // Begins. `work` is called by one thread at a time.
  Recurring(std::chrono::seconds pause, std::function<void()> work);
  // Waits for what is being done, and not for the pause.
  ~Recurring();
  Recurring(const Recurring&) = delete;
  Recurring& operator=(const Recurring&) = delete;

 private:
  void Run();

  const std::chrono::seconds pause_;
  const std::function<void()> work_;
  Mutex mutex_;
  ConditionVariable stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_RECURRING_H_
