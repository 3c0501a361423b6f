#include "tools/bench/load/admission_benchmark.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"

namespace hourglass::bench {
namespace {

constexpr double kFloodOfSaturation = 3;
constexpr double kModerateOfSaturation = 0.5;
// Enough for a p99 that is more than one request.
constexpr double kQuietPerSecond = 100;
constexpr int kTurns = 3;

absl::StatusOr<std::unique_ptr<LoadGenerator>> StartOpenLoad(LoadedService& service,
                                                             const PreparedRequests& pool,
                                                             double per_second) {
  return StartLoad(service.process->Target(), pool,
                   {.arrivals = OpenLoop{.per_second = per_second}, .connections = 4});
}

void Add(Report& report, const std::string& name, double value, const std::string& unit) {
  report.Add({.section = kServiceSection, .name = name, .value = value, .unit = unit});
}

absl::Status MeasureGoodput(LoadedService& service, const LoadEffort& effort, double saturation,
                            Report& report) {
  ASSIGN_OR_RETURN(const auto load,
                   StartOpenLoad(service, service.pool, kFloodOfSaturation * saturation));
  std::this_thread::sleep_for(effort.window.warm_up);
  const LoadResult result = load->Measure(effort.window.duration);
  RETURN_IF_ERROR(CheckOpenLoad(service, result));
  const double refusals = Refusals(result);
  report.Add({.section = kServiceSection,
              .name = "flood: certificates/s at three times saturation",
              .value = result.CertificatesPerSecond(),
              .unit = "certificates/s",
              .floor = saturation,
              .floor_is = "rate at saturation",
              .target = TargetId::kGoodput});
  Add(report, "flood: requests sent", result.CertificatesPerSecond() + refusals / result.seconds,
      "requests/s");
  Add(report, "flood: p99 of those that were not refused",
      result.latencies.QuantileMicroseconds(0.99), "us");
  Add(report, "flood: generator's own delay, p99", result.delays.QuantileMicroseconds(0.99), "us");
  return absl::OkStatus();
}

// Pools of one tenant each.
absl::StatusOr<PreparedRequests> PoolOf(const std::string& tenant_id) {
  return PreparedRequests::Make({.tenant_ids = {tenant_id}, .requests = 500});
}

absl::Status MeasureFairness(LoadedService& service, const LoadEffort& effort, double saturation,
                             bool quick, Report& report) {
  ASSIGN_OR_RETURN(const PreparedRequests quiet_pool, PoolOf("t0"));
  ASSIGN_OR_RETURN(const PreparedRequests moderate_pool, PoolOf("t1"));
  ASSIGN_OR_RETURN(const PreparedRequests flood_pool, PoolOf("t2"));
  ASSIGN_OR_RETURN(const auto moderate,
                   StartOpenLoad(service, moderate_pool, kModerateOfSaturation * saturation));
  ASSIGN_OR_RETURN(const auto quiet, StartOpenLoad(service, quiet_pool, kQuietPerSecond));
  LatencyHistogram without, with;
  double refusals = 0;
  // In turns, so that both meet the same noise.
  for (int turn = 0; turn < (quick ? 1 : kTurns); ++turn) {
    for (LatencyHistogram* latencies : {&without, &with}) {
      std::unique_ptr<LoadGenerator> flood;
      if (latencies == &with) {
        ASSIGN_OR_RETURN(flood,
                         StartOpenLoad(service, flood_pool, kFloodOfSaturation * saturation));
      }
      std::this_thread::sleep_for(effort.window.warm_up);
      const LoadResult result = quiet->Measure(effort.window.duration);
      RETURN_IF_ERROR(CheckOpenLoad({nullptr, quiet_pool, service.roots}, result));
      refusals += Refusals(result);
      latencies->Add(result.latencies);
    }
  }
  const double base = without.QuantileMicroseconds(0.99);
  Add(report, "fairness: a quiet tenant's median beside a moderate one",
      without.QuantileMicroseconds(0.5), "us");
  Add(report, "fairness: its median while a third floods", with.QuantileMicroseconds(0.5), "us");
  report.Add({.section = kServiceSection,
              .name = "fairness: its p99 while a third floods",
              .value = with.QuantileMicroseconds(0.99),
              .unit = "us",
              .floor = base,
              .floor_is = "p99 without the flood",
              .target = TargetId::kFairness});
  report.Add({.section = kServiceSection,
              .name = "fairness: its requests that were refused",
              .value = refusals,
              .unit = "requests",
              .target = TargetId::kErrors});
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureAdmission(const Options& options, const LoadEffort& effort, Report& report) {
  Progress("  flood and fairness");
  const std::vector<int> all = UsableProcessors();
  const auto half = static_cast<std::ptrdiff_t>(all.size() / 2);
  const std::vector<int> ours(all.begin(), all.begin() + half);
  const std::vector<int> theirs(all.begin() + half, all.end());
  ASSIGN_OR_RETURN(LoadedService service,
                   StartService({.program = options.hourglassd, .processors = theirs}, v1::EC_P256,
                                std::max(3, effort.tenants)));
  ConfineThisProcess(ours);
  const absl::Cleanup release = [&all] { ConfineThisProcess(all); };
  ASSIGN_OR_RETURN(const Saturation saturation, Saturate(service, effort));
  const double rate = saturation.cost.load.CertificatesPerSecond();
  Add(report, "flood: rate at saturation, on half of the processors", rate, "certificates/s");
  RETURN_IF_ERROR(MeasureGoodput(service, effort, rate, report));
  RETURN_IF_ERROR(MeasureFairness(service, effort, rate, options.quick, report));
  return service.process->Stop();
}

}  // namespace hourglass::bench
