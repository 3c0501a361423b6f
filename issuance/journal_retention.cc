#include "issuance/journal_retention.h"

#include <utility>

#include "absl/status/status.h"

namespace hourglass::issuance {

JournalRetention::JournalRetention(std::chrono::seconds keep, Store* store, const Clock* clock,
                                   EventLog log)
    : keep_(keep), store_(*store), clock_(*clock), log_(std::move(log)), thread_([this] {
        Run();
      }) {}

JournalRetention::~JournalRetention() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void JournalRetention::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const absl::Status dropped = store_.DropJournalBefore(clock_.Now() - keep_);
    if (!dropped.ok()) log_.Failure("journal_retention_failed", {{"message", dropped.message()}});
    lock.lock();
    stop_.wait_for(lock, std::chrono::hours(1), [this] { return stopping_; });
  }
}

}  // namespace hourglass::issuance
