#include "tools/bench/service/promotion_benchmark.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
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

constexpr char kName[] = "promotion, software P-256";
constexpr char kTenant[] = "t0";
constexpr double kOfSaturation = 0.5;

struct PromotionEffort {
  // With the primary, fewer than issuing.max_roots: none can be retired meanwhile.
  int promotions;
  std::chrono::milliseconds before;  // each one
  std::chrono::milliseconds around;  // each one, half before its middle and half after it
};

PromotionEffort PromotionEffortOf(bool quick) {
  using std::chrono::milliseconds;
  if (quick) return {2, milliseconds(400), milliseconds(400)};
  return {10, milliseconds(4000), milliseconds(1000)};
}

// Of all promotions together.
struct Measured {
  LatencyHistogram promotions;  // what each took
  LatencyHistogram before, around;
  LatencyHistogram delays;  // the generator's own
  double seconds = 0;
  LoadResult load;  // certificates, errors and asked_again alone
};

struct Moments {
  LoadClock::time_point asked, answered;
};

absl::StatusOr<Moments> Promote(v1::RootService::Stub& stub, const v1::Root& staged) {
  v1::Root root;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kLoadDeadline);
  Moments moments = {LoadClock::now(), {}};
  const grpc::Status status = stub.PromoteRoot(&context, ServiceClient::PromotionOf(staged), &root);
  moments.answered = LoadClock::now();
  if (status.ok() && root.state() == v1::PRIMARY) return moments;
  return absl::InternalError(
      absl::StrCat("the promotion of ", staged.root_id(), " failed: ", status.error_message()));
}

void Add(const LoadResult& result, LoadClock::time_point begin, const Moments& promotion,
         LoadClock::duration around, Measured& measured) {
  const LoadClock::time_point middle = promotion.asked + (promotion.answered - promotion.asked) / 2;
  // All of the promotion, also where it takes longer than that.
  const auto from = std::min(promotion.asked, middle - around / 2);
  const auto until = std::max(promotion.answered, middle + around / 2);
  measured.promotions.Add(promotion.answered - promotion.asked);
  measured.before.Add(result.LatenciesBetween(begin, from));
  measured.around.Add(result.LatenciesBetween(from, until));
  measured.delays.Add(result.delays);
  measured.seconds += result.seconds;
  measured.load.certificates += result.certificates;
  measured.load.asked_again += result.asked_again;
  for (const auto& [reason, count] : result.errors) measured.load.errors[reason] += count;
}

// One promotion, in the middle of a window of `load`.
absl::Status MeasureOne(LoadedService& service, LoadGenerator& load, v1::RootService::Stub& stub,
                        const v1::Root& staged, const PromotionEffort& effort, Measured& measured) {
  load.Begin();
  const LoadClock::time_point begin = LoadClock::now();
  std::this_thread::sleep_for(effort.before);
  WaitForACertificate(load);
  std::this_thread::sleep_for(effort.around / 2);
  ASSIGN_OR_RETURN(const Moments promotion, Promote(stub, staged));
  std::this_thread::sleep_until(promotion.answered + effort.around / 2);
  const LoadResult result = load.End();
  PromotedRoots roots = {service.roots, service.roots, promotion.answered};
  roots.after[kTenant] = staged.certificate();
  RETURN_IF_ERROR(CheckSamples(result, service.pool, roots));
  service.roots = std::move(roots.after);
  Add(result, begin, promotion, effort.around, measured);
  return absl::OkStatus();
}

absl::StatusOr<Measured> PromoteAll(LoadedService& service, const LoadOptions& options,
                                    std::chrono::milliseconds warm_up,
                                    const PromotionEffort& effort) {
  std::vector<v1::Root> staged;
  for (int i = 0; i < effort.promotions; ++i) {
    staged.push_back(service.process->CreateRoot(kTenant, /*make_primary=*/false));
  }
  // Connected by then: a handshake is no part of a promotion.
  const auto stub = service.process->As<v1::RootService>(kAdministrator);
  ASSIGN_OR_RETURN(const auto load, StartLoad(service.process->Target(), service.pool, options));
  std::this_thread::sleep_for(warm_up);
  Measured measured;
  for (const v1::Root& root : staged) {
    RETURN_IF_ERROR(MeasureOne(service, *load, *stub, root, effort, measured));
  }
  return measured;
}

double CountOf(const LoadResult& load, const std::string& reason) {
  const auto found = load.errors.find(reason);
  return found == load.errors.end() ? 0 : static_cast<double>(found->second);
}

void AddFigures(const Measured& measured, Report& report) {
  const auto add = [&report](const std::string& name, double value, const std::string& unit) {
    report.Add({.section = kServiceSection,
                .name = absl::StrCat(kName, ": ", name),
                .value = value,
                .unit = unit});
  };
  double failed = 0;
  for (const auto& error : measured.load.errors) failed += static_cast<double>(error.second);
  add("promotions made", static_cast<double>(measured.promotions.count()), "promotions");
  add("median of what one takes", measured.promotions.QuantileMicroseconds(0.5), "us");
  add("longest", measured.promotions.QuantileMicroseconds(1), "us");
  add("rate meanwhile", static_cast<double>(measured.load.certificates) / measured.seconds,
      "certificates/s");
  add("refused with PRIMARY_CHANGED",
      static_cast<double>(measured.load.asked_again) + CountOf(measured.load, kPrimaryChanged),
      "requests");
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(kName, ": requests that failed"),
              .value = failed,
              .unit = "requests",
              .target = TargetId::kPromotionErrors});
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(kName, ": p99 of the second around one"),
              .value = measured.around.QuantileMicroseconds(0.99),
              .unit = "us",
              .floor = measured.before.QuantileMicroseconds(0.99),
              .floor_is = "p99 of the seconds before",
              .target = TargetId::kPromotionLatency});
  add("generator's own delay, p99", measured.delays.QuantileMicroseconds(0.99), "us");
}

absl::Status CheckErrors(const LoadResult& load) {
  if (load.errors.size() == load.errors.count(kOverloaded)) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("errors beside ", load.certificates,
                                          " certificates around promotions: ", load.ErrorText()));
}

}  // namespace

absl::Status MeasurePromotions(const Options& options, const LoadEffort& effort, Report& report) {
  Progress(absl::StrCat("  ", kName));
  const std::vector<int> all = UsableProcessors();
  const auto half = static_cast<std::ptrdiff_t>(all.size() / 2);
  const std::vector<int> ours(all.begin(), all.begin() + half);
  const std::vector<int> theirs(all.begin() + half, all.end());
  // All requests are of the tenant whose root is promoted: of others fewer would meet it.
  ASSIGN_OR_RETURN(LoadedService service,
                   StartService({.program = options.hourglassd, .processors = theirs}, v1::EC_P256,
                                /*tenants=*/1));
  ConfineThisProcess(ours);
  const absl::Cleanup release = [&all] { ConfineThisProcess(all); };
  ASSIGN_OR_RETURN(const Saturation saturation, Saturate(service, effort));
  LoadOptions load = ClosedLoad(1);
  load.arrivals =
      OpenLoop{.per_second = kOfSaturation * saturation.cost.load.CertificatesPerSecond()};
  load.asks_again = true;
  load.keeps_times = true;
  ASSIGN_OR_RETURN(const Measured measured, PromoteAll(service, load, effort.window.warm_up,
                                                       PromotionEffortOf(options.quick)));
  AddFigures(measured, report);
  RETURN_IF_ERROR(CheckErrors(measured.load));
  return service.process->Stop();
}

}  // namespace hourglass::bench
