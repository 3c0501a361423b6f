#include "tools/bench/replicas/cell_figures.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/bench/report/chart.h"
#include "tools/bench/report/options.h"

namespace hourglass::bench {
namespace {

constexpr char kSection[] = "replicas";

double RateOf(const MeasuredCell& cell) { return cell.saturated.load.CertificatesPerSecond(); }

double MedianAlone(const MeasuredCell& cell) {
  return cell.alone.load.latencies.QuantileMicroseconds(0.5);
}

// What others took, and the kernel on nobody's account. Clocks of different fineness may give less
// than nothing.
double OthersOf(const CellCounters& each) {
  return std::max(0.0, each.machine - each.AllProcesses());
}

const MeasuredCell* OneReplica(const std::vector<MeasuredCell>& cells) {
  for (const MeasuredCell& cell : cells) {
    if (cell.has_postgresql && !cell.has_standby && cell.replicas == 1) return &cell;
  }
  return nullptr;
}

class CellReport {
 public:
  CellReport(const MeasuredCell& cell, Report& report) : cell_(cell), report_(report) {}

  void AddRate(std::optional<double> one_replica) {
    report_.Add({.section = kSection,
                 .name = absl::StrCat(cell_.name, ": rate at saturation"),
                 .value = RateOf(cell_),
                 .unit = "certificates/s",
                 .floor = one_replica,
                 .floor_is = one_replica.has_value() ? "one replica" : ""});
  }

  void AddProcessors(int processors) {
    const CellCounters& each = cell_.saturated.each;
    Add("requests under way at saturation", cell_.outstanding, "requests");
    Add("processors in use at saturation", cell_.saturated.busy, "of all");
    Add("hourglassd's CPU per certificate", each.hourglassd, "us");
    if (cell_.has_postgresql) Add("PostgreSQL's CPU per certificate", each.postgresql, "us");
    if (cell_.has_standby) Add("the standby's CPU per certificate", each.standby, "us");
    Add("load generator's CPU per certificate", each.generator, "us");
    report_.Add({.section = kSection,
                 .name = absl::StrCat(cell_.name, ": CPU of all processes per certificate"),
                 .value = each.AllProcesses(),
                 .unit = "us",
                 .floor = processors * 1e6 / RateOf(cell_),
                 .floor_is = "processors ÷ rate"});
    Add("CPU of everything else on the machine per certificate", OthersOf(each), "us");
  }

  void AddDatabase() {
    if (!cell_.has_postgresql) return;
    const CellCounters& each = cell_.saturated.each;
    Add("write-ahead log per certificate", each.log_octets, "octets");
    Add("commits per certificate", each.commits, "commits");
    Add("records in a transaction that writes", RecordsPerWrite(each), "records");
  }

  void AddAlone() {
    const CellCounters& each = cell_.alone.each;
    Add("median of one request at a time", MedianAlone(cell_), "us");
    Add("hourglassd's CPU per certificate, one request at a time", each.hourglassd, "us");
    if (!cell_.has_postgresql) return;
    Add("PostgreSQL's CPU per certificate, one request at a time", each.postgresql, "us");
    Add("write-ahead log per certificate, one request at a time", each.log_octets, "octets");
    Add("transactions that write per certificate, one request at a time", each.writes,
        "transactions");
  }

  // Only one replica's two measurements are of the same cell but for the size of groups.
  void AddWriteCost() {
    const auto cost = WriteCostOf(cell_.alone.each, cell_.saturated.each);
    if (!cost.has_value()) {
      Progress(absl::StrCat("  ", cell_.name,
                            ": PostgreSQL's CPU for a transaction left out: groups are as small at "
                            "saturation as with one request at a time"));
      return;
    }
    Add("PostgreSQL's CPU for a transaction that writes", cost->write, "us");
    Add("PostgreSQL's CPU for a certificate beside its transactions", cost->certificate, "us");
  }

 private:
  void Add(const std::string& name, double value, const std::string& unit) {
    report_.Add({.section = kSection,
                 .name = absl::StrCat(cell_.name, ": ", name),
                 .value = value,
                 .unit = unit});
  }

  const MeasuredCell& cell_;
  Report& report_;
};

// The rate of one replica, where that of this cell can be set against it.
std::optional<double> ComparableRate(const MeasuredCell& cell, const MeasuredCell* one,
                                     int processors) {
  if (one == nullptr || !cell.has_postgresql || cell.has_standby || cell.replicas == 1) return {};
  const int wanted = cell.replicas + 2;
  if (processors >= wanted) return RateOf(*one);
  Progress(absl::StrCat("  ", cell.name, ": the rate is not set against that of one replica: ",
                        wanted, " processors are needed, there are ", processors));
  return {};
}

Chart RateChart(const std::vector<MeasuredCell>& cells) {
  Chart chart = {.name = "replicas",
                 .title = "Certificates a second by replicas",
                 .x = {"replicas"},
                 .y = {"certificates/s"}};
  Series by_replicas{.name = "PostgreSQL"};
  std::vector<Series> others;
  for (const MeasuredCell& cell : cells) {
    absl::StrAppendFormat(&chart.alternative, "%s: %.0f. ", cell.name, RateOf(cell));
    if (cell.has_postgresql && !cell.has_standby) {
      by_replicas.x.push_back(cell.replicas);
      by_replicas.y.push_back(RateOf(cell));
    } else {
      // A level: of itself a point would not be seen.
      others.push_back({.name = cell.name, .x = {0, 1}, .y = {RateOf(cell), RateOf(cell)}});
    }
  }
  chart.series.push_back(std::move(by_replicas));
  for (Series& other : others) {
    other.x[1] = chart.series[0].x.empty() ? 1 : chart.series[0].x.back();
    chart.series.push_back(std::move(other));
  }
  absl::StripTrailingAsciiWhitespace(&chart.alternative);
  return chart;
}

Chart CostChart(const std::vector<MeasuredCell>& cells) {
  Chart chart = {.name = "replica-costs",
                 .title = "Where the microseconds of a certificate go, with replicas",
                 .x = {"CPU us per certificate"},
                 .series = {{"hourglassd"},
                            {"PostgreSQL"},
                            {"its standby"},
                            {"load generator"},
                            {"everything else"}}};
  for (const MeasuredCell& cell : cells) {
    const CellCounters& each = cell.saturated.each;
    chart.bars.push_back(cell.name);
    const double parts[] = {each.hourglassd, each.postgresql, each.standby, each.generator,
                            OthersOf(each)};
    for (std::size_t i = 0; i < chart.series.size(); ++i) chart.series[i].y.push_back(parts[i]);
    absl::StrAppendFormat(&chart.alternative,
                          "%s: %.0f us in hourglassd, %.0f in PostgreSQL, %.0f in its standby, "
                          "%.0f in the load generator, %.0f elsewhere. ",
                          cell.name, parts[0], parts[1], parts[2], parts[3], parts[4]);
  }
  absl::StripTrailingAsciiWhitespace(&chart.alternative);
  return chart;
}

}  // namespace

void ReportCells(const std::vector<MeasuredCell>& cells, int processors, Report& report) {
  if (cells.empty()) return;
  const MeasuredCell* one = OneReplica(cells);
  for (const MeasuredCell& cell : cells) {
    CellReport reported(cell, report);
    reported.AddRate(ComparableRate(cell, one, processors));
    reported.AddProcessors(processors);
    reported.AddDatabase();
    reported.AddAlone();
    if (&cell == one) reported.AddWriteCost();
  }
  report.Add(RateChart(cells));
  report.Add(CostChart(cells));
}

}  // namespace hourglass::bench
