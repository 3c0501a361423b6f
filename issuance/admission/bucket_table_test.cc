#include "issuance/admission/bucket_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>
#include <vector>

namespace hourglass::issuance {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp kStart{std::chrono::hours(24 * 365 * 50)};
const BucketShape kDevice({10, minutes(5)});

TEST(BucketTableTest, EachHasItsOwn) {
  BucketTable table(1024);
  // Of one place, and of others; 0 and 1 are of one as well, which a hash is not likely to be.
  const std::vector<std::uint64_t> askers = {1, 2, 1 + 128, 1 + (std::uint64_t{1} << 40), ~0ULL};
  for (const std::uint64_t asker : askers) {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(table.Take(asker, kDevice, kStart), std::nullopt);
  }
  for (const std::uint64_t asker : askers) {
    EXPECT_EQ(table.Take(asker, kDevice, kStart), seconds(30)) << asker;
  }
  EXPECT_EQ(table.Take(3, kDevice, kStart), std::nullopt);
}

TEST(BucketTableTest, WhatIsGivenBackWasNotTaken) {
  BucketTable table(1024);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(table.Take(7, kDevice, kStart), std::nullopt);
  table.GiveBack(7, kDevice);
  table.GiveBack(8, kDevice);  // who never took any
  EXPECT_EQ(table.Take(7, kDevice, kStart), std::nullopt);
  EXPECT_NE(table.Take(7, kDevice, kStart), std::nullopt);
}

// Ids without end, each asked for once, as a broker would that wants to be rid of the limits.
TEST(BucketTableTest, OneThatLoopsIsNotForgottenForAnyNumberOfOthers) {
  BucketTable table(512);
  std::mt19937_64 random(5);
  const std::uint64_t looping = random();
  for (int i = 0; i < 10; ++i) ASSERT_EQ(table.Take(looping, kDevice, kStart), std::nullopt);
  Timestamp now = kStart;
  int served = 0;
  for (int i = 0; i < 300'000; ++i) {
    now += std::chrono::milliseconds(1);
    ASSERT_EQ(table.Take(random(), kDevice, now), std::nullopt);
    if (!table.Take(looping, kDevice, now).has_value()) ++served;
  }
  // Five minutes at one in 30 seconds.
  EXPECT_EQ(served, 10);
}

// With room for all it is a map.
TEST(BucketTableTest, IsAMapOfBucketsWhereThereIsRoom) {
  BucketTable table(1 << 16);
  std::map<std::uint64_t, TokenBucket> map;
  std::mt19937_64 random(6);
  std::vector<std::uint64_t> askers(2000);
  for (std::uint64_t& asker : askers) asker = random();
  Timestamp now = kStart;
  for (int i = 0; i < 200'000; ++i) {
    now += std::chrono::milliseconds(random() % 20);
    const std::uint64_t asker = askers[random() % askers.size()];
    ASSERT_EQ(table.Take(asker, kDevice, now), map[asker].Take(kDevice, now));
  }
}

TEST(BucketTableTest, SeveralThreadsGetNoMoreTogetherThanOne) {
  BucketTable table(1024);
  const BucketShape shape({1000, std::chrono::hours(1)});
  std::vector<int> taken(4);
  std::vector<std::thread> threads;
  for (int& count : taken) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        if (!table.Take(42, shape, kStart).has_value()) ++count;
        static_cast<void>(table.Take(static_cast<std::uint64_t>(i) << 32, shape, kStart));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken[0] + taken[1] + taken[2] + taken[3], 1000);
}

}  // namespace
}  // namespace hourglass::issuance
