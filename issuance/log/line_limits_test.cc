#include "issuance/log/line_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace hourglass::issuance {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

std::map<std::string, std::uint64_t> ByKind(const std::vector<LineLimits::LeftOut>& left_out) {
  std::map<std::string, std::uint64_t> by_kind;
  for (const LineLimits::LeftOut& one : left_out) by_kind[one.kind] += one.lines;
  return by_kind;
}

TEST(LineLimitsTest, WritesAllUpToTheLimitAndThenEveryHundredth) {
  LineLimits limits;
  for (int line = 1; line <= 3; ++line) EXPECT_TRUE(limits.Count("kind", 3).write);
  for (int line = 1; line < 100; ++line) EXPECT_FALSE(limits.Count("kind", 3).write);
  const LineLimits::Decision hundredth = limits.Count("kind", 3);
  EXPECT_TRUE(hundredth.write);
  EXPECT_EQ(hundredth.left_out, 99u);
  EXPECT_FALSE(limits.Count("kind", 3).write);
  EXPECT_THAT(ByKind(limits.NextPeriod()), UnorderedElementsAre(Pair("kind", 1)));
}

TEST(LineLimitsTest, EveryKindAndEveryPeriodHasItsOwnLimit) {
  LineLimits limits;
  EXPECT_TRUE(limits.Count("one", 1).write);
  EXPECT_FALSE(limits.Count("one", 1).write);
  EXPECT_TRUE(limits.Count("two", 1).write);
  EXPECT_THAT(ByKind(limits.NextPeriod()), UnorderedElementsAre(Pair("one", 1)));
  const LineLimits::Decision next = limits.Count("one", 1);
  EXPECT_TRUE(next.write);
  EXPECT_EQ(next.left_out, 0u);
  EXPECT_THAT(limits.NextPeriod(), IsEmpty());
}

TEST(LineLimitsTest, WhatWasTakenBackIsToldLater) {
  LineLimits limits;
  EXPECT_TRUE(limits.Count("kind", 1).write);
  for (int line = 1; line < 100; ++line) EXPECT_FALSE(limits.Count("kind", 1).write);
  limits.TakeBack("kind", limits.Count("kind", 1));
  EXPECT_THAT(ByKind(limits.NextPeriod()), UnorderedElementsAre(Pair("kind", 100)));
}

TEST(LineLimitsTest, RemembersABoundedNumberOfKinds) {
  LineLimits limits;
  for (std::size_t kind = 0; kind < LineLimits::kMaxKinds; ++kind) {
    EXPECT_TRUE(limits.Count(std::to_string(kind), 1).write);
  }
  EXPECT_TRUE(limits.Count("more", 1).write);
  EXPECT_FALSE(limits.Count("still more", 1).write);
  EXPECT_FALSE(limits.Count("0", 1).write);
  EXPECT_THAT(ByKind(limits.NextPeriod()), UnorderedElementsAre(Pair("", 1), Pair("0", 1)));
}

}  // namespace
}  // namespace hourglass::issuance
