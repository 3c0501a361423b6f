#include "tools/bench/service/saturation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tools/bench/report/options.h"
#include "tools/bench/service/latency_chart.h"

namespace hourglass::bench {
namespace {

constexpr int kConnections = 4;

void Add(Report& report, const std::string& name, double value, const std::string& unit) {
  report.Add({.section = kServiceSection, .name = name, .value = value, .unit = unit});
}

// Latencies at a share of the rate at saturation, on a fixed plan of arrivals.
absl::Status ReportLatencies(const std::string& name, LoadedService& service,
                             const LoadEffort& effort, double saturation, double unloaded_median,
                             Chart& chart, Report& report) {
  for (const int percent : {50, 80}) {
    const LoadOptions options = {.arrivals = OpenLoop{.per_second = saturation * percent / 100},
                                 .connections = kConnections};
    ASSIGN_OR_RETURN(const LoadCost cost, MeasureCost(service, options, effort.window));
    const std::string at = absl::StrCat(" at ", percent, " % of saturation");
    const LatencyHistogram& latencies = cost.load.latencies;
    chart.series.push_back(LatencySeries(absl::StrCat(percent, " % of saturation"), latencies));
    Add(report, absl::StrCat(name, ": median", at), latencies.QuantileMicroseconds(0.5), "us");
    Figure p99 = {.section = kServiceSection,
                  .name = absl::StrCat(name, ": p99", at),
                  .value = latencies.QuantileMicroseconds(0.99),
                  .unit = "us"};
    if (percent == 50) {
      p99.floor = unloaded_median;
      p99.floor_is = "unloaded median";
      p99.target = TargetId::kLatency;
    }
    report.Add(p99);
    Add(report, absl::StrCat(name, ": p99.9", at), latencies.QuantileMicroseconds(0.999), "us");
    Add(report, absl::StrCat(name, ": generator's own delay, p99", at),
        cost.load.delays.QuantileMicroseconds(0.99), "us");
    report.Add({.section = kServiceSection,
                .name = absl::StrCat(name, ": refused as too many", at),
                .value = Refusals(cost.load),
                .unit = "requests",
                .target = TargetId::kErrors});
  }
  return absl::OkStatus();
}

void ReportCost(const std::string& name, const Saturation& saturation,
                const VerifyAndSignFloor& floor, std::optional<TargetId> cost_target,
                Report& report) {
  const LoadCost& cost = saturation.cost;
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(name, ": server CPU per certificate"),
              .value = cost.server,
              .unit = "us",
              .floor = floor.Microseconds(),
              .floor_is = "verify and sign",
              .target = cost_target});
  Add(report, absl::StrCat(name, ": rate at saturation"), cost.load.CertificatesPerSecond(),
      "certificates/s");
  Add(report, absl::StrCat(name, ": requests under way at saturation"), saturation.outstanding,
      "requests");
  if (cost.keyholder_memory > 0) {
    Add(report, absl::StrCat(name, ": keyholders' CPU per certificate"), cost.keyholders, "us");
    Add(report, absl::StrCat(name, ": keyholders' memory at saturation"), cost.keyholder_memory,
        "MB");
  }
  Add(report, absl::StrCat(name, ": load generator's CPU per certificate"), cost.generator, "us");
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(name, ": memory at saturation"),
              .value = cost.server_memory,
              .unit = "MB",
              .target = TargetId::kMemoryAtSaturation});
  if (cost.written.has_value()) {
    Add(report, absl::StrCat(name, ": octets to files per certificate"), cost.written->by_calls,
        "octets");
    Add(report, absl::StrCat(name, ": octets to the disk per certificate"), cost.written->to_disk,
        "octets");
  }
}

absl::Status ReportFlushes(const std::string& name, LoadedService& service,
                           const LoadEffort& effort, int outstanding, Report& report) {
  const auto flushes = FlushesPerCertificate(service, ClosedLoad(outstanding), effort.trial);
  if (absl::IsUnavailable(flushes.status())) {
    Progress(absl::StrCat(
        name, ": flushes per certificate not measured: ", std::string(flushes.status().message())));
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(flushes.status());
  Add(report, absl::StrCat(name, ": flushes per certificate"), *flushes, "flushes");
  return absl::OkStatus();
}

}  // namespace

LoadEffort EffortOf(bool quick) {
  using std::chrono::milliseconds;
  if (quick) {
    const LoadWindow window = {milliseconds(200), milliseconds(400)};
    return {window, window, milliseconds(20), {32}, 2};
  }
  return {{milliseconds(1000), milliseconds(6000)},
          {milliseconds(500), milliseconds(1500)},
          milliseconds(500),
          {32, 64, 128, 256, 512},
          8};
}

LoadOptions ClosedLoad(int outstanding) {
  return {.arrivals = ClosedLoop{.outstanding = outstanding}, .connections = kConnections};
}

absl::StatusOr<Saturation> Saturate(LoadedService& service, const LoadEffort& effort) {
  Saturation best;
  for (const int outstanding : effort.outstanding_levels) {
    ASSIGN_OR_RETURN(LoadCost cost, MeasureCost(service, ClosedLoad(outstanding), effort.trial));
    if (cost.load.CertificatesPerSecond() > best.cost.load.CertificatesPerSecond()) {
      best = {outstanding, std::move(cost)};
    }
  }
  ASSIGN_OR_RETURN(best.cost, MeasureCost(service, ClosedLoad(best.outstanding), effort.window));
  return best;
}

absl::StatusOr<Saturation> ReportSaturation(const std::string& name, LoadedService& service,
                                            const LoadEffort& effort, VerifyAndSignFloor& floor,
                                            std::optional<TargetId> cost_target, Report& report) {
  Progress(absl::StrCat("  ", name));
  LoadOptions alone = ClosedLoad(1);
  alone.connections = 1;
  ASSIGN_OR_RETURN(const LoadCost unloaded, MeasureCost(service, alone, effort.trial));
  const double median = unloaded.load.latencies.QuantileMicroseconds(0.5);
  RETURN_IF_ERROR(floor.Measure(effort.floor));
  ASSIGN_OR_RETURN(Saturation saturation, Saturate(service, effort));
  RETURN_IF_ERROR(floor.Measure(effort.floor));
  ReportCost(name, saturation, floor, cost_target, report);
  RETURN_IF_ERROR(ReportFlushes(name, service, effort, saturation.outstanding, report));
  Add(report, absl::StrCat(name, ": median of one request at a time"), median, "us");
  Chart chart = EmptyLatencyChart(name);
  chart.series.push_back(LatencySeries("one request at a time", unloaded.load.latencies));
  RETURN_IF_ERROR(ReportLatencies(
      name, service, effort, saturation.cost.load.CertificatesPerSecond(), median, chart, report));
  report.Add(std::move(chart));
  return saturation;
}

}  // namespace hourglass::bench
