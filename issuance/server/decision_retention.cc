#include "issuance/server/decision_retention.h"

#include <utility>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {

DecisionRetention::DecisionRetention(std::chrono::seconds keep, DecisionStore* store,
                                     const Clock* clock, EventLog log)
    : keep_(keep),
      store_(*store),
      clock_(*clock),
      log_(std::move(log)),
      dropping_(std::chrono::hours(1), [this] { DropAndSay(); }) {}

absl::Status DecisionRetention::Drop() const {
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(clock_));
  return store_.DropDecisions(now - keep_, now - keep_);
}

void DecisionRetention::DropAndSay() const {
  const absl::Status dropped = Drop();
  // A clock that is doubted has been told of already.
  if (dropped.ok() || ReasonOf(dropped) == ErrorReason::kClockUntrusted) return;
  log_.Failure("decision_retention_failed", {{"message", dropped.message()}});
}

}  // namespace hourglass::issuance
