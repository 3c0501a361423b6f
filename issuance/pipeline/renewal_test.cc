#include "issuance/pipeline/renewal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

using std::chrono::floor;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp kNow =
    std::chrono::sys_days(std::chrono::year{2026} / 3 / 2) + hours(9) + microseconds(250'000);

// A certificate that is issued at `now` to one of a user's devices.
Intent IssuedAt(Timestamp now, const std::string& device, seconds life = hours(1)) {
  Intent intent;
  intent.tenant_id = "contoso";
  intent.user_id = "user-1";
  intent.device_id = device;
  intent.not_before = floor<seconds>(now) - minutes(5);
  intent.not_after = floor<seconds>(now) + life;
  intent.intended_at = now;
  return intent;
}

double ShareOf(Timestamp now, const Intent& intent) {
  return std::chrono::duration<double>(RenewAfter(now, intent) - now) /
         std::chrono::duration<double>(intent.not_after - now);
}

// Worked out from the rule in Python.
TEST(RenewalTest, IsTheDevicesOwnMoment) {
  EXPECT_EQ(RenewAfter(kNow, IssuedAt(kNow, "laptop-1")) - kNow, microseconds(1'871'907'225));
}

TEST(RenewalTest, WhoAsksWhenTheMomentIsTheEarliestGetsThatOneAndNotTheNext) {
  const Intent intent = IssuedAt(kNow, "laptop-1");
  const Timestamp moment = RenewAfter(kNow, intent);
  // An eighth of what is left, after `now`, is the moment.
  Timestamp now = moment - (intent.not_after - moment) / 7 - microseconds(10);
  while (now + (Timestamp(intent.not_after) - now) / 8 < moment) now += microseconds(1);
  ASSERT_EQ(now + (Timestamp(intent.not_after) - now) / 8, moment);
  EXPECT_EQ(RenewAfter(now, intent), moment);
}

TEST(RenewalTest, IsWellBeforeTheCertificateExpiresWhateverTheLife) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const seconds life(300 + random() % (24 * 3600 - 299));
    const Timestamp now = kNow + microseconds(random() % 1'000'000'000'000);
    const double share = ShareOf(now, IssuedAt(now, absl::StrCat("laptop-", i), life));
    EXPECT_GE(share, 0.125 - 1e-6) << life.count();
    EXPECT_LE(share, 0.75 + 1e-6) << life.count();
  }
}

TEST(RenewalTest, IsWithinWhatIsLeftForWhoeverRepeatsARequestLate) {
  const Intent intent = IssuedAt(kNow, "laptop-1");
  for (int minute = 0; minute < 60; ++minute) {
    const double share = ShareOf(kNow + minutes(minute), intent);
    EXPECT_GE(share, 0.125 - 1e-6) << minute;
    EXPECT_LE(share, 0.75 + 1e-6) << minute;
  }
}

TEST(RenewalTest, IsFiveEighthsOfTheLifeForWhoeverComesWhenTold) {
  Timestamp now = RenewAfter(kNow, IssuedAt(kNow, "laptop-1"));
  for (int i = 0; i < 50; ++i) {
    const Timestamp told = RenewAfter(now, IssuedAt(now, "laptop-1"));
    EXPECT_EQ(told - now, seconds(2250));
    now = told;
  }
}

TEST(RenewalTest, BringsWhoeverWasLateBackToTheSameMoments) {
  const Timestamp moment = RenewAfter(kNow, IssuedAt(kNow, "laptop-1"));
  // 7 1/2 minutes are an eighth of the life.
  for (const seconds late : {seconds(1), seconds(60), seconds(449)}) {
    EXPECT_EQ(RenewAfter(moment + late, IssuedAt(moment + late, "laptop-1")),
              moment + seconds(2250))
        << late.count();
  }
  const Timestamp much_later = moment + hours(15) + minutes(7);
  const auto since = RenewAfter(much_later, IssuedAt(much_later, "laptop-1")) - moment;
  EXPECT_EQ(since % seconds(2250), microseconds(0));
}

TEST(RenewalTest, IsTheSameForARepeatedRequest) {
  const Intent intent = IssuedAt(kNow, "laptop-1");
  EXPECT_EQ(RenewAfter(kNow, intent), RenewAfter(kNow, intent));
  EXPECT_EQ(RenewAfter(kNow + minutes(5), intent), RenewAfter(kNow, intent));
}

// The time between intent and answer, and where in its second a request came, change nothing.
TEST(RenewalTest, DoesNotDependOnHowLongTheRequestTook) {
  const Timestamp answered = kNow + seconds(4);
  Intent slow = IssuedAt(kNow, "laptop-1");
  slow.intended_at = answered;
  EXPECT_EQ(RenewAfter(answered, slow), RenewAfter(kNow, IssuedAt(kNow, "laptop-1")));
}

TEST(RenewalTest, SpreadsAFleetOverAllTheTimeBetweenTwoRenewals) {
  constexpr int kDevices = 50'000;
  constexpr int kShares = 25;
  std::array<int, kShares> counts = {};
  const Timestamp earliest = kNow + (floor<seconds>(kNow) + hours(1) - kNow) / 8;
  for (int i = 0; i < kDevices; ++i) {
    const auto after = RenewAfter(kNow, IssuedAt(kNow, absl::StrCat("laptop-", i))) - earliest;
    ++counts[std::min<int>(kShares - 1, after / seconds(2250 / kShares))];
  }
  // 2000 are expected in each, give or take 44 (one standard deviation).
  EXPECT_GT(*std::min_element(counts.begin(), counts.end()), 1800);
  EXPECT_LT(*std::max_element(counts.begin(), counts.end()), 2200);
}

TEST(RenewalTest, TellsTenantsUsersAndDevicesApart) {
  const Intent intent = IssuedAt(kNow, "laptop-1");
  for (std::string Intent::*field : {&Intent::tenant_id, &Intent::user_id, &Intent::device_id}) {
    Intent other = intent;
    (other.*field) += "0";
    EXPECT_NE(RenewAfter(kNow, other), RenewAfter(kNow, intent));
  }
  Intent run_together = intent;
  run_together.user_id = "user-1l";
  run_together.device_id = "aptop-1";
  EXPECT_NE(RenewAfter(kNow, run_together), RenewAfter(kNow, intent));
}

TEST(RenewalTest, DependsOnNothingThatIsNewWithEachCertificate) {
  const Intent intent = IssuedAt(kNow, "laptop-1");
  Intent other = intent;
  other.serial_number = std::string(16, '\x7f');
  other.request_id = "another";
  other.epoch = 9;
  EXPECT_EQ(RenewAfter(kNow, other), RenewAfter(kNow, intent));
}

}  // namespace
}  // namespace hourglass::issuance
