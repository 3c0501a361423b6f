// What a benchmark found: figures beside what they are measured against, for people and machines.
#ifndef HOURGLASS_TOOLS_BENCH_REPORT_H_
#define HOURGLASS_TOOLS_BENCH_REPORT_H_

#include <optional>
#include <string>
#include <vector>

namespace hourglass::bench {

// A bound that `Figure::judged` is held to.
struct Target {
  double bound = 0;
  bool at_most = true;  // else at least
};

struct Figure {
  // The part of the benchmark: `library`, `service`, `scale`, `storm`.
  std::string section;
  // What was measured, in words that stay the same from run to run: `P-256 leaf, P-256 root`.
  std::string name;
  double value = 0;
  std::string unit;  // of `value` and `floor`: `us`, `certificates/s`, `MB`, …
  // What nobody could go below (or above, for a rate), measured in the same run.
  std::optional<double> floor;
  std::string floor_is;  // `verify and sign`; empty without a floor
  // What the target is about: value / floor where there is a floor and nothing else is said, else
  // the value.
  std::optional<double> judged;
  std::optional<Target> target;

  double Judged() const;
  // Empty without a target.
  std::optional<bool> Met() const;
};

// A line of points for a chart, `y` over `x`.
struct Series {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;
};

// Not for several threads at once.
class Report {
 public:
  void Add(Figure figure);

  const std::vector<Figure>& figures() const { return figures_; }

  // A table of UTF-8 text, one section under the other, and last how many targets are met, which
  // are missed and which were not measured.
  std::string Table() const;
  // An object with the machine, the date and the figures, as docs/performance.md describes it.
  std::string Json() const;

 private:
  std::vector<Figure> figures_;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REPORT_H_
