#include "tools/bench/report/overview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hourglass::bench {
namespace {

using testing::ElementsAre;

Figure Cost(const std::string& section, const std::string& name, double value,
            std::optional<double> floor) {
  return {.section = section, .name = name, .value = value, .unit = "us", .floor = floor};
}

TEST(OverviewTest, DividesEachBarIntoFloorLibraryAndService) {
  Report report;
  report.Add(Cost("library", "P-256 leaf, P-256 root", 66, 55));
  report.Add(Cost("library", "P-256 leaf, RSA-2048 root", 300, 270));
  report.Add(Cost("service", "software P-256: server CPU per certificate", 110, 54));
  report.Add(Cost("service", "SoftHSM RSA-2048: server CPU per certificate", 120, 272));
  report.Add(Cost("service", "SoftHSM RSA-2048: keyholders' CPU per certificate", 282, {}));
  AddOverview(report);
  ASSERT_EQ(report.charts().size(), 1u);
  const Chart& chart = report.charts()[0];
  EXPECT_EQ(chart.name, "budget");
  EXPECT_THAT(chart.bars, ElementsAre("library, P-256", "software P-256", "SoftHSM RSA-2048"));
  ASSERT_EQ(chart.series.size(), 3u);
  EXPECT_THAT(chart.series[0].y, ElementsAre(55, 54, 272));
  EXPECT_THAT(chart.series[1].y, ElementsAre(11, 11, 30));
  EXPECT_THAT(chart.series[2].y, ElementsAre(0, 45, 100));
  EXPECT_THAT(chart.alternative,
              testing::HasSubstr("software P-256: 110 us, of which 54 are the floor."));
}

TEST(OverviewTest, LeavesToTheServiceWhatWasNotMeasuredInTheLibrary) {
  Report report;
  report.Add(Cost("service", "software P-256: server CPU per certificate", 110, 54));
  report.Add(Cost("service",
                  "software P-256, a TLS connection for each: server CPU per certificate", 1900,
                  54));
  AddOverview(report);
  ASSERT_EQ(report.charts().size(), 1u);
  EXPECT_THAT(report.charts()[0].bars, ElementsAre("software P-256"));
  EXPECT_THAT(report.charts()[0].series[1].y, ElementsAre(0));
  EXPECT_THAT(report.charts()[0].series[2].y, ElementsAre(56));
}

TEST(OverviewTest, ComparesTheSizesOfAnInstallation) {
  Report report;
  report.Add(Cost("scale", "1 tenant: server CPU per certificate", 110, {}));
  report.Add(Cost("scale", "1 tenant: memory", 30, {}));
  report.Add(Cost("scale", "10 000 tenants: server CPU per certificate", 112, 110));
  AddOverview(report);
  ASSERT_EQ(report.charts().size(), 1u);
  const Chart& chart = report.charts()[0];
  EXPECT_EQ(chart.name, "scale");
  EXPECT_THAT(chart.bars, ElementsAre("1 tenant", "10 000 tenants"));
  EXPECT_THAT(chart.series[0].y, ElementsAre(110, 110));
  EXPECT_THAT(chart.series[1].y, ElementsAre(0, 2));
  EXPECT_EQ(chart.alternative, "1 tenant: 110 us. 10 000 tenants: 112 us.");
}

TEST(OverviewTest, DrawsNothingOfNothing) {
  Report report;
  report.Add(Cost("library", "P-256 leaf, P-256 root", 66, 55));
  AddOverview(report);
  EXPECT_TRUE(report.charts().empty());
}

}  // namespace
}  // namespace hourglass::bench
