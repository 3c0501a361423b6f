#include "issuance/base/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace hourglass::issuance {
namespace {

TEST(HistogramTest, CountsUpToEachBoundInclusive) {
  Histogram histogram({1, 2, 4});
  for (const double value : {0.5, 1.0, 1.5, 4.0, 5.0}) histogram.Observe(value);
  const Histogram::Totals totals = histogram.Read();
  EXPECT_THAT(totals.up_to, testing::ElementsAre(2, 3, 4));
  EXPECT_EQ(totals.count, 5u);
  EXPECT_DOUBLE_EQ(totals.sum, 12.0);
}

TEST(HistogramTest, LosesNothingBetweenThreads) {
  Histogram histogram({1});
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&histogram] {
      for (int i = 0; i < 10000; ++i) histogram.Observe(2);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram.Read().count, 40000u);
  EXPECT_DOUBLE_EQ(histogram.Read().sum, 80000.0);
  EXPECT_THAT(histogram.Read().up_to, testing::ElementsAre(0));
}

}  // namespace
}  // namespace hourglass::issuance
