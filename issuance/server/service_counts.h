// What the running service counts, for its metrics.
#ifndef HOURGLASS_ISSUANCE_SERVER_SERVICE_COUNTS_H_
#define HOURGLASS_ISSUANCE_SERVER_SERVICE_COUNTS_H_

#include <atomic>
#include <cstdint>

#include "issuance/admission/request_limits.h"
#include "issuance/calls/issuance_counters.h"
#include "issuance/compliance/compliance_counts.h"
#include "issuance/pipeline/issuance_load.h"

namespace hourglass::issuance {

// Whoever works counts, and the metrics read; so it outlives both. Safe to use from several
// threads.
struct ServiceCounts {
  IssuanceCounters issued;        // certificates, and what was refused
  IssuanceCounters failed_calls;  // of every method
  IssuanceLoad load;
  ComplianceCounts compliance;  // nothing where the engine is embedded
  RequestLimitCounts limited;
  std::atomic<std::uint64_t> refusals_not_kept = 0;  // of those that are over a limit
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_SERVICE_COUNTS_H_
