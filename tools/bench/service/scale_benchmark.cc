#include "tools/bench/service/scale_benchmark.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tools/bench/load/idle_brokers.h"
#include "tools/bench/service/saturation.h"
#include "tools/bench/service/scratch.h"
#include "tools/bench/service/sized_service.h"

namespace hourglass::bench {
namespace {

constexpr char kSection[] = "scale";
constexpr int kOutstanding = 128;
// What the targets are about.
constexpr int kMostTenants = 10'000;
constexpr std::int64_t kMostRecords = 10'000'000;

struct ScaleEffort {
  LoadWindow window;
  int turns;   // of which the median counts
  int starts;  // the same
  int divisor;
};

ScaleEffort ScaleEffortOf(bool quick) {
  using std::chrono::milliseconds;
  if (quick) return {{milliseconds(200), milliseconds(400)}, 1, 1, 20};
  return {{milliseconds(500), milliseconds(3000)}, 3, 3, 1};
}

// `10 000`, `10 million`.
std::string Words(std::int64_t number) {
  if (number >= 1'000'000 && number % 1'000'000 == 0) {
    return absl::StrCat(number / 1'000'000, " million");
  }
  if (number < 1000) return absl::StrCat(number);
  const std::string rest = absl::StrCat(number % 1000 + 1000).substr(1);
  return absl::StrCat(number / 1000, " ", rest);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Add(Report& report, const std::string& name, double value, const std::string& unit,
         std::optional<TargetId> target = std::nullopt) {
  report.Add({.section = kSection, .name = name, .value = value, .unit = unit, .target = target});
}

class Scale {
 public:
  Scale(const Options& options, Report& report)
      : options_(options), effort_(ScaleEffortOf(options.quick)), report_(report) {}

  absl::Status Measure() {
    RaiseFileLimit();
    Progress("  1 tenant, no records");
    ASSIGN_OR_RETURN(smallest_, StartSized(options_.hourglassd, {}, effort_.starts));
    Add(report_, "1 tenant: first certificate after the start", smallest_.start_seconds, "s");
    absl::Status status;
    // Where it is only to be seen that it works, the small ones show nothing more.
    if (!options_.quick) {
      status.Update(MeasureTenants(1000));
      status.Update(MeasureBrokers(100));
      status.Update(MeasureRecords(1'000'000));
    }
    status.Update(MeasureTenants(kMostTenants));
    status.Update(MeasureBrokers(10'000));
    status.Update(MeasureRecords(kMostRecords));
    status.Update(smallest_.service.process->Stop());
    return status;
  }

 private:
  absl::Status MeasureTenants(int wanted) {
    const int tenants = wanted / effort_.divisor;
    const std::string name = absl::StrCat(Words(tenants), " tenants × 3 roots");
    Progress(absl::StrCat("  ", name));
    ASSIGN_OR_RETURN(SizedService sized,
                     StartSized(options_.hourglassd, {.tenants = tenants}, effort_.starts));
    const bool largest = wanted == kMostTenants;
    RETURN_IF_ERROR(Compare(name, sized.service, largest));
    ReportStart(name, sized, largest);
    Add(report_, absl::StrCat(name, ": server CPU for a tenant's first certificate"),
        sized.first_touch, "us");
    Add(report_, absl::StrCat(name, ": memory"), ResidentMegabytes(sized.service.process->pid()),
        "MB", largest ? std::optional(TargetId::kMemoryOfTenants) : std::nullopt);
    return sized.service.process->Stop();
  }

  absl::Status MeasureRecords(std::int64_t wanted) {
    const std::int64_t records = options_.quick ? wanted / 5000 : wanted;
    const std::string name = absl::StrCat(Words(records), " journal records");
    Progress(absl::StrCat("  ", name));
    auto sized = StartSized(options_.hourglassd, {.journal_records = records}, effort_.starts);
    if (absl::IsResourceExhausted(sized.status())) {
      Progress(absl::StrCat("  not measured: ", std::string(sized.status().message())));
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(sized.status());
    const bool largest = wanted == kMostRecords;
    RETURN_IF_ERROR(Compare(name, sized->service, largest));
    ReportStart(name, *sized, largest);
    Add(report_, absl::StrCat(name, ": memory"), ResidentMegabytes(sized->service.process->pid()),
        "MB");
    return sized->service.process->Stop();
  }

  // Beside a service like the smallest, for memory and connections come and go.
  absl::Status MeasureBrokers(int wanted) {
    const int brokers = wanted / effort_.divisor;
    const std::string name = absl::StrCat(Words(brokers), " connected brokers");
    Progress(absl::StrCat("  ", name));
    ASSIGN_OR_RETURN(SizedService sized, StartSized(options_.hourglassd, {}, 1));
    const double memory = ResidentMegabytes(sized.service.process->pid());
    auto idle = IdleBrokers::Connect(sized.service.process->Target(), brokers);
    if (absl::IsResourceExhausted(idle.status())) {
      Progress(absl::StrCat("  not measured: ", std::string(idle.status().message())));
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(idle.status());
    const double connected = ResidentMegabytes(sized.service.process->pid());
    RETURN_IF_ERROR(Compare(name, sized.service, /*judged=*/false));
    if (idle->Connected() != brokers) {
      return absl::InternalError(absl::StrCat("only ", idle->Connected(), " of ", brokers,
                                              " brokers are still connected"));
    }
    Add(report_, absl::StrCat(name, ": memory"), ResidentMegabytes(sized.service.process->pid()),
        "MB");
    Add(report_, absl::StrCat(name, ": memory for each"), (connected - memory) * 1e3 / brokers,
        "kB");
    return sized.service.process->Stop();
  }

  // In turns with the smallest, so that both meet the same noise.
  absl::Status Compare(const std::string& name, LoadedService& service, bool judged) {
    std::vector<double> ours, smallest, rates;
    for (int turn = 0; turn < effort_.turns; ++turn) {
      ASSIGN_OR_RETURN(const LoadCost base,
                       MeasureCost(smallest_.service, ClosedLoad(kOutstanding), effort_.window));
      ASSIGN_OR_RETURN(const LoadCost cost,
                       MeasureCost(service, ClosedLoad(kOutstanding), effort_.window));
      smallest.push_back(base.server);
      ours.push_back(cost.server);
      rates.push_back(cost.load.CertificatesPerSecond());
    }
    Figure figure = {.section = kSection,
                     .name = absl::StrCat(name, ": server CPU per certificate"),
                     .value = Median(ours),
                     .unit = "us",
                     .floor = Median(smallest),
                     .floor_is = "with 1 tenant and no records"};
    if (judged) figure.target = TargetId::kCostAtScale;
    report_.Add(figure);
    Add(report_, absl::StrCat(name, ": rate"), Median(rates), "certificates/s");
    return absl::OkStatus();
  }

  void ReportStart(const std::string& name, const SizedService& sized, bool judged) {
    Figure figure = {.section = kSection,
                     .name = absl::StrCat(name, ": first certificate after the start"),
                     .value = sized.start_seconds,
                     .unit = "s",
                     .floor = 2 * smallest_.start_seconds + 1,
                     .floor_is = "2 × with 1 tenant, + 1 s"};
    if (judged) figure.target = TargetId::kStartAtScale;
    report_.Add(figure);
  }

  const Options& options_;
  const ScaleEffort effort_;
  Report& report_;
  SizedService smallest_;  // that all others are compared with
};

}  // namespace

absl::Status MeasureScale(const Options& options, Report& report) {
  const TemporaryDirectoriesIn scratch(options.scratch_directory);
  return Scale(options, report).Measure();
}

}  // namespace hourglass::bench
