#include "tools/bench/report/chart.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace hourglass::bench {
namespace {

// In the SVG's own units, about pixels.
constexpr double kWidth = 800;
constexpr double kPlotHeight = 300;
constexpr double kBarHeight = 26;
constexpr double kBarDistance = 40;
constexpr double kTop = 48;
constexpr double kRight = 24;
constexpr double kLeftOfLines = 72;
constexpr double kLegendLine = 22;
constexpr double kCharacter = 7.4;
constexpr int kMostTicks = 8;

// Colours of middling lightness, which stand out on white and on black, and a dash for each for
// whoever does not tell them apart.
constexpr absl::string_view kStyle =
    "<style>\n"
    "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:16px;font-weight:600}\n"
    ".grid{stroke:#8c959f;stroke-opacity:.35}.axis{stroke:#57606a}\n"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}\n"
    ".s0{stroke:#2f81f7}.s1{stroke:#e8772e;stroke-dasharray:7 3}.s2{stroke:#3fa35c;"
    "stroke-dasharray:2 3}.s3{stroke:#b06fd8;stroke-dasharray:9 3 2 3}.s4{stroke:#c09a1b}"
    ".s5{stroke:#d9534f;stroke-dasharray:4 4}\n"
    ".f0{fill:#2f81f7}.f1{fill:#e8772e}.f2{fill:#3fa35c}.f3{fill:#b06fd8}.f4{fill:#c09a1b}"
    ".f5{fill:#d9534f}.f6{fill:#4aa8b5}.f7{fill:#8c959f}\n"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.axis{stroke:#9198a1}}\n"
    "</style>\n";
constexpr std::size_t kStrokes = 6;
constexpr std::size_t kFills = 8;

std::string Escape(absl::string_view text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

// Characters, not octets.
double TextWidth(absl::string_view text) {
  return kCharacter * static_cast<double>(std::count_if(text.begin(), text.end(), [](char octet) {
           return (static_cast<unsigned char>(octet) & 0xc0) != 0x80;
         }));
}

std::string Text(double x, double y, absl::string_view anchor, absl::string_view text,
                 absl::string_view more = "") {
  return absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>%s</text>\n", x, y,
                         anchor, more, Escape(text));
}

std::string Stroke(absl::string_view kind, double x1, double y1, double x2, double y2) {
  return absl::StrFormat("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                         kind, x1, y1, x2, y2);
}

// From values to places: `low` is at `begin`, `high` at `end`.
struct Scale {
  double low;
  double high;
  bool logarithmic;
  double begin;
  double end;

  double At(double value) const {
    const double share = !logarithmic ? (value - low) / (high - low)
                                      : std::log(std::max(value, low) / low) / std::log(high / low);
    return begin + share * (end - begin);
  }
  std::vector<double> Ticks() const;
};

// 1, 2 or 5 times a power of ten, so that there are at most kMostTicks up to `high`.
double Step(double high) {
  const double power = std::pow(10, std::floor(std::log10(high / kMostTicks)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (high / (factor * power) <= kMostTicks) return factor * power;
  }
  return 10 * power;
}

std::vector<double> Scale::Ticks() const {
  std::vector<double> ticks;
  if (logarithmic) {
    for (double tick = low; tick <= high * 1.001; tick *= 10) ticks.push_back(tick);
  } else {
    const double step = Step(high);
    for (int i = 0; i * step <= high * 1.001; ++i) ticks.push_back(i * step);
  }
  return ticks;
}

// So that all of `values` that are finite fit.
Scale ScaleFor(const std::vector<double>& values, bool logarithmic, double begin, double end) {
  double greatest = 0;
  double least = HUGE_VAL;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    greatest = std::max(greatest, value);
    if (value > 0) least = std::min(least, value);
  }
  if (greatest <= 0) return {logarithmic ? 0.1 : 0, 1, logarithmic, begin, end};
  if (!logarithmic) {
    const double step = Step(greatest);
    return {0, step * std::ceil(greatest / step - 1e-9), false, begin, end};
  }
  const double low = std::pow(10, std::floor(std::log10(least)));
  const double high = std::pow(10, std::ceil(std::log10(greatest)));
  return {low, std::max(high, 10 * low), true, begin, end};
}

// `10 000`, `0.5`
std::string TickLabel(double value) {
  std::string label = absl::StrFormat("%.10g", value);
  if (label.find_first_not_of("0123456789") != std::string::npos || label.size() < 5) return label;
  for (std::size_t at = label.size() - 3; at < label.size() && at > 0; at -= 3) {
    label.insert(at, " ");
  }
  return label;
}

std::string XAxis(const Scale& scale, const std::string& label, double top, double bottom) {
  std::string svg;
  for (const double tick : scale.Ticks()) {
    svg += Stroke("grid", scale.At(tick), top, scale.At(tick), bottom);
    svg += Text(scale.At(tick), bottom + 18, "middle", TickLabel(tick));
  }
  svg += Stroke("axis", scale.begin, bottom, scale.end, bottom);
  return svg + Text((scale.begin + scale.end) / 2, bottom + 38, "middle", label);
}

std::string YAxis(const Scale& scale, const std::string& label, double left, double right) {
  std::string svg;
  for (const double tick : scale.Ticks()) {
    svg += Stroke("grid", left, scale.At(tick), right, scale.At(tick));
    svg += Text(left - 8, scale.At(tick) + 4, "end", TickLabel(tick));
  }
  svg += Stroke("axis", left, scale.begin, left, scale.end);
  const double middle = (scale.begin + scale.end) / 2;
  return svg + Text(16, middle, "middle", label,
                    absl::StrFormat(" transform=\"rotate(-90 16 %.1f)\"", middle));
}

// The names of the series from `y` downwards, as many a line as fit; `y` becomes the lower end.
std::string Legend(const Chart& chart, double* y) {
  std::string svg;
  double x = kLeftOfLines;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const double width = 36 + TextWidth(chart.series[i].name) + 16;
    if (x + width > kWidth && x > kLeftOfLines) {
      x = kLeftOfLines;
      *y += kLegendLine;
    }
    svg += chart.bars.empty()
               ? Stroke(absl::StrCat("line s", i % kStrokes), x, *y, x + 28, *y)
               : absl::StrFormat(
                     "<rect class=\"f%d\" x=\"%.1f\" y=\"%.1f\" width=\"28\" height=\"12\"/>\n",
                     i % kFills, x, *y - 6);
    svg += Text(x + 36, *y + 4, "start", chart.series[i].name);
    x += width;
  }
  *y += kLegendLine;
  return svg;
}

std::string Lines(const Chart& chart, double bottom) {
  std::vector<double> all_x;
  std::vector<double> all_y;
  for (const Series& series : chart.series) {
    all_x.insert(all_x.end(), series.x.begin(), series.x.end());
    all_y.insert(all_y.end(), series.y.begin(), series.y.end());
  }
  const Scale x = ScaleFor(all_x, chart.x.logarithmic, kLeftOfLines, kWidth - kRight);
  const Scale y = ScaleFor(all_y, chart.y.logarithmic, bottom, kTop);
  std::string svg = XAxis(x, chart.x.label, kTop, bottom) + YAxis(y, chart.y.label, x.begin, x.end);
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Series& series = chart.series[i];
    absl::StrAppend(&svg, "<polyline class=\"line s", i % kStrokes, "\" points=\"");
    for (std::size_t j = 0; j < std::min(series.x.size(), series.y.size()); ++j) {
      if (!std::isfinite(series.x[j]) || !std::isfinite(series.y[j])) continue;
      absl::StrAppendFormat(&svg, "%.1f,%.1f ", x.At(series.x[j]), y.At(series.y[j]));
    }
    svg += "\"/>\n";
  }
  return svg;
}

// What series `i` adds to bar `bar`.
double Part(const Chart& chart, std::size_t i, std::size_t bar) {
  const std::vector<double>& parts = chart.series[i].y;
  return bar < parts.size() && std::isfinite(parts[bar]) ? std::max(parts[bar], 0.0) : 0;
}

std::string Bars(const Chart& chart, double bottom) {
  std::vector<double> totals;
  double left = kLeftOfLines;
  for (std::size_t bar = 0; bar < chart.bars.size(); ++bar) {
    totals.push_back(0);
    for (std::size_t i = 0; i < chart.series.size(); ++i) totals[bar] += Part(chart, i, bar);
    left = std::max(left, TextWidth(chart.bars[bar]) + 24);
  }
  // A stack begins at 0, which no logarithm shows.
  const Scale x = ScaleFor(totals, false, left, kWidth - kRight);
  std::string svg = XAxis(x, chart.x.label, kTop, bottom);
  for (std::size_t bar = 0; bar < chart.bars.size(); ++bar) {
    const double y =
        kTop + (kBarDistance - kBarHeight) / 2 + static_cast<double>(bar) * kBarDistance;
    svg += Text(left - 8, y + kBarHeight / 2 + 4, "end", chart.bars[bar]);
    double from = 0;
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
      const double to = from + Part(chart, i, bar);
      absl::StrAppendFormat(
          &svg, "<rect class=\"f%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
          i % kFills, x.At(from), y, x.At(to) - x.At(from), kBarHeight);
      from = to;
    }
  }
  return svg + Stroke("axis", left, kTop, left, bottom);
}

}  // namespace

std::string Svg(const Chart& chart) {
  const double bottom =
      kTop +
      (chart.bars.empty() ? kPlotHeight : kBarDistance * static_cast<double>(chart.bars.size()));
  double height = bottom + 64;
  const std::string legend = Legend(chart, &height);
  return absl::StrCat(
      absl::StrFormat("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
                      "role=\"img\" aria-labelledby=\"title desc\">\n",
                      kWidth, height),
      "<title id=\"title\">", Escape(chart.title), "</title>\n<desc id=\"desc\">",
      Escape(chart.alternative), "</desc>\n", kStyle,
      Text(kWidth / 2, 26, "middle", chart.title, " class=\"title\""),
      chart.bars.empty() ? Lines(chart, bottom) : Bars(chart, bottom), legend, "</svg>\n");
}

}  // namespace hourglass::bench
