// What access tokens cost a service.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_TOKEN_BENCHMARK_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_TOKEN_BENCHMARK_H_

#include "absl/status/status.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

// Two services with everything on and software P-256 keys, of which one takes its brokers' word and
// the other access tokens, asked in turns, closed loop: server CPU per certificate of either,
// beside the signatures that it needs, which with tokens are one more. Each request brings a token
// of its own, signed before the window by an issuer of the benchmark's. Errors: INTERNAL, as
// MeasureCost.
absl::Status MeasureTokens(const Options& options, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_TOKEN_BENCHMARK_H_
