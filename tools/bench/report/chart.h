// Charts as SVG: no script, no font of its own, readable on light and dark pages.
#ifndef HOURGLASS_TOOLS_BENCH_REPORT_CHART_H_
#define HOURGLASS_TOOLS_BENCH_REPORT_CHART_H_

#include <string>
#include <vector>

namespace hourglass::bench {

// Points for a chart, `y` over `x`, of the same size.
struct Series {
  std::string name = {};
  std::vector<double> x = {};
  std::vector<double> y = {};
};

struct Axis {
  std::string label = {};  // with the unit: `minutes`
  // Decades apart; what is not above 0 is drawn at the lower end.
  bool logarithmic = false;
};

struct Chart {
  // `storm`: the chart is written to DIR/storm.svg.
  std::string name = {};
  std::string title = {};
  // What the chart shows, in a sentence, for whoever does not see it.
  std::string alternative = {};
  Axis x = {};
  Axis y = {};
  std::vector<Series> series = {};
  // Where there are any, the chart has a horizontal bar for each, stacked from the series: `y[i]`
  // of a series is its part of bar i, on the axis `x`; the series' `x` and the axis `y` are not
  // used.
  std::vector<std::string> bars = {};
};

// A whole SVG document. The axes begin at 0 or, where logarithmic, at a power of ten; points that
// are not finite are left out.
std::string Svg(const Chart& chart);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REPORT_CHART_H_
