#include "issuance/base/worker_pool.h"

#include <utility>

namespace hourglass::issuance {

WorkerPool::WorkerPool(int workers, std::size_t queue_length) : queue_length_(queue_length) {
  for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { Work(); });
}

WorkerPool::~WorkerPool() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

bool WorkerPool::Submit(std::function<void()> call) {
  {
    const MutexLock lock(mutex_);
    if (queue_.size() >= queue_length_) return false;
    queue_.push_back(std::move(call));
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::Work() {
  for (;;) {
    std::function<void()> call;
    {
      MutexLock lock(mutex_);
      changed_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return stopping_ || !queue_.empty();
      });
      if (queue_.empty()) return;
      call = std::move(queue_.front());
      queue_.pop_front();
    }
    call();
  }
}

}  // namespace hourglass::issuance
