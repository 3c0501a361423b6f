// A service of any size.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_SIZED_SERVICE_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_SIZED_SERVICE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "tools/bench/service/service_cost.h"

namespace hourglass::bench {

struct ServiceSize {
  int tenants = 1;  // three roots and one device each
  std::int64_t journal_records = 0;
};

struct SizedService {
  LoadedService service;
  // From exec to the first certificate: the median of some starts.
  double start_seconds = 0;
  // CPU microseconds of the service for a certificate of a tenant that was not asked for before.
  double first_touch = 0;
};

// Running, and asked once for every tenant. Errors: RESOURCE_EXHAUSTED where the disk has no room
// for the journal.
absl::StatusOr<SizedService> StartSized(const std::string& program, const ServiceSize& size,
                                        int starts);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_SIZED_SERVICE_H_
