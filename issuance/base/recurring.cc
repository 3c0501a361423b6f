#include "issuance/base/recurring.h"

#include <utility>

namespace hourglass::issuance {

Recurring::Recurring(std::chrono::seconds pause, std::function<void()> work)
    : pause_(pause), work_(std::move(work)), thread_([this] { Run(); }) {}

Recurring::~Recurring() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void Recurring::Run() {
  MutexLock lock(mutex_);
  do {
    lock.unlock();
    work_();
    lock.lock();
    stop_.wait_for(lock, pause_,
                   [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; });
  } while (!stopping_);
}

}  // namespace hourglass::issuance
