// The rates in closed form beside devices that follow the service's own rule.
#include "tools/scaling/fleet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/base/clock.h"
#include "issuance/pipeline/renewal.h"
#include "issuance/store/records.h"

namespace hourglass::scaling {
namespace {

using issuance::Timestamp;
using std::chrono::minutes;

constexpr int kDevices = 200'000;
constexpr Timestamp kNine =
    std::chrono::sys_days(std::chrono::year{2026} / 3 / 2) + std::chrono::hours(9);

issuance::Intent IntentAt(Timestamp now, int device) {
  issuance::Intent intent;
  intent.tenant_id = "contoso";
  intent.user_id = absl::StrCat("user-", device);
  intent.device_id = absl::StrCat("device-", device);
  intent.not_after = std::chrono::floor<std::chrono::seconds>(now) + std::chrono::hours(1);
  intent.intended_at = now;
  return intent;
}

// Certificates a second, a minute at a time over three hours, where all start evenly within
// `window`.
std::vector<double> Rates(minutes window) {
  constexpr minutes kDuration(180);
  std::vector<double> rates(kDuration.count());
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::int64_t> start(0,
                                                    std::chrono::microseconds(window).count() - 1);
  for (int device = 0; device < kDevices; ++device) {
    Timestamp now = kNine + std::chrono::microseconds(start(random));
    while (now < kNine + kDuration) {
      rates[std::chrono::floor<minutes>(now - kNine).count()] += 1.0 / 60;
      now = issuance::RenewAfter(now, IntentAt(now, device));
    }
  }
  return rates;
}

TEST(FleetTest, AFleetThatIsOnAsksAtTheSteadyRate) {
  const std::vector<double> rates = Rates(minutes(10));
  for (std::size_t minute = 60; minute < rates.size(); ++minute) {
    EXPECT_NEAR(rates[minute] / SteadyRate(kDevices), 1, 0.06) << minute;
  }
  // docs/performance.md: 44.4 requests a second of 100 000.
  EXPECT_NEAR(SteadyRate(100'000), 44.4, 0.05);
}

TEST(FleetTest, TheMorningIsAsBusyAsTheWindowIsShort) {
  for (const int window : {2, 7, 15, 30, 60}) {
    const std::vector<double> rates = Rates(minutes(window));
    // The fullest minute is one of many, each of which chance makes fuller or emptier by some
    // percents; while the rate rises, a minute's mean is below its end.
    const double peak = *std::max_element(rates.begin(), rates.end());
    EXPECT_NEAR(peak / MorningRate(kDevices, minutes(window)), 1, 0.06) << window;
  }
}

TEST(FleetTest, FactorsOfTheMorning) {
  EXPECT_DOUBLE_EQ(MorningRate(1e6, minutes(30)) / SteadyRate(1e6), 2);
  EXPECT_DOUBLE_EQ(MorningRate(1e6, minutes(60)) / SteadyRate(1e6), 1.5);
  EXPECT_DOUBLE_EQ(MorningRate(1e6, minutes(15)) / SteadyRate(1e6), 3);
  // Before anybody is back.
  EXPECT_DOUBLE_EQ(MorningRate(1e6, minutes(5)), 1e6 / 300);
}

}  // namespace
}  // namespace hourglass::scaling
