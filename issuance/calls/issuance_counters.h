// How many certificates were issued, and why others were not.
#ifndef HOURGLASS_ISSUANCE_CALLS_ISSUANCE_COUNTERS_H_
#define HOURGLASS_ISSUANCE_CALLS_ISSUANCE_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {

// Since this object was made. Safe to use from several threads.
class IssuanceCounters {
 public:
  // A request for a certificate ended with `outcome`.
  void Count(const absl::Status& outcome);

  // By the reason of the outcome, those that occurred; kUnspecified: issued.
  std::map<ErrorReason, std::uint64_t> Totals() const;

 private:
  // By reason; the enumeration ends with kInternalError.
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(ErrorReason::kInternalError) + 1>
      totals_ = {};
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_ISSUANCE_COUNTERS_H_
