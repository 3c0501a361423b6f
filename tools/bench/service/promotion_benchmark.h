// What a promotion costs those who ask for certificates meanwhile.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_PROMOTION_BENCHMARK_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_PROMOTION_BENCHMARK_H_

#include "absl/status/status.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/report.h"
#include "tools/bench/service/saturation.h"

namespace hourglass::bench {

// Promotes one staged root after the other of the one tenant that all requests are of, at half of
// saturation, software P-256. The requests are asked again as LoadOptions::asks_again says. Adds
// how many were refused with PRIMARY_CHANGED, how many failed, and the p99 of the second around a
// promotion beside that of the seconds before. Service and load generator have half of the
// processors each. Errors: INTERNAL, also where a request failed in another way than with
// kOverloaded, where a promotion did, and where a certificate ends in a root that was no primary
// when it was asked for, or later.
absl::Status MeasurePromotions(const Options& options, const LoadEffort& effort, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_PROMOTION_BENCHMARK_H_
