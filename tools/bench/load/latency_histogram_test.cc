#include "tools/bench/load/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace hourglass::bench {
namespace {

using std::chrono::nanoseconds;

TEST(LatencyHistogramTest, EmptyHasNoLatency) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.Quantile(0.5), nanoseconds(0));
}

TEST(LatencyHistogramTest, SmallValuesAreExact) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.Add(nanoseconds(i));
  EXPECT_EQ(histogram.Quantile(0.5), nanoseconds(50));
  EXPECT_EQ(histogram.Quantile(0.99), nanoseconds(99));
  EXPECT_EQ(histogram.Quantile(0), nanoseconds(1));
  EXPECT_EQ(histogram.Quantile(1), nanoseconds(100));
}

TEST(LatencyHistogramTest, AgreesWithASortedList) {
  std::mt19937_64 random(4);
  std::lognormal_distribution<double> latency(13, 2);
  std::vector<std::int64_t> sorted;
  LatencyHistogram histogram;
  for (int i = 0; i < 100'000; ++i) {
    sorted.push_back(static_cast<std::int64_t>(latency(random)));
    histogram.Add(nanoseconds(sorted.back()));
  }
  std::sort(sorted.begin(), sorted.end());
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * 100'000));
    const std::int64_t exact = sorted[rank - 1];
    const std::int64_t told = histogram.Quantile(share).count();
    EXPECT_GE(told, exact) << share;
    EXPECT_LE(told, exact + exact / 128 + 1) << share;
  }
}

TEST(LatencyHistogramTest, EveryPowerOfTwoAndItsNeighboursStayWithinABucket) {
  for (int power = 0; power < 41; ++power) {
    for (const std::int64_t value : {(std::int64_t{1} << power) - 1, std::int64_t{1} << power,
                                     (std::int64_t{1} << power) + 1}) {
      LatencyHistogram histogram;
      histogram.Add(nanoseconds(value));
      histogram.Add(std::chrono::hours(1));
      const std::int64_t told = histogram.Quantile(0.5).count();
      EXPECT_GE(told, value);
      EXPECT_LE(told, value + value / 128);
    }
  }
}

TEST(LatencyHistogramTest, ClampsWhatIsBeyondItsRange) {
  LatencyHistogram histogram;
  histogram.Add(nanoseconds(-5));
  EXPECT_EQ(histogram.Quantile(1), nanoseconds(0));
  histogram.Add(std::chrono::hours(100));
  EXPECT_EQ(histogram.Quantile(1), std::chrono::hours(1));
}

TEST(LatencyHistogramTest, AddsAnother) {
  LatencyHistogram fast, slow;
  for (int i = 0; i < 98; ++i) fast.Add(nanoseconds(10));
  for (int i = 0; i < 2; ++i) slow.Add(nanoseconds(100));
  fast.Add(slow);
  EXPECT_EQ(fast.count(), 100u);
  EXPECT_EQ(fast.Quantile(0.98), nanoseconds(10));
  EXPECT_EQ(fast.Quantile(0.99), nanoseconds(100));
}

}  // namespace
}  // namespace hourglass::bench
