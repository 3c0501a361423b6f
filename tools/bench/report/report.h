// What a benchmark found: figures beside what they are measured against, for people and machines.
#ifndef HOURGLASS_TOOLS_BENCH_REPORT_REPORT_H_
#define HOURGLASS_TOOLS_BENCH_REPORT_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/bench/report/chart.h"
#include "tools/bench/report/setting.h"
#include "tools/bench/report/targets.h"

namespace hourglass::bench {

struct Figure {
  // The part of the benchmark: `library`, `access`, `service`, `tokens`, …
  std::string section = {};
  // What was measured, in words that stay the same from run to run: `P-256 leaf, P-256 root`.
  std::string name = {};
  double value = 0;
  std::string unit = {};  // of `value` and `floor`: `us`, `certificates/s`, `MB`, …
  // What nobody could go below (or above, for a rate), measured in the same run.
  std::optional<double> floor = {};
  std::string floor_is = {};  // `verify and sign`; empty without a floor
  // What the target is about: value / floor where there is a floor and nothing else is said, else
  // the value.
  std::optional<double> judged = {};
  std::optional<TargetId> target = {};

  double Judged() const;
  // Empty without a target.
  std::optional<bool> Met() const;
};

// What is left of a target after a run: the worst of its figures.
struct Verdict {
  Target target;
  std::optional<double> judged;  // empty if it was not measured
  std::string words;             // `met`, `missed`, `not measured`, `not judged` (a quick run)
};

// Not for several threads at once.
class Report {
 public:
  explicit Report(Setting setting = {}) : setting_(std::move(setting)) {}

  void Add(Figure figure) { figures_.push_back(std::move(figure)); }
  void Add(Chart chart) { charts_.push_back(std::move(chart)); }
  // That `section` could not be measured, or met errors.
  void Fail(absl::string_view section, const absl::Status& status);

  const Setting& setting() const { return setting_; }
  const std::vector<Figure>& figures() const { return figures_; }
  const std::vector<Chart>& charts() const { return charts_; }
  // A line each.
  const std::vector<std::string>& failures() const { return failures_; }
  // One for each of Targets().
  std::vector<Verdict> Verdicts() const;

  // A table of UTF-8 text, one section under the other, and last every target with its verdict.
  std::string Table() const;
  // The same for a page of Markdown, and the charts, which are expected as images/NAME.svg.
  std::string Markdown() const;
  // An object with the machine, the date, figures, targets and charts, as docs/performance.md
  // describes it.
  std::string Json() const;

 private:
  Setting setting_;
  std::vector<Figure> figures_;
  std::vector<Chart> charts_;
  std::vector<std::string> failures_;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REPORT_REPORT_H_
