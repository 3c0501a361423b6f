#include "tools/bench/access/access_benchmark.h"

#include "hsm/base/status_macros.h"
#include "tools/bench/access/limit_costs.h"
#include "tools/bench/access/policy_costs.h"
#include "tools/bench/access/token_costs.h"

namespace hourglass::bench {

absl::Status MeasureAccess(const Options& options, Report& report) {
  Progress("access: policies");
  RETURN_IF_ERROR(MeasurePolicies(options.quick, report));
  Progress("access: tokens");
  RETURN_IF_ERROR(MeasureTokenChecks(options.quick, report));
  Progress("access: limits of requests");
  return MeasureLimits(options.quick, report);
}

}  // namespace hourglass::bench
