// What one certificate costs in the library, beside what it cannot cost less than.
#ifndef HOURGLASS_TOOLS_BENCH_LIBRARY_BENCHMARK_H_
#define HOURGLASS_TOOLS_BENCH_LIBRARY_BENCHMARK_H_

#include "absl/status/status.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

// Adds to section `library`, for each type of a leaf's key and of a root's, two figures: CPU time
// of this thread per certificate, from the octets of a request to the certificate's, with a
// software root, over the floor of the same two types; and allocations per certificate, over those
// of the floor. All are medians of rounds. No check is left out, and no request is that of the
// certificate before.
//
// The floor is a verification of the request's signature and a signature by the root, by EVP, with
// keys parsed, contexts ready and messages hashed before the clock starts. It is measured in turns
// with the certificates, so that both meet the same noise. Takes half a minute. Errors:
// INTERNAL_ERROR, and what issuing gives.
absl::Status MeasureLibrary(const Options& options, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_LIBRARY_BENCHMARK_H_
