#include "issuance/server/journal_retention.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {

JournalRetention::JournalRetention(std::chrono::seconds keep, JournalStore* store,
                                   TimeRecords* records, const Clock* clock, EventLog log)
    : keep_(keep),
      store_(*store),
      records_(*records),
      clock_(*clock),
      log_(std::move(log)),
      thread_([this] { Run(); }) {}

JournalRetention::~JournalRetention() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

absl::Status JournalRetention::Drop() {
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(clock_));
  ASSIGN_OR_RETURN(const std::optional<Timestamp> newest, records_.NewestIntent());
  if (!newest.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(store_.DropJournalBefore(std::min(now, *newest) - keep_));
  return store_.DeleteDroppedJournal(now);
}

void JournalRetention::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const absl::Status dropped = Drop();
    // A clock that is doubted has been told of already.
    if (!dropped.ok() && ReasonOf(dropped) != ErrorReason::kClockUntrusted) {
      log_.Failure("journal_retention_failed", {{"message", dropped.message()}});
    }
    lock.lock();
    stop_.wait_for(lock, std::chrono::hours(1),
                   [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; });
  }
}

}  // namespace hourglass::issuance
