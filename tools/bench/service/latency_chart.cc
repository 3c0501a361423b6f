#include "tools/bench/service/latency_chart.h"

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace hourglass::bench {
namespace {

constexpr int kPointsPerDecade = 10;
constexpr int kDecades = 3;

}  // namespace

Chart EmptyLatencyChart(const std::string& of) {
  std::string name = absl::StrCat("latency-", absl::AsciiStrToLower(of));
  for (char& character : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(character))) character = '-';
  }
  return {.name = name,
          .title = absl::StrCat("Latency, ", of),
          .alternative = "The share of requests that took longer than a time.",
          .x = {"milliseconds", true},
          .y = {"% of requests that took longer", true}};
}

Series LatencySeries(const std::string& name, const LatencyHistogram& latencies) {
  Series series{.name = name};
  for (int i = 0; i <= kDecades * kPointsPerDecade; ++i) {
    const double longer = std::pow(10, -static_cast<double>(i) / kPointsPerDecade);
    series.x.push_back(latencies.QuantileMicroseconds(1 - longer) / 1000);
    series.y.push_back(100 * longer);
  }
  return series;
}

}  // namespace hourglass::bench
