#include "ca/certificate/profile.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(LeafProfileTest, DefaultsAreAsDocumented) {
  ASSERT_OK_AND_ASSIGN(const LeafProfile profile, LeafProfile::Create({}));
  EXPECT_EQ(profile.backdate(), minutes(5));
  EXPECT_EQ(profile.lifetime(), minutes(60));
  EXPECT_TRUE(profile.no_rev_avail());
  EXPECT_FALSE(profile.sid_uri());
}

TEST(LeafProfileTest, LimitsAreInclusive) {
  EXPECT_OK(LeafProfile::Create({.backdate = seconds(0), .lifetime = minutes(5)}));
  EXPECT_OK(LeafProfile::Create({.backdate = hours(1), .lifetime = hours(24)}));
}

TEST(LeafProfileTest, RefusesWhatLiesBeyond) {
  for (const seconds backdate : {seconds(-1), seconds(3601), seconds::max(), seconds::min()}) {
    EXPECT_THAT(LeafProfile::Create({.backdate = backdate}),
                FailsWith(ErrorReason::kConfigurationInvalid, "backdate"));
  }
  for (const seconds lifetime : {seconds(299), seconds(86401), seconds(0), seconds::max()}) {
    EXPECT_THAT(LeafProfile::Create({.lifetime = lifetime}),
                FailsWith(ErrorReason::kConfigurationInvalid, "lifetime"));
  }
}

}  // namespace
}  // namespace hourglass::ca
