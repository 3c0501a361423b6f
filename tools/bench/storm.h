// What arrives when a whole fleet starts at once and then follows the service's renew_after.
#ifndef HOURGLASS_TOOLS_BENCH_STORM_H_
#define HOURGLASS_TOOLS_BENCH_STORM_H_

#include <chrono>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "issuance/base/clock.h"
#include "issuance/store/records.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

// When the client of `intent`'s certificate asks for the next one, told at `now`.
using RenewalRule =
    std::function<issuance::Timestamp(issuance::Timestamp now, const issuance::Intent& intent)>;

// How many requests arrive in each bucket of a time.
struct Arrivals {
  std::chrono::seconds bucket;
  std::vector<double> counts;

  double PerSecond(std::size_t i) const { return counts[i] / static_cast<double>(bucket.count()); }
  // Requests a second from bucket `first` on: on average, and in the fullest bucket.
  double Mean(std::size_t first) const;
  double Peak(std::size_t first) const;
};

// Of `devices` devices that ask first at a time of their own within the first minute of `duration`,
// are answered at once with a certificate that lives an hour, and then follow `rule`. The same in
// every run. `bucket` divides `duration`.
Arrivals Simulate(int devices, std::chrono::seconds duration, std::chrono::seconds bucket,
                  const RenewalRule& rule);

// 100 000 devices (a twentieth of them when quick) over three hours, with the service's rule and
// with one at which all renew at the same share of the life.
absl::Status MeasureStorm(const Options& options, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_STORM_H_
