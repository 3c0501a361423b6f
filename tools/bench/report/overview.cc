#include "tools/bench/report/overview.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace hourglass::bench {
namespace {

constexpr absl::string_view kServerCpu = ": server CPU per certificate";

const Figure* Find(const Report& report, absl::string_view section, absl::string_view name) {
  for (const Figure& figure : report.figures()) {
    if (figure.section == section && figure.name == name) return &figure;
  }
  return nullptr;
}

double ValueOf(const Figure* figure) { return figure == nullptr ? 0 : figure->value; }

// Of a leaf with P-256 and a root's key of the type that is in `name`.
double AboveFloorInLibrary(const Report& report, absl::string_view name) {
  for (const absl::string_view type : {"P-256", "P-384", "RSA-2048", "RSA-3072"}) {
    if (!absl::StrContains(name, type)) continue;
    const Figure* figure =
        Find(report, "library", absl::StrCat("P-256 leaf, ", std::string(type), " root"));
    return figure == nullptr ? 0 : figure->value - figure->floor.value_or(0);
  }
  return 0;
}

class Budget {
 public:
  explicit Budget(const Report& report) : report_(report) {
    chart_.series = {{"verify and sign"}, {"the library above that"}, {"the service above that"}};
  }

  void AddBar(const std::string& name, double total, double floor) {
    const double library = std::min(AboveFloorInLibrary(report_, name), total - floor);
    chart_.bars.push_back(name);
    const double parts[] = {floor, library, total - floor - library};
    for (int i = 0; i < 3; ++i) chart_.series[i].y.push_back(parts[i]);
    absl::StrAppendFormat(&chart_.alternative, "%s: %.0f us, of which %.0f are the floor. ", name,
                          total, floor);
  }

  Chart Take() {
    absl::StripTrailingAsciiWhitespace(&chart_.alternative);
    return std::move(chart_);
  }

 private:
  const Report& report_;
  Chart chart_ = {.name = "budget",
                  .title = "Where the microseconds of a certificate go",
                  .x = {"CPU us per certificate"}};
};

void AddBudget(Report& report) {
  Budget budget(report);
  bool any = false;
  const Figure* library = Find(report, "library", "P-256 leaf, P-256 root");
  if (library != nullptr) budget.AddBar("library, P-256", library->value, *library->floor);
  for (const Figure& figure : report.figures()) {
    absl::string_view name = figure.name;
    // A handshake for each request costs so much that beside it nothing else could be read.
    if (figure.section != "service" || !figure.floor.has_value() ||
        !absl::ConsumeSuffix(&name, kServerCpu) || absl::StrContains(name, "TLS connection")) {
      continue;
    }
    const std::string kind(name);
    const Figure* keyholders =
        Find(report, "service", absl::StrCat(kind, ": keyholders' CPU per certificate"));
    budget.AddBar(kind, figure.value + ValueOf(keyholders), *figure.floor);
    any = true;
  }
  if (any) report.Add(budget.Take());
}

void AddScale(Report& report) {
  Chart chart = {.name = "scale",
                 .title = "What a certificate costs in each size of an installation",
                 .x = {"server CPU us per certificate"},
                 .series = {{"with 1 tenant and no records"}, {"more"}}};
  for (const Figure& figure : report.figures()) {
    absl::string_view name = figure.name;
    if (figure.section != "scale" || !absl::ConsumeSuffix(&name, kServerCpu)) continue;
    chart.bars.emplace_back(name);
    const double smallest = std::min(figure.floor.value_or(figure.value), figure.value);
    chart.series[0].y.push_back(smallest);
    chart.series[1].y.push_back(figure.value - smallest);
    absl::StrAppendFormat(&chart.alternative, "%s%s: %.0f us.",
                          chart.alternative.empty() ? "" : " ", chart.bars.back(), figure.value);
  }
  if (!chart.bars.empty()) report.Add(std::move(chart));
}

}  // namespace

void AddOverview(Report& report) {
  AddBudget(report);
  AddScale(report);
}

}  // namespace hourglass::bench
