// One service from no load to as much as it can do.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_SATURATION_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_SATURATION_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/bench/report/report.h"
#include "tools/bench/service/floor.h"
#include "tools/bench/service/service_cost.h"

namespace hourglass::bench {

inline constexpr char kServiceSection[] = "service";

// How much is measured.
struct LoadEffort {
  LoadWindow window;                    // of each figure
  LoadWindow trial;                     // of each try of a number of outstanding requests
  std::chrono::milliseconds floor;      // of each of its two measurements
  std::vector<int> outstanding_levels;  // that are tried
  int tenants = 8;
};
LoadEffort EffortOf(bool quick);

// Load of so many requests at any time, over as many connections as a few brokers would have.
LoadOptions ClosedLoad(int outstanding);

// The best of the levels, measured again in a whole window.
struct Saturation {
  int outstanding = 0;
  LoadCost cost;
};
absl::StatusOr<Saturation> Saturate(LoadedService& service, const LoadEffort& effort);

// Adds what is known of the service called `name` (`software P-256`) by load alone: the cost beside
// `floor`, which is measured before and after, rates, latencies, memory, octets and flushes.
// `cost_target` is what the CPU time is held to, if anything.
absl::StatusOr<Saturation> ReportSaturation(const std::string& name, LoadedService& service,
                                            const LoadEffort& effort, VerifyAndSignFloor& floor,
                                            std::optional<TargetId> cost_target, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_SATURATION_H_
