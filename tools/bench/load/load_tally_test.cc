#include "tools/bench/load/load_tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace hourglass::bench {
namespace {

void Issue(LoadTally& tally) {
  const LoadClock::time_point now = LoadClock::now();
  tally.Issued(now, now, [] { return SampledAnswer{7, "answer"}; });
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
