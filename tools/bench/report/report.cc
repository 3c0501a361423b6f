#include "tools/bench/report/report.h"

#include "absl/strings/str_cat.h"

namespace hourglass::bench {
namespace {

// Of the two, the one that the bound is harder on.
double Worse(const Target& target, double one, double other) {
  return target.at_most ? std::max(one, other) : std::min(one, other);
}

}  // namespace

double Figure::Judged() const {
  if (judged.has_value()) return *judged;
  return floor.has_value() ? value / *floor : value;
}

std::optional<bool> Figure::Met() const {
  if (!target.has_value()) return std::nullopt;
  return TargetOf(*target).MetBy(Judged());
}

void Report::Fail(absl::string_view section, const absl::Status& status) {
  failures_.push_back(absl::StrCat(section, ": ", status.message()));
}

std::vector<Verdict> Report::Verdicts() const {
  std::vector<Verdict> verdicts;
  for (const Target& target : Targets()) {
    Verdict verdict{target, std::nullopt, "not measured"};
    for (const Figure& figure : figures_) {
      if (figure.target != target.id) continue;
      const double judged = figure.Judged();
      verdict.judged = verdict.judged.has_value() ? Worse(target, *verdict.judged, judged) : judged;
    }
    if (verdict.judged.has_value()) {
      verdict.words = setting_.quick                  ? "not judged"
                      : target.MetBy(*verdict.judged) ? "met"
                                                      : "missed";
    }
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

}  // namespace hourglass::bench
