// What size costs a service.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_SCALE_BENCHMARK_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_SCALE_BENCHMARK_H_

#include "absl/status/status.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

// CPU time for a certificate, time from the program's start to the first certificate, and memory:
// with many tenants of three roots, a long journal and many connected brokers, each beside a
// service with one tenant, an empty journal and no broker but those that load it. What the disk or
// the limits of this machine have no room for is left out, and said. Files are made as the service
// would have made them, before it starts.
absl::Status MeasureScale(const Options& options, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_SCALE_BENCHMARK_H_
