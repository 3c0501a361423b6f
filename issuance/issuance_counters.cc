#include "issuance/issuance_counters.h"

namespace hourglass::issuance {

void IssuanceCounters::Count(const absl::Status& outcome) {
  ErrorReason reason = ReasonOf(outcome);
  // As the caller is told of an error without a reason.
  if (!outcome.ok() && reason == ErrorReason::kUnspecified) reason = ErrorReason::kInternalError;
  const std::lock_guard lock(mutex_);
  ++totals_[reason];
}

std::map<ErrorReason, std::uint64_t> IssuanceCounters::Totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

}  // namespace hourglass::issuance
