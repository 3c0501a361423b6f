// What one caller's listings do to everybody else.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_LISTING_BENCHMARK_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_LISTING_BENCHMARK_H_

#include "absl/status/status.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

// For main: where the program was started as the auditor of MeasureListings, lists until SIGTERM
// and ends the process. Else returns.
void ServeAsAuditor(int argc, char** argv);

// A tenant's requests for certificates, 100 a second, beside an auditor of another tenant with
// 2 500 listings of the journal outstanding, and without; and the other tenant's promotions
// meanwhile. The service has one half of the processors for itself, the load generators the other.
absl::Status MeasureListings(const Options& options, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_LISTING_BENCHMARK_H_
