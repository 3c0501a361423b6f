#include "tools/bench/service/token_benchmark.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tools/bench/load/request_tokens.h"
#include "tools/bench/service/floor.h"
#include "tools/bench/service/saturation.h"
#include "tools/bench/service/scratch.h"

namespace hourglass::bench {
namespace {

constexpr char kSection[] = "tokens";
constexpr int kTurns = 3;
// How many more tokens there are than would be needed at the rate without them.
constexpr double kSpare = 1.3;
constexpr int kTries = 4;

double Seconds(const LoadWindow& window) {
  return std::chrono::duration<double>(window.warm_up + window.duration).count();
}

// One window at most of so many certificates a second. The tokens are signed before it; where it
// was faster than that, it is measured again with twice as many.
absl::StatusOr<LoadCost> MeasureWithTokens(LoadedService& service, const RequestTokens& tokens,
                                           int tenants, LoadOptions load, double per_second,
                                           const LoadWindow& window) {
  load.each_once = true;
  double requests = per_second * Seconds(window) * kSpare + 1000;
  for (int i = 1;; ++i) {
    Progress(absl::StrCat("  signing ", static_cast<int>(requests), " tokens"));
    ASSIGN_OR_RETURN(service.pool, PreparedRequests::Make({.tenant_ids = TenantIds(tenants),
                                                           .devices_per_tenant = kDevicesOfATenant,
                                                           .requests = static_cast<int>(requests),
                                                           .tokens = &tokens}));
    absl::StatusOr<LoadCost> cost = MeasureCost(service, load, window);
    if (cost.ok() || i == kTries || !absl::StrContains(cost.status().message(), kPoolUsedUp)) {
      return cost;
    }
    requests *= 2;
  }
}

// Of one of the two services, all its windows.
class Side {
 public:
  Side(std::string name, Asserted asserted)
      : name_(std::move(name)), floor_(hsm::KeyType::kEcP256, asserted) {}

  absl::Status MeasureFloor(std::chrono::milliseconds duration) { return floor_.Measure(duration); }
  void Add(LoadCost cost) { costs_.push_back(std::move(cost)); }

  // Of the window whose server CPU is in the middle.
  void Report(const char* floor_is, std::optional<TargetId> target, bench::Report& report) {
    std::sort(costs_.begin(), costs_.end(),
              [](const LoadCost& a, const LoadCost& b) { return a.server < b.server; });
    const LoadCost& cost = costs_[costs_.size() / 2];
    report.Add({.section = kSection,
                .name = absl::StrCat(name_, ": server CPU per certificate"),
                .value = cost.server,
                .unit = "us",
                .floor = floor_.Microseconds(),
                .floor_is = floor_is,
                .target = target});
    const auto add = [&](const char* what, double value, const char* unit) {
      report.Add({.section = kSection,
                  .name = absl::StrCat(name_, ": ", what),
                  .value = value,
                  .unit = unit});
    };
    add("rate at saturation", cost.load.CertificatesPerSecond(), "certificates/s");
    add("load generator's CPU per certificate", cost.generator, "us");
    add("memory at saturation", cost.server_memory, "MB");
  }

 private:
  const std::string name_;
  VerifyAndSignFloor floor_;
  std::vector<LoadCost> costs_;
};

// The same load on either, in turns.
absl::Status MeasureInTurns(LoadedService& with, LoadedService& without, const LoadEffort& effort,
                            const RequestTokens& tokens, int turns, Side& token, Side& broker) {
  ASSIGN_OR_RETURN(const Saturation saturation, Saturate(without, effort));
  const LoadOptions load = ClosedLoad(saturation.outstanding);
  double most = saturation.cost.load.CertificatesPerSecond();
  for (int turn = 0; turn < turns; ++turn) {
    RETURN_IF_ERROR(broker.MeasureFloor(effort.floor));
    ASSIGN_OR_RETURN(LoadCost cost, MeasureCost(without, load, effort.window));
    most = std::max(most, cost.load.CertificatesPerSecond());
    broker.Add(std::move(cost));
    ASSIGN_OR_RETURN(cost,
                     MeasureWithTokens(with, tokens, effort.tenants, load, most, effort.window));
    token.Add(std::move(cost));
    RETURN_IF_ERROR(token.MeasureFloor(effort.floor));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureTokens(const Options& options, Report& report) {
  const TemporaryDirectoriesIn scratch(options.scratch_directory);
  const LoadEffort effort = EffortOf(options.quick);
  const RequestTokens tokens;
  ASSIGN_OR_RETURN(LoadedService without,
                   StartService({.program = options.hourglassd}, v1::EC_P256, effort.tenants));
  ASSIGN_OR_RETURN(LoadedService with,
                   StartService({.program = options.hourglassd, .tokens = &tokens}, v1::EC_P256,
                                effort.tenants));
  Side broker("software P-256, without tokens", Asserted::kByBroker);
  Side token("software P-256, a token each", Asserted::kByToken);
  RETURN_IF_ERROR(
      MeasureInTurns(with, without, effort, tokens, options.quick ? 1 : kTurns, token, broker));
  RETURN_IF_ERROR(without.process->Stop());
  RETURN_IF_ERROR(with.process->Stop());
  broker.Report("verify and sign", std::nullopt, report);
  token.Report("verify, sign, verify the token", TargetId::kServiceTokens, report);
  return absl::OkStatus();
}

}  // namespace hourglass::bench
