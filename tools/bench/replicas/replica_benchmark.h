// What replicas on one PostgreSQL give together.
#ifndef HOURGLASS_TOOLS_BENCH_REPLICAS_REPLICA_BENCHMARK_H_
#define HOURGLASS_TOOLS_BENCH_REPLICAS_REPLICA_BENCHMARK_H_

#include "absl/status/status.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

// With software P-256 keys: one service with SQLite, then one, two and three replicas on a
// PostgreSQL of the benchmark's own, and one replica with a synchronous standby. All of them, the
// database and the load generator are on this machine and share its processors. Errors: INTERNAL,
// also where PostgreSQL 15 is not installed; what was measured before is reported.
absl::Status MeasureReplicas(const Options& options, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REPLICAS_REPLICA_BENCHMARK_H_
