#include "tools/bench/replicas/cell_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace hourglass::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CellCost Cost(std::uint64_t per_second, const CellCounters& each) {
  CellCost cost;
  cost.load.seconds = 1;
  cost.load.certificates = per_second;
  cost.each = each;
  cost.busy = 0.9;
  return cost;
}

MeasuredCell Sqlite() {
  return {.name = "SQLite",
          .alone = Cost(900, {.hourglassd = 400}),
          .outstanding = 128,
          .saturated = Cost(10'000, {.hourglassd = 120, .generator = 30, .machine = 160})};
}

MeasuredCell Postgresql(int replicas, std::uint64_t per_second, bool has_standby = false) {
  return {.name = absl::StrCat("PostgreSQL, ", replicas, has_standby ? ", standby" : ""),
          .replicas = replicas,
          .has_postgresql = true,
          .has_standby = has_standby,
          .alone = Cost(300, {.hourglassd = 500, .postgresql = 370, .commits = 2.5, .writes = 2}),
          .outstanding = 256,
          .saturated = Cost(per_second, {.hourglassd = 130,
                                         .postgresql = 60,
                                         .standby = has_standby ? 20.0 : 0.0,
                                         .generator = 35,
                                         .machine = 230,
                                         .log_octets = 3300,
                                         .commits = 0.08,
                                         .writes = 0.0625})};
}

std::optional<Figure> Find(const Report& report, const std::string& name) {
  for (const Figure& figure : report.figures()) {
    if (figure.section == "replicas" && figure.name == name) return figure;
  }
  return std::nullopt;
}

std::optional<double> ValueOf(const Report& report, const std::string& name) {
  const auto figure = Find(report, name);
  return figure.has_value() ? std::optional(figure->value) : std::nullopt;
}

TEST(CellFiguresTest, EachCellHasTheFiguresOfItsProcesses) {
  Report report;
  ReportCells({Sqlite(), Postgresql(1, 4000), Postgresql(1, 3000, true)}, 2, report);
  EXPECT_EQ(ValueOf(report, "SQLite: rate at saturation"), 10'000);
  EXPECT_EQ(ValueOf(report, "SQLite: hourglassd's CPU per certificate"), 120);
  EXPECT_EQ(ValueOf(report, "SQLite: PostgreSQL's CPU per certificate"), std::nullopt);
  EXPECT_EQ(ValueOf(report, "SQLite: commits per certificate"), std::nullopt);
  EXPECT_EQ(ValueOf(report, "PostgreSQL, 1: PostgreSQL's CPU per certificate"), 60);
  EXPECT_EQ(ValueOf(report, "PostgreSQL, 1: the standby's CPU per certificate"), std::nullopt);
  EXPECT_EQ(ValueOf(report, "PostgreSQL, 1: write-ahead log per certificate"), 3300);
  EXPECT_EQ(ValueOf(report, "PostgreSQL, 1: commits per certificate"), 0.08);
  EXPECT_EQ(ValueOf(report, "PostgreSQL, 1: records in a transaction that writes"), 32);
  EXPECT_EQ(
      ValueOf(report,
              "PostgreSQL, 1: transactions that write per certificate, one request at a time"),
      2);
  EXPECT_EQ(ValueOf(report, "PostgreSQL, 1, standby: the standby's CPU per certificate"), 20);
}

TEST(CellFiguresTest, AllProcessesStandBesideWhatTheProcessorsHad) {
  Report report;
  ReportCells({Postgresql(1, 8000, true)}, 2, report);
  const auto all = Find(report, "PostgreSQL, 1, standby: CPU of all processes per certificate");
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->value, 245);
  EXPECT_EQ(all->floor, 250);
  // The kernel's count of the machine is coarser than that of the processes.
  EXPECT_EQ(
      ValueOf(report,
              "PostgreSQL, 1, standby: CPU of everything else on the machine per certificate"),
      0);
}

TEST(CellFiguresTest, ReplicasAreComparedWhereEachHasAProcessor) {
  const std::vector<MeasuredCell> cells = {Sqlite(), Postgresql(1, 4000), Postgresql(2, 7000),
                                           Postgresql(3, 9000)};
  Report report;
  ReportCells(cells, 4, report);
  EXPECT_EQ(Find(report, "PostgreSQL, 2: rate at saturation")->floor, 4000);
  EXPECT_EQ(Find(report, "PostgreSQL, 2: rate at saturation")->floor_is, "one replica");
  EXPECT_EQ(Find(report, "PostgreSQL, 3: rate at saturation")->floor, std::nullopt);
  EXPECT_EQ(Find(report, "PostgreSQL, 1: rate at saturation")->floor, std::nullopt);
  EXPECT_EQ(Find(report, "SQLite: rate at saturation")->floor, std::nullopt);
}

TEST(CellFiguresTest, ATransactionHasItsCostOfOneReplicaAlone) {
  Report report;
  ReportCells({Postgresql(1, 4000), Postgresql(2, 7000)}, 2, report);
  const std::string write = ": PostgreSQL's CPU for a transaction that writes";
  EXPECT_EQ(ValueOf(report, "PostgreSQL, 1" + write), 160);
  EXPECT_EQ(ValueOf(report,
                    "PostgreSQL, 1: PostgreSQL's CPU for a certificate beside its "
                    "transactions"),
            50);
  EXPECT_EQ(ValueOf(report, "PostgreSQL, 2" + write), std::nullopt);
  MeasuredCell ungrouped = Postgresql(1, 4000);
  ungrouped.saturated.each.writes = 2;
  Report without;
  ReportCells({ungrouped}, 2, without);
  EXPECT_EQ(ValueOf(without, "PostgreSQL, 1" + write), std::nullopt);
}

TEST(CellFiguresTest, ChartsShowRatesAndCosts) {
  Report report;
  ReportCells({Sqlite(), Postgresql(1, 4000), Postgresql(3, 9000), Postgresql(1, 3000, true)}, 2,
              report);
  ASSERT_EQ(report.charts().size(), 2u);
  const Chart& rates = report.charts()[0];
  EXPECT_EQ(rates.name, "replicas");
  ASSERT_EQ(rates.series.size(), 3u);
  EXPECT_THAT(rates.series[0].x, ElementsAre(1, 3));
  EXPECT_THAT(rates.series[0].y, ElementsAre(4000, 9000));
  EXPECT_EQ(rates.series[1].name, "SQLite");
  EXPECT_THAT(rates.series[1].x, ElementsAre(0, 3));
  EXPECT_THAT(rates.alternative, HasSubstr("PostgreSQL, 3: 9000."));
  const Chart& costs = report.charts()[1];
  EXPECT_EQ(costs.name, "replica-costs");
  EXPECT_THAT(costs.bars,
              ElementsAre("SQLite", "PostgreSQL, 1", "PostgreSQL, 3", "PostgreSQL, 1, standby"));
  EXPECT_THAT(costs.series[0].y, ElementsAre(120, 130, 130, 130));
  EXPECT_THAT(costs.series[2].y, ElementsAre(0, 0, 0, 20));
  EXPECT_THAT(costs.series[4].y, ElementsAre(10, 5, 5, 0));
}

TEST(CellFiguresTest, NothingIsReportedOfNothing) {
  Report report;
  ReportCells({}, 2, report);
  EXPECT_TRUE(report.figures().empty());
  EXPECT_TRUE(report.charts().empty());
}

}  // namespace
}  // namespace hourglass::bench
