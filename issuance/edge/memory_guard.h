// Ends connections that fill the memory below the calls.
#ifndef HOURGLASS_ISSUANCE_EDGE_MEMORY_GUARD_H_
#define HOURGLASS_ISSUANCE_EDGE_MEMORY_GUARD_H_

#include <cstdint>
#include <thread>

#include "hsm/base/mutex.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// gRPC keeps some of what a peer sends before there is a call that could be refused. What is known
// of it is bounded where it is read (FrameBounds); this is for what is not known: a thread looks at
// the process's memory four times a second: while it is kMostGrowth above the least of the last
// minute, and grows, the connection that receives most is ended, one after the other.
class MemoryGuard {
 public:
  static constexpr std::uint64_t kMostGrowth = std::uint64_t{256} * 1024 * 1024;

  // Of the connections at this port of the process. `log` learns of each that is ended.
  MemoryGuard(int port, const EventLog& log);
  ~MemoryGuard();
  MemoryGuard(const MemoryGuard&) = delete;
  MemoryGuard& operator=(const MemoryGuard&) = delete;

 private:
  void Watch();
  // False where the guard goes.
  bool Pause();
  void EndTheLargest();

  const int port_;
  const EventLog log_;
  Mutex mutex_;
  ConditionVariable goes_;
  bool going_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_MEMORY_GUARD_H_
