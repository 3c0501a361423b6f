// A service under load, and what the load costs it.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_SERVICE_COST_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_SERVICE_COST_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/bench/load/certificate_check.h"
#include "tools/bench/load/load_generator.h"
#include "tools/bench/load/prepared_requests.h"
#include "tools/bench/service/process_usage.h"
#include "tools/bench/service/service_process.h"

namespace hourglass::bench {

// With what it is asked for and what its answers are checked against.
struct LoadedService {
  std::unique_ptr<ServiceProcess> process;
  PreparedRequests pool;
  PrimaryRoots roots;
};

// `t0`, `t1`, …, so many.
std::vector<std::string> TenantIds(int tenants);

inline constexpr int kDevicesOfATenant = 16;

// The tenants of TenantIds with kDevicesOfATenant devices and a root each, on a new and empty
// service that has settled.
absl::StatusOr<LoadedService> StartService(ServiceOptions options, v1::KeyType root_type,
                                           int tenants);

// How long a window is, after how much load that is not counted.
struct LoadWindow {
  std::chrono::milliseconds warm_up;
  std::chrono::milliseconds duration;
};

// Of one window; CPU times are microseconds for each certificate.
struct LoadCost {
  LoadResult load;
  double server = 0;
  double keyholders = 0;
  double generator = 0;
  // Share of the time that this process may use, of all its processors, in which the machine was
  // not idle.
  double busy = 0;
  // Resident at the window's end, MB.
  double server_memory = 0;
  double keyholder_memory = 0;
  // Octets for each certificate; nothing where the kernel does not tell.
  std::optional<Written> written;
};

// The service has more to do than it can; the refusal that an open loop may meet.
inline constexpr char kOverloaded[] = "OVERLOADED";

// Returns when a certificate came back since the load's Begin, or after kLoadDeadline: a window
// without one has nothing to tell.
void WaitForACertificate(LoadGenerator& load);

// A window lasts longer where no certificate would have come back in it. Errors: INTERNAL where
// anything but certificates came back (but an open loop's load may hold kOverloaded), where there
// were none for kLoadDeadline, or where one that was looked at is wrong.
absl::StatusOr<LoadCost> MeasureCost(LoadedService& service, const LoadOptions& options,
                                     const LoadWindow& window);

// Only that all went well, of a window that was measured in another way. Errors: as MeasureCost;
// kOverloaded is one, too.
absl::Status CheckLoad(const LoadedService& service, const LoadResult& load);
// The same for an open loop.
absl::Status CheckOpenLoad(const LoadedService& service, const LoadResult& load);

// How many of an open loop's requests were refused as kOverloaded.
double Refusals(const LoadResult& load);

// How often a process asks the disk to keep what was written, for each certificate, under this
// load. Errors: UNAVAILABLE where perf(1) cannot count it for this user, and as MeasureCost.
absl::StatusOr<double> FlushesPerCertificate(LoadedService& service, const LoadOptions& options,
                                             const LoadWindow& window);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_SERVICE_COST_H_
