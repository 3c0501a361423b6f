// What a certificate costs the service, and how soon it comes.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_SERVICE_BENCHMARK_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_SERVICE_BENCHMARK_H_

#include "absl/status/status.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

// A real hourglassd with everything on, for software, token and sealed keys: rate and CPU time at
// saturation, latencies at a fixed rate, memory and octets; what some of its parts cost, by doing
// without them; and what a flood does to it. The program must be one that serves as a raw signer
// (raw_signer.h).
absl::Status MeasureService(const Options& options, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_SERVICE_BENCHMARK_H_
