#include "tools/agent/backoff.h"

#include <gtest/gtest.h>

namespace hourglass::agent {
namespace {

constexpr double kAlmostOne = 0.999999;

TEST(BackoffTest, DoublesFromOneSecondToSixtyBetweenHalfAndAll) {
  const int seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
  int failures = 0;
  for (const int longest : seconds) {
    ++failures;
    EXPECT_EQ(Backoff(failures, 0), absl::Seconds(longest) / 2) << failures;
    EXPECT_LE(Backoff(failures, kAlmostOne), absl::Seconds(longest)) << failures;
    EXPECT_GT(Backoff(failures, kAlmostOne), absl::Seconds(longest) * 0.99) << failures;
  }
}

TEST(BackoffTest, StaysBoundedForEver) { EXPECT_EQ(Backoff(2'000'000'000, 0), absl::Seconds(30)); }

TEST(BackoffTest, NeverComesBackBeforeTheServiceSaidNorMuchLater) {
  EXPECT_EQ(Stretched(absl::Seconds(20), 0), absl::Seconds(20));
  EXPECT_GT(Stretched(absl::Seconds(20), kAlmostOne), absl::Seconds(24));
  EXPECT_LE(Stretched(absl::Seconds(20), kAlmostOne), absl::Seconds(25));
}

TEST(BackoffTest, NoServiceStopsAnAgentForGood) {
  EXPECT_EQ(Stretched(absl::InfiniteDuration(), 0), absl::Hours(1));
  EXPECT_EQ(Stretched(-absl::Hours(1), kAlmostOne), absl::ZeroDuration());
}

}  // namespace
}  // namespace hourglass::agent
