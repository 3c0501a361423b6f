// What a flood does to a service.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_ADMISSION_BENCHMARK_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_ADMISSION_BENCHMARK_H_

#include "absl/status/status.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/report.h"
#include "tools/bench/service/saturation.h"

namespace hourglass::bench {

// How many certificates come of three times what the service can do, and what the flood of one
// tenant does to the latencies of another.
//
// Here the service has one half of the processors for itself and the load generators the other (all
// of both on a machine with one): a flood costs a generator three times what saturation did, on
// another machine in earnest, and must not take it from the service.
absl::Status MeasureAdmission(const Options& options, const LoadEffort& effort, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_ADMISSION_BENCHMARK_H_
