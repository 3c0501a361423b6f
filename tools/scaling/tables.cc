#include "tools/scaling/tables.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tools/scaling/constants.h"
#include "tools/scaling/fleet.h"

namespace hourglass::scaling {
namespace {

constexpr double kSecondsOfADay = 86400;

std::string Row(const std::vector<std::string>& cells) {
  return absl::StrCat("| ", absl::StrJoin(cells, " | "), " |\n");
}

std::string Head(const std::vector<std::string>& names) {
  std::string rule = "|---|";
  for (std::size_t i = 1; i < names.size(); ++i) rule += "--:|";
  return absl::StrCat(Row(names), rule, "\n");
}

// Three digits; what is exact beyond them is not known.
std::string Number(double value) {
  if (std::isnan(value)) return "";
  if (value == 0) return "0";
  const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 2);
  const double rounded = unit >= 1 ? std::round(value / unit) * unit : value;
  const int decimals =
      std::clamp(2 - static_cast<int>(std::floor(std::log10(std::abs(value)))), 0, 4);
  return absl::StrFormat("%.*f", decimals, rounded);
}

std::string Percent(double share) { return absl::StrFormat("%.0f %%", share * 100); }

std::string Millions(double devices) {
  return devices >= 1e6 ? absl::StrFormat("%g million", devices / 1e6)
                        : absl::StrFormat("%.0f", devices);
}

std::vector<std::string> UseOf(const Use& use) {
  return {Percent(use.replica_cores), Percent(use.commits),  Percent(use.database_cores),
          Percent(use.flushes),       Percent(use.log_disk), Percent(use.hsm)};
}

std::vector<std::string> With(std::vector<std::string> first,
                              const std::vector<std::string>& then) {
  first.insert(first.end(), then.begin(), then.end());
  return first;
}

std::string LoadRow(const Question& question, const std::string& devices, const std::string& when,
                    double rate, int cells) {
  const Outcome one =
      Simulate(question.cell, {.per_second = rate / cells}, question.seed, question.span);
  return Row(
      With({devices, when, Number(rate), absl::StrCat(cells), Number(one.issued_per_second),
            Percent(one.refused_share), Number(one.median_us / 1000), Number(one.p99_us / 1000)},
           UseOf(one.use)));
}

}  // namespace

std::string CellTable(const Question& question) {
  const Outcome most = Saturate(question.cell, question.seed, question.span);
  std::string table = absl::StrCat(
      "A cell gives ", Number(most.issued_per_second),
      " certificates a second; what keeps it from more: ", FirstLimit(most.use), ".\n\n",
      Head({"devices", "when", "asked for /s", "cells", "a cell gives /s", "refused", "median ms",
            "p99 ms", "replicas' cores", "commits", "database's cores", "flushes", "log's disk",
            "HSM"}));
  for (const double devices : question.devices) {
    const double morning = MorningRate(devices, question.start_within);
    const int cells =
        question.cells > 0
            ? question.cells
            : static_cast<int>(std::ceil(morning / (question.fill * most.issued_per_second)));
    absl::StrAppend(&table,
                    LoadRow(question, Millions(devices), "steady", SteadyRate(devices), cells),
                    LoadRow(question, Millions(devices), "morning", morning, cells));
  }
  absl::StrAppend(&table, Row(With({"", "saturated", "", "1", Number(most.issued_per_second), "",
                                    Number(most.median_us / 1000), Number(most.p99_us / 1000)},
                                   UseOf(most.use))));
  return table;
}

std::string FleetTable(const Question& question) {
  std::string table = Head({"devices", "certificates/s, steady", "certificates/s, morning",
                            "million a day", "log MB/s, morning", "journal GB a day",
                            "of it, indices at random places GB a day", "signatures/s, morning"});
  for (const double devices : question.devices) {
    const double steady = SteadyRate(devices);
    const double morning = MorningRate(devices, question.start_within);
    const double a_day = steady * kSecondsOfADay;
    absl::StrAppend(&table,
                    Row({Millions(devices), Number(steady), Number(morning), Number(a_day / 1e6),
                         Number(morning * question.cell.database.wal_octets_per_certificate / 1e6),
                         Number(a_day * (kJournalOctets + kKeyAndIndexOctets) / 1e9),
                         Number(a_day * kRandomIndexOctets / 1e9), Number(morning)}));
  }
  return table;
}

std::string MeasuredTable(std::uint64_t seed) {
  std::string table = Head({"figure", "unit", "measured", "simulated", "ratio", "held to"});
  for (const Comparison& row : CompareWithMeasured(seed)) {
    const bool is_held = row.at_least > 0;
    absl::StrAppend(&table,
                    Row({row.figure, row.unit, Number(row.measured), Number(row.simulated),
                         absl::StrFormat("%.2f", row.simulated / row.measured),
                         is_held ? absl::StrFormat("%g to %g", row.at_least, row.at_most) : ""}));
  }
  return table;
}

}  // namespace hourglass::scaling
