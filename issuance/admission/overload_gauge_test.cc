#include "issuance/admission/overload_gauge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace hourglass::issuance {
namespace {

using std::chrono::milliseconds;

constexpr OverloadGauge::Time kBegin;

// A second in which `served` were served and `refused` refused, and then what is said to more who
// are refused.
std::vector<double> DelaysAfter(std::size_t served, int refused, std::size_t waiting) {
  OverloadGauge gauge(kBegin);
  gauge.Served(served, kBegin);
  for (int i = 0; i < refused; ++i) gauge.Refused(waiting, kBegin);
  std::vector<double> delays;
  for (int i = 0; i < 100; ++i) {
    const milliseconds delay = gauge.Refused(waiting, kBegin + std::chrono::seconds(1));
    delays.push_back(static_cast<double>(delay.count()));
  }
  return delays;
}

double Middle(std::vector<double> delays) {
  std::sort(delays.begin(), delays.end());
  return delays[delays.size() / 2];
}

TEST(OverloadGaugeTest, ComeBackWhenAllBeforeYouAreServed) {
  // A thousand wait and a thousand a second are served.
  EXPECT_NEAR(Middle(DelaysAfter(1000, 0, 1000)), 1000, 100);
  // As many again were refused, and will come back.
  EXPECT_NEAR(Middle(DelaysAfter(1000, 1000, 1000)), 2000, 100);
  EXPECT_NEAR(Middle(DelaysAfter(1000, 4000, 1000)), 5000, 200);
  EXPECT_NEAR(Middle(DelaysAfter(10000, 0, 1000)), 100, 20);
}

TEST(OverloadGaugeTest, NeitherAtOnceNorNever) {
  EXPECT_NEAR(Middle(DelaysAfter(1'000'000, 0, 1)), 100, 10);
  EXPECT_NEAR(Middle(DelaysAfter(0, 0, 100000)), 30000, 1500);
}

TEST(OverloadGaugeTest, ThoseRefusedTogetherDoNotComeBackTogether) {
  std::vector<double> delays = DelaysAfter(1000, 0, 10000);
  std::sort(delays.begin(), delays.end());
  EXPECT_GE(delays.front(), 5000);
  EXPECT_LE(delays.back(), 15000 + 150);
  EXPECT_LT(delays.front(), 5500);
  EXPECT_GT(delays.back(), 14500);
  for (std::size_t i = 1; i < delays.size(); ++i) {
    EXPECT_LT(delays[i] - delays[i - 1], 400);
  }
}

TEST(OverloadGaugeTest, IsReportedOnceASecond) {
  OverloadGauge gauge(kBegin);
  EXPECT_EQ(gauge.Unreported(kBegin), std::nullopt);
  gauge.Refused(1, kBegin);
  EXPECT_EQ(gauge.Unreported(kBegin), 1u);
  for (int i = 0; i < 5; ++i) gauge.Refused(1, kBegin + milliseconds(10));
  EXPECT_EQ(gauge.Unreported(kBegin + milliseconds(999)), std::nullopt);
  EXPECT_EQ(gauge.Unreported(kBegin + milliseconds(1000)), 5u);
  EXPECT_EQ(gauge.Unreported(kBegin + milliseconds(3000)), std::nullopt);
}

}  // namespace
}  // namespace hourglass::issuance
