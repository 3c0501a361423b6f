#include "tools/bench/load/load_tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace hourglass::bench {
namespace {

void Issue(LoadTally& tally, LoadClock::time_point intended = LoadClock::now()) {
  tally.Issued(intended, intended, [] { return SampledAnswer{7, "answer"}; });
}

TEST(LoadTallyTest, KeepsTheFirstAnswerAndThenASample) {
  LoadTally tally(LoadTally::Membership::kByAnswer);
  Issue(tally);
  tally.Begin();
  for (int i = 0; i < 62; ++i) Issue(tally);
  const LoadResult result = tally.End();
  EXPECT_EQ(result.certificates, 62u);
  EXPECT_EQ(result.latencies.count(), 62u);
  ASSERT_THAT(result.samples, testing::SizeIs(2));
  EXPECT_EQ(result.samples[0].request, 7u);
  EXPECT_EQ(result.samples[0].response, "answer");
}

TEST(LoadTallyTest, KeepsTheTimesOfAllIfItIsTo) {
  LoadTally dropping(LoadTally::Membership::kByAnswer);
  dropping.Begin();
  Issue(dropping);
  EXPECT_THAT(dropping.End().times, testing::IsEmpty());

  LoadTally keeping(LoadTally::Membership::kByIntention, LoadTally::Times::kKept);
  keeping.Begin();
  const LoadClock::time_point first = LoadClock::now();
  keeping.Sent(first);
  Issue(keeping, first);
  const LoadClock::time_point second = LoadClock::now();
  ASSERT_GT(second, first);
  keeping.Sent(second);
  Issue(keeping, second);
  keeping.Sent(second);
  keeping.Failed(second, "OVERLOADED");
  const LoadResult result = keeping.End();
  ASSERT_THAT(result.times, testing::SizeIs(2));
  EXPECT_EQ(result.times[0].intended, first);
  EXPECT_EQ(result.times[1].intended, second);
  EXPECT_GE(result.times[1].latency.count(), 0);
  EXPECT_EQ(result.samples[0].sent, first);
}

TEST(LoadTallyTest, LatenciesBetweenTwoTimesAreThoseIntendedThen) {
  using std::chrono::seconds;
  const LoadClock::time_point zero;
  LoadResult result;
  for (int i = 0; i < 5; ++i) {
    result.times.push_back({zero + seconds(i), std::chrono::microseconds(i + 1)});
  }
  const LatencyHistogram some = result.LatenciesBetween(zero + seconds(1), zero + seconds(4));
  EXPECT_EQ(some.count(), 3u);
  EXPECT_NEAR(some.QuantileMicroseconds(0), 2, 0.1);
  EXPECT_NEAR(some.QuantileMicroseconds(1), 4, 0.1);
  EXPECT_EQ(result.LatenciesBetween(zero, zero + seconds(9)).count(), 5u);
  EXPECT_EQ(result.LatenciesBetween(zero + seconds(2), zero + seconds(2)).count(), 0u);
}

TEST(LoadTallyTest, CountsWhatOfTheWindowIsAskedAgain) {
  LoadTally tally(LoadTally::Membership::kByIntention);
  const LoadClock::time_point before = LoadClock::now();
  tally.Begin();
  const LoadClock::time_point within = LoadClock::now();
  tally.Sent(before);
  tally.Sent(within);
  tally.AskedAgain(before);
  tally.AskedAgain(within);
  Issue(tally, within);
  const LoadResult result = tally.End();
  EXPECT_EQ(result.asked_again, 1u);
  EXPECT_EQ(result.certificates, 1u);
  EXPECT_THAT(result.errors, testing::IsEmpty());
}

// A window may end at any moment, also in the middle of its first answer.
TEST(LoadTallyTest, NoWindowCountsCertificatesAndKeepsNone) {
  LoadTally tally(LoadTally::Membership::kByAnswer);
  std::atomic<bool> stopping = false;
  std::thread issuing([&] {
    while (!stopping) Issue(tally);
  });
  for (int window = 0; window < 200; ++window) {
    tally.Begin();
    while (tally.Certificates() == 0) std::this_thread::yield();
    EXPECT_THAT(tally.End().samples, testing::Not(testing::IsEmpty()));
  }
  stopping = true;
  issuing.join();
}

}  // namespace
}  // namespace hourglass::bench
