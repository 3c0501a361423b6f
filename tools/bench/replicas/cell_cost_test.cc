#include "tools/bench/replicas/cell_cost.h"

#include <gtest/gtest.h>

namespace hourglass::bench {
namespace {

TEST(CellCostTest, EachCounterIsDividedByTheCertificates) {
  LoadResult load;
  load.seconds = 2;
  load.certificates = 100;
  const CellCounters before = {.hourglassd = 1000,
                               .postgresql = 2000,
                               .standby = 3000,
                               .generator = 4000,
                               .machine = 1'000'000,
                               .log_octets = 5000,
                               .commits = 600,
                               .writes = 700};
  const CellCounters after = {.hourglassd = 13'000,
                              .postgresql = 11'000,
                              .standby = 6000,
                              .generator = 8500,
                              .machine = 4'000'000,
                              .log_octets = 305'000,
                              .commits = 660,
                              .writes = 750};
  const CellCost cost = CostOf(load, before, after, /*processors=*/2);
  EXPECT_EQ(cost.load.certificates, 100u);
  EXPECT_DOUBLE_EQ(cost.each.hourglassd, 120);
  EXPECT_DOUBLE_EQ(cost.each.postgresql, 90);
  EXPECT_DOUBLE_EQ(cost.each.standby, 30);
  EXPECT_DOUBLE_EQ(cost.each.generator, 45);
  EXPECT_DOUBLE_EQ(cost.each.machine, 30'000);
  EXPECT_DOUBLE_EQ(cost.each.log_octets, 3000);
  EXPECT_DOUBLE_EQ(cost.each.commits, 0.6);
  EXPECT_DOUBLE_EQ(cost.each.writes, 0.5);
  EXPECT_DOUBLE_EQ(cost.busy, 0.75);
  EXPECT_DOUBLE_EQ(cost.each.AllProcesses(), 285);
  EXPECT_DOUBLE_EQ(RecordsPerWrite(cost.each), 4);
  EXPECT_DOUBLE_EQ(RecordsPerWrite({}), 0);
}

TEST(CellCostTest, WritesAndCertificatesHaveACostEach) {
  // 160 us a transaction and 50 a certificate.
  const CellCounters alone = {.postgresql = 370, .writes = 2};
  const CellCounters saturated = {.postgresql = 60, .writes = 0.0625};
  const auto cost = WriteCostOf(alone, saturated);
  ASSERT_TRUE(cost.has_value());
  EXPECT_NEAR(cost->write, 160, 1e-9);
  EXPECT_NEAR(cost->certificate, 50, 1e-9);
  EXPECT_FALSE(WriteCostOf(alone, {.postgresql = 300, .writes = 1.6}).has_value());
  EXPECT_FALSE(WriteCostOf(saturated, alone).has_value());
}

}  // namespace
}  // namespace hourglass::bench
