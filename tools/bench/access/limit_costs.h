// What the limits of requests cost.
#ifndef HOURGLASS_TOOLS_BENCH_ACCESS_LIMIT_COSTS_H_
#define HOURGLASS_TOOLS_BENCH_ACCESS_LIMIT_COSTS_H_

#include "absl/status/status.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

// Adds to section `access` what an admission by the limits of a device, a caller and a tenant
// costs, of 100 000 devices in turn, over hashing their three names and taking from three buckets
// that nobody has to look for; and what the refusal of a device that loops costs, over an
// admission. Errors: INTERNAL_ERROR where one is refused that must not be, or the other way round.
absl::Status MeasureLimits(bool quick, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_ACCESS_LIMIT_COSTS_H_
