#include "tools/bench/service/admission_benchmark.h"

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
// A connection carries as many calls at once as the service allows, 256: a flood takes more than
// that and its queue hold.
constexpr int kFloodConnections = 32;
// Of what was sent so late one cannot tell when it was asked for.
constexpr double kLateMicroseconds = 50'000;

absl::StatusOr<std::unique_ptr<LoadGenerator>> StartOpenLoad(LoadedService& service,
                                                             const PreparedRequests& pool,
                                                             double per_second,
                                                             int connections = 4) {
  return StartLoad(service.process->Target(), pool,
                   {.arrivals = OpenLoop{.per_second = per_second}, .connections = connections});
}

void Add(Report& report, const std::string& name, double value, const std::string& unit) {
  report.Add({.section = kServiceSection, .name = name, .value = value, .unit = unit});
}

// The generator could not send what it was to, so that nothing is known of the service.
bool IsOutOfProcessors(const LoadResult& load) {
  return load.errors.count(kTooManyUnderWay) > 0 ||
         load.delays.QuantileMicroseconds(0.99) > kLateMicroseconds;
}

// Of one window.
struct Flood {
  LoadResult load;
  double server_microseconds = 0;
};

// UNAVAILABLE where the generator is out of processors.
absl::StatusOr<Flood> RunFlood(LoadedService& service, const LoadEffort& effort,
                               double per_second) {
  ASSIGN_OR_RETURN(const auto load,
                   StartOpenLoad(service, service.pool, per_second, kFloodConnections));
  std::this_thread::sleep_for(effort.window.warm_up);
  const double before = CpuMicroseconds(service.process->pid());
  load->Begin();
  std::this_thread::sleep_for(effort.window.duration);
  WaitForACertificate(*load);
  const double after = CpuMicroseconds(service.process->pid());
  Flood flood = {load->End(), after - before};
  if (IsOutOfProcessors(flood.load)) {
    return absl::UnavailableError("the load generator has too few processors to send so many");
  }
  RETURN_IF_ERROR(CheckOpenLoad(service, flood.load));
  return flood;
}

absl::Status MeasureGoodput(const std::string& name, LoadedService& service,
                            const LoadEffort& effort, const LoadCost& saturation, Report& report) {
  const double rate = saturation.load.CertificatesPerSecond();
  const auto flood = RunFlood(service, effort, kFloodOfSaturation * rate);
  if (absl::IsUnavailable(flood.status())) {
    Progress(absl::StrCat("  ", name, ": not measured: ", std::string(flood.status().message())));
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(flood.status());
  const LoadResult& load = flood->load;
  const double refusals = Refusals(load);
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(name, ": certificates/s at three times saturation"),
              .value = load.CertificatesPerSecond(),
              .unit = "certificates/s",
              .floor = rate,
              .floor_is = "rate at saturation",
              .target = TargetId::kGoodput});
  Add(report, absl::StrCat(name, ": requests sent"),
      load.CertificatesPerSecond() + refusals / load.seconds, "requests/s");
  if (refusals > 0) {
    const double certificates = static_cast<double>(load.certificates) * saturation.server;
    Add(report, absl::StrCat(name, ": server CPU per refusal"),
        (flood->server_microseconds - certificates) / refusals, "us");
  }
  Add(report, absl::StrCat(name, ": p99 of those that were not refused"),
      load.latencies.QuantileMicroseconds(0.99), "us");
  Add(report, absl::StrCat(name, ": generator's own delay, p99"),
      load.delays.QuantileMicroseconds(0.99), "us");
  return absl::OkStatus();
}

// Pools of one tenant each.
absl::StatusOr<PreparedRequests> PoolOf(const std::string& tenant_id) {
  return PreparedRequests::Make({.tenant_ids = {tenant_id}, .requests = 500});
}

// What a quiet tenant's requests take beside a moderate one, and while a third floods as well.
struct Fairness {
  LatencyHistogram without, with;
  double refusals = 0;  // of the quiet tenant's
};

absl::StatusOr<Fairness> RunFairness(LoadedService& service, const LoadEffort& effort,
                                     double saturation, int turns) {
  ASSIGN_OR_RETURN(const PreparedRequests quiet_pool, PoolOf("t0"));
  ASSIGN_OR_RETURN(const PreparedRequests moderate_pool, PoolOf("t1"));
  ASSIGN_OR_RETURN(const PreparedRequests flood_pool, PoolOf("t2"));
  ASSIGN_OR_RETURN(const auto moderate,
                   StartOpenLoad(service, moderate_pool, kModerateOfSaturation * saturation));
  ASSIGN_OR_RETURN(const auto quiet, StartOpenLoad(service, quiet_pool, kQuietPerSecond));
  Fairness fairness;
  // In turns, so that both meet the same noise.
  for (int turn = 0; turn < turns; ++turn) {
    for (LatencyHistogram* latencies : {&fairness.without, &fairness.with}) {
      std::unique_ptr<LoadGenerator> flood;
      if (latencies == &fairness.with) {
        ASSIGN_OR_RETURN(flood, StartOpenLoad(service, flood_pool, kFloodOfSaturation * saturation,
                                              kFloodConnections));
      }
      std::this_thread::sleep_for(effort.window.warm_up);
      if (flood != nullptr) flood->Begin();
      const LoadResult result = quiet->Measure(effort.window.duration);
      if (flood != nullptr && IsOutOfProcessors(flood->End())) {
        return absl::UnavailableError("the load generator has too few processors to send so many");
      }
      RETURN_IF_ERROR(CheckOpenLoad({nullptr, quiet_pool, service.roots}, result));
      fairness.refusals += Refusals(result);
      latencies->Add(result.latencies);
    }
  }
  return fairness;
}

absl::Status MeasureFairness(const std::string& name, LoadedService& service,
                             const LoadEffort& effort, double saturation, bool quick,
                             Report& report) {
  const auto fairness = RunFairness(service, effort, saturation, quick ? 1 : kTurns);
  if (absl::IsUnavailable(fairness.status())) {
    Progress(
        absl::StrCat("  ", name, ": not measured: ", std::string(fairness.status().message())));
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(fairness.status());
  Add(report, absl::StrCat(name, ": a quiet tenant's median beside a moderate one"),
      fairness->without.QuantileMicroseconds(0.5), "us");
  Add(report, absl::StrCat(name, ": its median while a third floods"),
      fairness->with.QuantileMicroseconds(0.5), "us");
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(name, ": its p99 while a third floods"),
              .value = fairness->with.QuantileMicroseconds(0.99),
              .unit = "us",
              .floor = fairness->without.QuantileMicroseconds(0.99),
              .floor_is = "p99 without the flood",
              .target = TargetId::kFairness});
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(name, ": its requests that were refused"),
              .value = fairness->refusals,
              .unit = "requests",
              .target = TargetId::kErrors});
  return absl::OkStatus();
}

// Service and generator on half of the processors each, so that neither takes the other's time.
absl::Status MeasureWithRoot(const std::string& type_name, v1::KeyType root_type,
                             const Options& options, const LoadEffort& effort, Report& report) {
  const std::vector<int> all = UsableProcessors();
  const auto half = static_cast<std::ptrdiff_t>(all.size() / 2);
  const std::vector<int> ours(all.begin(), all.begin() + half);
  const std::vector<int> theirs(all.begin() + half, all.end());
  ASSIGN_OR_RETURN(LoadedService service,
                   StartService({.program = options.hourglassd, .processors = theirs}, root_type,
                                std::max(3, effort.tenants)));
  ConfineThisProcess(ours);
  const absl::Cleanup release = [&all] { ConfineThisProcess(all); };
  ASSIGN_OR_RETURN(const Saturation saturation, Saturate(service, effort));
  const double rate = saturation.cost.load.CertificatesPerSecond();
  const std::string flood = absl::StrCat("flood, ", type_name);
  Add(report, absl::StrCat(flood, ": rate at saturation, on half of the processors"), rate,
      "certificates/s");
  RETURN_IF_ERROR(MeasureGoodput(flood, service, effort, saturation.cost, report));
  RETURN_IF_ERROR(MeasureFairness(absl::StrCat("fairness, ", type_name), service, effort, rate,
                                  options.quick, report));
  return service.process->Stop();
}

}  // namespace

absl::Status MeasureAdmission(const Options& options, const LoadEffort& effort, Report& report) {
  Progress("  flood and fairness");
  // The longer a signature takes, the less a refusal costs beside it, and the more likely a
  // generator on the same machine is to send enough of them.
  absl::Status status = MeasureWithRoot("RSA-2048", v1::RSA_2048, options, effort, report);
  if (!options.quick) {
    status.Update(MeasureWithRoot("P-256", v1::EC_P256, options, effort, report));
  }
  return status;
}

}  // namespace hourglass::bench
