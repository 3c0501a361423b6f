#include "issuance/admission/token_bucket.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace hourglass::issuance {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp kStart{std::chrono::hours(24 * 365 * 50)};

TEST(TokenBucketTest, HoldsSoManyAndThenFillsEvenly) {
  const BucketShape shape({10, minutes(5)});
  TokenBucket bucket;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bucket.Take(shape, kStart), std::nullopt) << i;
  EXPECT_EQ(bucket.Take(shape, kStart), seconds(30));
  EXPECT_EQ(bucket.Take(shape, kStart + seconds(29)), seconds(1));
  EXPECT_EQ(bucket.Take(shape, kStart + seconds(30)), std::nullopt);
  EXPECT_EQ(bucket.Take(shape, kStart + seconds(30)), seconds(30));
  // Full after all that, and no fuller.
  const Timestamp later = kStart + std::chrono::hours(1);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bucket.Take(shape, later), std::nullopt) << i;
  EXPECT_NE(bucket.Take(shape, later), std::nullopt);
}

TEST(TokenBucketTest, WhatIsRefusedCostsNothing) {
  const BucketShape shape({1, seconds(10)});
  TokenBucket bucket;
  EXPECT_EQ(bucket.Take(shape, kStart), std::nullopt);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(bucket.Take(shape, kStart), seconds(10));
  EXPECT_EQ(bucket.Take(shape, kStart + seconds(10)), std::nullopt);
}

TEST(TokenBucketTest, WhatIsGivenBackWasNotTaken) {
  const BucketShape shape({2, seconds(10)});
  TokenBucket bucket;
  EXPECT_EQ(bucket.Take(shape, kStart), std::nullopt);
  EXPECT_EQ(bucket.Take(shape, kStart), std::nullopt);
  bucket.GiveBack(shape);
  EXPECT_EQ(bucket.Take(shape, kStart), std::nullopt);
  EXPECT_EQ(bucket.Take(shape, kStart), seconds(5));
}

TEST(TokenBucketTest, AClockThatGoesBackMakesNobodyWaitForLongerThanAnInterval) {
  const BucketShape shape({10, minutes(5)});
  TokenBucket bucket;
  EXPECT_EQ(bucket.Take(shape, kStart), std::nullopt);
  const Timestamp earlier = kStart - std::chrono::hours(24 * 365);
  EXPECT_EQ(bucket.Take(shape, earlier), seconds(30));
  EXPECT_EQ(bucket.Take(shape, earlier + seconds(30)), std::nullopt);
}

TEST(TokenBucketTest, AnIntervalIsRoundedUp) {
  EXPECT_EQ(BucketShape({1'000'000, seconds(1)}).interval(), microseconds(1));
  EXPECT_EQ(BucketShape({3, seconds(1)}).interval(), microseconds(333'334));
  EXPECT_EQ(BucketShape({999'999, seconds(1)}).interval(), microseconds(2));
}

// Whatever is asked whenever: as a counter of tokens has it that adds one each interval.
TEST(TokenBucketTest, IsACounterOfTokens) {
  std::mt19937_64 random(20261130);
  for (int round = 0; round < 200; ++round) {
    const Allowance allowance = {static_cast<int>(1 + random() % 40),
                                 milliseconds(1000 + random() % 100'000)};
    const BucketShape shape(allowance);
    TokenBucket bucket;
    Timestamp now = kStart;
    // In microseconds of filling, so that nothing is rounded.
    microseconds held = shape.to_fill();
    for (int i = 0; i < 300; ++i) {
      const microseconds pause(random() % 4 == 0 ? random() % (2 * shape.interval().count()) : 0);
      now += pause;
      held = std::min(held + pause, shape.to_fill());
      const std::optional<microseconds> refused = bucket.Take(shape, now);
      ASSERT_EQ(refused.has_value(), held < shape.interval());
      if (refused.has_value()) {
        ASSERT_EQ(*refused, shape.interval() - held);
      } else {
        held -= shape.interval();
      }
    }
  }
}

// In every span of time: no more than it holds and what comes in that span; and who comes back when
// he is told to gets one.
TEST(TokenBucketTest, NeverGivesMoreThanAllowedAndAlwaysWhatItPromised) {
  std::mt19937_64 random(41);
  for (int round = 0; round < 50; ++round) {
    const Allowance allowance = {static_cast<int>(1 + random() % 10),
                                 milliseconds(1000 + random() % 10'000)};
    const BucketShape shape(allowance);
    TokenBucket bucket;
    Timestamp now = kStart;
    std::vector<Timestamp> taken;
    for (int i = 0; i < 300; ++i) {
      now += microseconds(random() % shape.interval().count());
      const std::optional<microseconds> refused = bucket.Take(shape, now);
      if (refused.has_value()) {
        TokenBucket as_it_is = bucket;
        EXPECT_NE(as_it_is.Take(shape, now + *refused - microseconds(1)), std::nullopt);
        EXPECT_EQ(as_it_is.Take(shape, now + *refused), std::nullopt);
      } else {
        taken.push_back(now);
      }
    }
    for (std::size_t first = 0; first < taken.size(); ++first) {
      for (std::size_t last = first; last < taken.size(); ++last) {
        const auto span = taken[last] - taken[first];
        ASSERT_LE(static_cast<std::int64_t>(last - first + 1),
                  allowance.requests + span / shape.interval());
      }
    }
  }
}

}  // namespace
}  // namespace hourglass::issuance
