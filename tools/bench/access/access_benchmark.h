// What it costs to decide whether somebody may have a certificate.
#ifndef HOURGLASS_TOOLS_BENCH_ACCESS_ACCESS_BENCHMARK_H_
#define HOURGLASS_TOOLS_BENCH_ACCESS_ACCESS_BENCHMARK_H_

#include "absl/status/status.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

inline constexpr char kAccessSection[] = "access";

// CPU time of this thread for decisions by conditional access policies, for checking access tokens,
// and for admissions by the limits of requests: each beside what it could not be done for less,
// measured in turns with it; medians of rounds. Takes half a minute. Errors: INTERNAL_ERROR where
// one of them does not come to what it must.
absl::Status MeasureAccess(const Options& options, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_ACCESS_ACCESS_BENCHMARK_H_
