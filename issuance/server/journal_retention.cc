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
      dropping_(std::chrono::hours(1), [this] { DropAndSay(); }) {}

absl::Status JournalRetention::Drop() const {
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(clock_));
  ASSIGN_OR_RETURN(const std::optional<Timestamp> newest, records_.NewestIntent());
  if (!newest.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(store_.DropJournalBefore(std::min(now, *newest) - keep_));
  return store_.DeleteDroppedJournal(now);
}

void JournalRetention::DropAndSay() const {
  const absl::Status dropped = Drop();
  // A clock that is doubted has been told of already.
  if (dropped.ok() || ReasonOf(dropped) == ErrorReason::kClockUntrusted) return;
  log_.Failure("journal_retention_failed", {{"message", dropped.message()}});
}

}  // namespace hourglass::issuance
