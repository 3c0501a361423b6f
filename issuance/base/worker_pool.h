// Threads for calls that may block.
#ifndef HOURGLASS_ISSUANCE_BASE_WORKER_POOL_H_
#define HOURGLASS_ISSUANCE_BASE_WORKER_POOL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "hsm/base/mutex.h"

namespace hourglass::issuance {

// Threads that run calls which may block, and a bounded queue before them. Safe to call from
// several threads.
class WorkerPool {
 public:
  // At least one worker; `queue_length` calls may wait beside those that run.
  WorkerPool(int workers, std::size_t queue_length);
  // Runs what is queued, then joins.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False, and nothing is run, where the queue is full.
  bool Submit(std::function<void()> call);

 private:
  void Work();

  const std::size_t queue_length_;
  Mutex mutex_;
  ConditionVariable changed_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> workers_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_WORKER_POOL_H_
