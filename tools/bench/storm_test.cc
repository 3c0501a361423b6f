#include "tools/bench/storm.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>

#include "issuance/pipeline/renewal.h"

namespace hourglass::bench {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

issuance::Timestamp AfterTenMinutes(issuance::Timestamp now, const issuance::Intent&) {
  return now + minutes(10);
}

double Sum(const std::vector<double>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0.0);
}

TEST(StormTest, MeanAndPeakAreRequestsASecondFromABucketOn) {
  const Arrivals arrivals{seconds(10), {500, 10, 20, 60}};
  EXPECT_EQ(arrivals.PerSecond(2), 2);
  EXPECT_EQ(arrivals.Peak(0), 50);
  EXPECT_EQ(arrivals.Peak(1), 6);
  EXPECT_EQ(arrivals.Mean(1), 3);
}

TEST(StormTest, DevicesStartWithinAMinuteAndFollowTheRule) {
  const Arrivals arrivals = Simulate(600, hours(1), minutes(1), AfterTenMinutes);
  ASSERT_EQ(arrivals.counts.size(), 60u);
  for (int minute = 0; minute < 60; ++minute) {
    EXPECT_EQ(arrivals.counts[minute], minute % 10 == 0 ? 600 : 0) << minute;
  }
  const Arrivals first_minute = Simulate(600, minutes(1), seconds(10), AfterTenMinutes);
  EXPECT_EQ(Sum(first_minute.counts), 600);
  // 100 are expected in each.
  EXPECT_LT(first_minute.Peak(0) * 10, 150);
}

TEST(StormTest, TheServicesRuleFlattensTheFleetAndAsksForNoMoreCertificates) {
  const Arrivals arrivals = Simulate(100'000, hours(3), seconds(10), issuance::RenewAfter);
  const std::size_t first_hour = 360;
  EXPECT_LE(arrivals.Peak(first_hour) / arrivals.Mean(first_hour), 1.3);
  EXPECT_NEAR(arrivals.Mean(first_hour), 100'000.0 / 2250, 1);
}

TEST(StormTest, SaysThePeakBesideTheMeanAndDrawsBothCurves) {
  Report report;
  ASSERT_TRUE(MeasureStorm({.quick = true}, report).ok());
  ASSERT_EQ(report.figures().size(), 4u);
  const Figure& with = report.figures()[0];
  const Figure& without = report.figures()[2];
  EXPECT_EQ(with.target, TargetId::kStormPeak);
  EXPECT_EQ(without.target, std::nullopt);
  EXPECT_GT(without.Judged(), 10 * with.Judged());
  ASSERT_EQ(report.charts().size(), 1u);
  EXPECT_EQ(report.charts()[0].series.size(), 2u);
  EXPECT_EQ(report.charts()[0].series[0].x.size(), 1080u);
}

}  // namespace
}  // namespace hourglass::bench
