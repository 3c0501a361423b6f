// What an access token costs to check.
#ifndef HOURGLASS_TOOLS_BENCH_ACCESS_TOKEN_COSTS_H_
#define HOURGLASS_TOOLS_BENCH_ACCESS_TOKEN_COSTS_H_

#include "absl/status/status.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

// Adds to section `access` what checking a token costs, from its text to whom it names, over its
// SHA-256 and its RSA verification by EVP: of a token as Entra ID makes them, and of one with 200
// groups. No token is that of the check before. Errors: INTERNAL_ERROR, TOKEN_REFUSED.
absl::Status MeasureTokenChecks(bool quick, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_ACCESS_TOKEN_COSTS_H_
