// How long requests took, from most to the slowest of them.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_LATENCY_CHART_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_LATENCY_CHART_H_

#include <string>

#include "tools/bench/load/latency_histogram.h"
#include "tools/bench/report/chart.h"

namespace hourglass::bench {

// Without lines yet. `of` is what is measured, `software P-256`; the chart's name has it with
// hyphens, `latency-software-p-256`.
Chart EmptyLatencyChart(const std::string& of);

// What percentage of the requests took longer than so many milliseconds, down to one in a thousand.
Series LatencySeries(const std::string& name, const LatencyHistogram& latencies);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_LATENCY_CHART_H_
