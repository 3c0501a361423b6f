#include "issuance/calls/issuance_counters.h"

namespace hourglass::issuance {

void IssuanceCounters::Count(const absl::Status& outcome) {
  ErrorReason reason = ReasonOf(outcome);
  // As the caller is told of an error without a reason.
  if (!outcome.ok() && reason == ErrorReason::kUnspecified) reason = ErrorReason::kInternalError;
  totals_[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
}

std::map<ErrorReason, std::uint64_t> IssuanceCounters::Totals() const {
  std::map<ErrorReason, std::uint64_t> totals;
  for (std::size_t reason = 0; reason < totals_.size(); ++reason) {
    const std::uint64_t total = totals_[reason].load(std::memory_order_relaxed);
    if (total > 0) totals[static_cast<ErrorReason>(reason)] = total;
  }
  return totals;
}

}  // namespace hourglass::issuance
