#include "issuance/renewal.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>

namespace hourglass::issuance {
namespace {

constexpr Timestamp kNow = std::chrono::sys_days(std::chrono::year{2026} / 3 / 2) +
                           std::chrono::hours(9) + std::chrono::microseconds(250'000);

Intent HourLong(const std::string& last_octets_of_serial) {
  Intent intent;
  intent.serial_number = std::string(12, '\x01') + last_octets_of_serial;
  intent.not_after = std::chrono::floor<std::chrono::seconds>(kNow) + std::chrono::hours(1);
  return intent;
}

double ShareOfLife(const Intent& intent) {
  return std::chrono::duration<double>(RenewAfter(kNow, intent) - kNow) /
         std::chrono::duration<double>(intent.not_after - kNow);
}

TEST(RenewalTest, IsBetweenHalfAndThreeQuartersOfTheLifeThatIsLeft) {
  EXPECT_NEAR(ShareOfLife(HourLong(std::string(4, '\0'))), 0.5, 1e-6);
  EXPECT_NEAR(ShareOfLife(HourLong(std::string("\x80\0\0\0", 4))), 0.625, 1e-6);
  EXPECT_NEAR(ShareOfLife(HourLong(std::string(4, '\xff'))), 0.75, 1e-6);
}

TEST(RenewalTest, IsTheSameForTheSameCertificateAndSpreadOverOthers) {
  std::set<Timestamp> times;
  for (int first = 0; first < 256; ++first) {
    const Intent intent = HourLong(std::string(1, static_cast<char>(first)) + "abc");
    EXPECT_EQ(RenewAfter(kNow, intent), RenewAfter(kNow, intent));
    times.insert(RenewAfter(kNow, intent));
  }
  EXPECT_EQ(times.size(), 256u);
}

}  // namespace
}  // namespace hourglass::issuance
