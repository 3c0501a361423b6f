// Whether what came back is what was asked for, so that no wrong answer is counted.
#ifndef HOURGLASS_TOOLS_BENCH_LOAD_CERTIFICATE_CHECK_H_
#define HOURGLASS_TOOLS_BENCH_LOAD_CERTIFICATE_CHECK_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/bench/load/load_tally.h"
#include "tools/bench/load/prepared_requests.h"

namespace hourglass::bench {

// A tenant's primary root, DER, by tenant id.
using PrimaryRoots = std::map<std::string, std::string>;

// Whether `response`, a serialized IssueCertificateResponse, holds a certificate of the request's
// key and user with the conditional-access OID that is valid now, whose chain ends in `root` (DER)
// and verifies. Errors: INTERNAL saying what is wrong.
absl::Status CheckAnswer(absl::string_view response, const PreparedRequest& request,
                         absl::string_view root);

// Every sample by CheckAnswer, no two of one serial number, and at least one where certificates
// were counted. Errors: INTERNAL, also for a tenant without a root.
absl::Status CheckSamples(const LoadResult& result, const PreparedRequests& pool,
                          const PrimaryRoots& roots);

// The primary roots before and after promotions that were all done at `done`, by the clock of
// those who sent requests.
struct PromotedRoots {
  PrimaryRoots before, after;
  LoadClock::time_point done;
};

// The same of a window in which there were promotions: what was sent after them ends in a root of
// after, and what was sent earlier in either.
absl::Status CheckSamples(const LoadResult& result, const PreparedRequests& pool,
                          const PromotedRoots& roots);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_LOAD_CERTIFICATE_CHECK_H_
