// The threads that run administration, the journal's and the devices' calls, which may block.
#ifndef HOURGLASS_ISSUANCE_CALLS_CALL_POOL_H_
#define HOURGLASS_ISSUANCE_CALLS_CALL_POOL_H_

#include <cstddef>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/calls/call_lines.h"
#include "issuance/identity/methods.h"

namespace hourglass::issuance {

struct CallPoolOptions {
  // For promotions and changes, and for listings. At least 1 each.
  int changing_threads = 6;
  int listing_threads = 4;
  // That may wait; a caller has half of the first and three quarters of the second. At least 1
  // each.
  std::size_t changes_waiting = 1024;
  std::size_t listings_waiting = 4096;
};

// Promotions, changes and listings have lines of their own (CallLines), in which callers take
// turns; one caller has at most half of the threads of a kind. Promotions go before changes, and
// have one thread more that takes nothing else. Listings have threads of their own, which read with
// connections of their own (issuance/store/reading.h) and leave the processors to whoever issues:
// their niceness is 10. Safe to call from several threads.
class CallPool {
 public:
  explicit CallPool(const CallPoolOptions& options);
  // Runs what waits, then joins.
  ~CallPool();
  CallPool(const CallPool&) = delete;
  CallPool& operator=(const CallPool&) = delete;

  // False, and nothing is run, where no more may wait (CallLines::Add). `kind` is not kIssuing.
  bool Submit(absl::string_view caller, MethodKind kind, CallLines::Call call);

 private:
  // In the order in which they are looked at.
  using Kinds = std::vector<CallLines*>;

  void NotifyAll();
  void Work(const Kinds& kinds, ConditionVariable& comes);
  // With mutex_ held; null where there is nothing to take.
  static CallLines* WithOne(const Kinds& kinds);
  static bool NothingWaits(const Kinds& kinds);

  Mutex mutex_;
  CallLines promotions_ ABSL_GUARDED_BY(mutex_);
  CallLines changes_ ABSL_GUARDED_BY(mutex_);
  CallLines listings_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  ConditionVariable promotion_comes_;
  ConditionVariable change_comes_;
  ConditionVariable listing_comes_;
  std::vector<std::thread> threads_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_CALL_POOL_H_
