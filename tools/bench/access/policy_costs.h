// What a decision by policies costs.
#ifndef HOURGLASS_TOOLS_BENCH_ACCESS_POLICY_COSTS_H_
#define HOURGLASS_TOOLS_BENCH_ACCESS_POLICY_COSTS_H_

#include "absl/status/status.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

// Adds to section `access` what a decision by 10, 100 and 1 000 policies that mention the
// application costs, for a user in 10 000 groups (sample_policies.h), over the look-ups of the
// groups that they name; and how it grows with the policies, with those that do not mention the
// application, and with the user's groups. Errors: INTERNAL_ERROR where the decision is not the
// right one.
absl::Status MeasurePolicies(bool quick, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_ACCESS_POLICY_COSTS_H_
