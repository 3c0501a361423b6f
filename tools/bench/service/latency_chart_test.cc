#include "tools/bench/service/latency_chart.h"

#include <gtest/gtest.h>

#include <chrono>

namespace hourglass::bench {
namespace {

TEST(LatencyChartTest, IsNamedAfterWhatIsMeasured) {
  EXPECT_EQ(EmptyLatencyChart("TPM-sealed P-256").name, "latency-tpm-sealed-p-256");
  EXPECT_EQ(EmptyLatencyChart("TPM-sealed P-256").title, "Latency, TPM-sealed P-256");
}

TEST(LatencyChartTest, GoesFromAllRequestsToTheSlowestThousandth) {
  LatencyHistogram latencies;
  for (int i = 1; i <= 1000; ++i) latencies.Add(std::chrono::milliseconds(i));
  const Series series = LatencySeries("at half", latencies);
  EXPECT_EQ(series.name, "at half");
  ASSERT_EQ(series.x.size(), 31u);
  ASSERT_EQ(series.y.size(), 31u);
  EXPECT_EQ(series.y[0], 100);
  EXPECT_NEAR(series.y[10], 10, 1e-9);
  EXPECT_NEAR(series.y[30], 0.1, 1e-9);
  // A hundred took longer than 900 ms, ten than 990, one than 999; a bucket is 1/128 wide.
  EXPECT_NEAR(series.x[10], 900, 900.0 / 128);
  EXPECT_NEAR(series.x[20], 990, 990.0 / 128);
  EXPECT_NEAR(series.x[30], 999, 999.0 / 128);
}

}  // namespace
}  // namespace hourglass::bench
