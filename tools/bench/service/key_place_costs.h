// The service's cost with each kind of key.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_KEY_PLACE_COSTS_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_KEY_PLACE_COSTS_H_

#include "absl/status/status.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/report.h"
#include "tools/bench/service/saturation.h"

namespace hourglass::bench {

// Software P-256, and the same with some of the service's parts left out: each a row of its own. No
// check of the service is left out.
absl::Status MeasureSoftwareKeys(const Options& options, const LoadEffort& effort, Report& report);

// SoftHSM through keyholders, beside what the token signs with nothing of ours around it.
absl::Status MeasureSofthsm(const Options& options, const LoadEffort& effort, Report& report);

// A key sealed by a TPM (swtpm).
absl::Status MeasureSealedKey(const Options& options, const LoadEffort& effort, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_KEY_PLACE_COSTS_H_
