#include "issuance/calls/issuance_counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(IssuanceCountersTest, CountsEachReasonByItself) {
  IssuanceCounters counters;
  EXPECT_THAT(counters.Totals(), IsEmpty());
  std::map<ErrorReason, std::uint64_t> wanted;
  for (int i = 1; i <= static_cast<int>(ErrorReason::kInternalError); ++i) {
    const auto reason = static_cast<ErrorReason>(i);
    for (int times = 0; times < i; ++times) counters.Count(Error(reason, "field", "why"));
    wanted[reason] = static_cast<std::uint64_t>(i);
  }
  EXPECT_EQ(counters.Totals(), wanted);
}

TEST(IssuanceCountersTest, WhatWasIssuedHasNoReason) {
  IssuanceCounters counters;
  counters.Count(absl::OkStatus());
  counters.Count(absl::OkStatus());
  EXPECT_THAT(counters.Totals(), ElementsAre(Pair(ErrorReason::kUnspecified, 2)));
}

// As its caller is told, and never as one that was issued.
TEST(IssuanceCountersTest, AnErrorWithoutAReasonIsAnInternalOne) {
  IssuanceCounters counters;
  counters.Count(absl::UnavailableError("odd"));
  counters.Count(Error(ErrorReason::kInternalError, "", "broken"));
  EXPECT_THAT(counters.Totals(), ElementsAre(Pair(ErrorReason::kInternalError, 2)));
}

TEST(IssuanceCountersTest, LosesNothingOfSeveralThreads) {
  IssuanceCounters counters;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&counters] {
      for (int times = 0; times < 1000; ++times) {
        counters.Count(absl::OkStatus());
        counters.Count(Error(ErrorReason::kOverloaded, "", "too much"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(counters.Totals(), ElementsAre(Pair(ErrorReason::kUnspecified, 4000),
                                             Pair(ErrorReason::kOverloaded, 4000)));
}

}  // namespace
}  // namespace hourglass::issuance
