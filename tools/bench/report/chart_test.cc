#include "tools/bench/report/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <string>
#include <vector>

namespace hourglass::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

Chart TwoLines() {
  return {.name = "cost",
          .title = "Cost <over> records",
          .alternative = "It stays level.",
          .x = {"million records"},
          .y = {"us"},
          .series = {{"ours", {0, 5, 10}, {10, 20, 40}}, {"floor & ceiling", {0, 10}, {5, 5}}}};
}

// The points of each polyline, as written.
std::vector<std::string> Polylines(const std::string& svg) {
  static const std::regex pattern("points=\"([^\"]*)\"");
  std::vector<std::string> found;
  for (std::sregex_iterator i(svg.begin(), svg.end(), pattern), end; i != end; ++i) {
    found.push_back((*i)[1]);
  }
  return found;
}

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(ChartTest, SaysInWordsWhatItShows) {
  const std::string svg = Svg(TwoLines());
  EXPECT_THAT(svg, testing::StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(svg, testing::EndsWith("</svg>\n"));
  EXPECT_THAT(svg, HasSubstr("role=\"img\" aria-labelledby=\"title desc\""));
  EXPECT_THAT(svg, HasSubstr("<title id=\"title\">Cost &lt;over&gt; records</title>"));
  EXPECT_THAT(svg, HasSubstr("<desc id=\"desc\">It stays level.</desc>"));
  EXPECT_THAT(svg, HasSubstr(">million records</text>"));
  EXPECT_THAT(svg, HasSubstr(">floor &amp; ceiling</text>"));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
}

// The plot is 704 units wide from 72, and 300 high from 348 upwards.
TEST(ChartTest, PutsPointsWhereTheAxesSay) {
  EXPECT_EQ(
      Polylines(Svg(TwoLines())),
      (std::vector<std::string>{"72.0,273.0 424.0,198.0 776.0,48.0 ", "72.0,310.5 776.0,310.5 "}));
}

TEST(ChartTest, PutsDecadesApartOnALogarithmicAxis) {
  Chart chart = TwoLines();
  chart.y.logarithmic = true;
  chart.series = {{"ours", {0, 5, 10}, {1, 10, 100}}, {"none", {10}, {0}}};
  const std::string svg = Svg(chart);
  EXPECT_EQ(Polylines(svg),
            (std::vector<std::string>{"72.0,348.0 424.0,198.0 776.0,48.0 ", "776.0,348.0 "}));
  for (const char* const label : {">1</text>", ">10</text>", ">100</text>"}) {
    EXPECT_THAT(svg, HasSubstr(label));
  }
}

TEST(ChartTest, LeavesOutWhatIsNoNumber) {
  Chart chart = TwoLines();
  chart.series = {{"ours", {0, 5, 10, INFINITY}, {10, NAN, 40, 3}}};
  EXPECT_EQ(Polylines(Svg(chart)), std::vector<std::string>{"72.0,273.0 776.0,48.0 "});
}

TEST(ChartTest, DrawsAnEmptyChartToo) {
  Chart chart = TwoLines();
  for (const bool logarithmic : {false, true}) {
    chart.series = {{"ours", {}, {}}, {"zero", {0}, {0}}};
    chart.x.logarithmic = chart.y.logarithmic = logarithmic;
    const std::string svg = Svg(chart);
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
}

TEST(ChartTest, StacksTheSeriesInABar) {
  const Chart chart = {.name = "budget",
                       .title = "Budget",
                       .x = {"us"},
                       .series = {{"verify", {}, {40, 40}}, {"sign", {}, {10, 20}}},
                       .bars = {"floor", "service"}};
  const std::string svg = Svg(chart);
  EXPECT_THAT(svg, HasSubstr(">service</text>"));
  // From 76 (the longest name and its distance) to 776 are 60 us.
  EXPECT_THAT(svg, HasSubstr("<rect class=\"f0\" x=\"75.8\" y=\"55.0\" width=\"466.8\""));
  EXPECT_THAT(svg, HasSubstr("<rect class=\"f1\" x=\"542.6\" y=\"55.0\" width=\"116.7\""));
  EXPECT_THAT(svg, HasSubstr("<rect class=\"f1\" x=\"542.6\" y=\"95.0\" width=\"233.4\""));
  EXPECT_TRUE(Polylines(svg).empty());
}

TEST(ChartTest, HasFewTicksWhateverTheRange) {
  for (const double greatest : {0.003, 1.0, 7.0, 61.0, 999.0, 1e7}) {
    Chart chart = TwoLines();
    chart.series = {{"ours", {0, 1}, {0, greatest}}};
    const int ticks = Count(Svg(chart), "text-anchor=\"end\"");
    EXPECT_GE(ticks, 4) << greatest;
    EXPECT_LE(ticks, 9) << greatest;
  }
}

TEST(ChartTest, GroupsTheDigitsOfLargeNumbers) {
  Chart chart = TwoLines();
  chart.series = {{"ours", {1, 1e6}, {2'000, 10'000}}};
  const std::string svg = Svg(chart);
  for (const char* const label : {">1 000 000</text>", ">10 000</text>", ">2000</text>"}) {
    EXPECT_THAT(svg, HasSubstr(label));
  }
}

TEST(ChartTest, GivesTheLegendAsManyLinesAsItNeeds) {
  Chart chart = TwoLines();
  const std::string small = Svg(chart);
  for (int i = 0; i < 10; ++i) chart.series.push_back({"a name of some length", {0}, {1}});
  EXPECT_THAT(small, HasSubstr("viewBox=\"0 0 800 434\""));
  EXPECT_THAT(Svg(chart), HasSubstr("viewBox=\"0 0 800 500\""));
}

}  // namespace
}  // namespace hourglass::bench
