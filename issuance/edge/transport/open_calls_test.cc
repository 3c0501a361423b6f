#include "issuance/edge/transport/open_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace hourglass::issuance {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using Time = OpenCalls::Connection::Time;

constexpr char kPeer[] = "ipv4:192.0.2.7:40000";
constexpr char kOtherPeer[] = "ipv4:192.0.2.7:40001";
constexpr Time kNow{seconds(1000)};

OpenCalls::Limits Few() {
  OpenCalls::Limits limits;
  limits.of_connection = 10;
  limits.of_connection_in_flood = 2;
  limits.refused_of_caller = 4;
  limits.forgotten_a_second = 1;
  return limits;
}

TEST(OpenCallsTest, AConnectionIsAheadByAFew) {
  OpenCalls open(Few());
  const auto connection = open.Open(kPeer, "broker", kNow);
  const auto other = open.Open(kOtherPeer, "broker", kNow);
  EXPECT_EQ(connection->Begin(10, kNow), "");
  EXPECT_THAT(connection->Begin(1, kNow), HasSubstr("more than 10 calls began"));
  EXPECT_EQ(other->Begin(10, kNow), "");
}

TEST(OpenCallsTest, CallsThatAreDoneWithMakeRoom) {
  OpenCalls open(Few());
  const auto connection = open.Open(kPeer, "broker", kNow);
  for (int i = 0; i < 1000; ++i) {
    std::vector<OpenCalls::Call> calls;
    for (int j = 0; j < 10; ++j) {
      ASSERT_EQ(connection->Begin(1, kNow), "");
      calls.push_back(open.Follow(kPeer));
    }
  }
  // Those of another connection make none.
  EXPECT_EQ(connection->Begin(10, kNow), "");
  { const OpenCalls::Call others = open.Follow(kOtherPeer); }
  EXPECT_THAT(connection->Begin(1, kNow), HasSubstr("more than 10 calls began"));
}

// No more room than there is, however many of the calls that were done with had been forgotten.
TEST(OpenCallsTest, WhatIsNeverToldOfIsForgotten) {
  OpenCalls open(Few());
  const auto connection = open.Open(kPeer, "broker", kNow);
  EXPECT_EQ(connection->Begin(10, kNow), "");
  EXPECT_EQ(connection->Begin(3, kNow + seconds(3)), "");
  EXPECT_EQ(connection->Begin(10, kNow + seconds(600)), "");
  for (int i = 0; i < 10; ++i) const OpenCalls::Call late = open.Follow(kPeer);
  EXPECT_EQ(connection->Begin(10, kNow + seconds(600)), "");
  EXPECT_THAT(connection->Begin(1, kNow + seconds(600)), HasSubstr("more than 10 calls began"));
}

TEST(OpenCallsTest, InAFloodOfRefusalsEachConnectionHasLess) {
  OpenCalls open(Few());
  const auto connection = open.Open(kPeer, "broker", kNow);
  const auto other = open.Open(kOtherPeer, "broker", kNow);
  const auto of_another_caller = open.Open("ipv4:192.0.2.9:40000", "other-broker", kNow);
  EXPECT_EQ(connection->Begin(4, kNow), "");
  std::vector<OpenCalls::Call> refused;
  for (int i = 0; i < 3; ++i) {
    refused.push_back(open.Follow(kPeer));
    refused.back().Refuse();
    refused.back().Refuse();
  }
  EXPECT_EQ(other->Begin(3, kNow), "");
  refused.push_back(open.Follow(kPeer));
  refused.back().Refuse();
  EXPECT_THAT(connection->Begin(1, kNow), HasSubstr("its caller has 4 refused calls"));
  EXPECT_THAT(other->Begin(1, kNow), HasSubstr("its caller has 4 refused calls"));
  EXPECT_EQ(of_another_caller->Begin(10, kNow), "");
  // With two or fewer it goes on.
  const auto sound = open.Open("ipv4:192.0.2.7:40002", "broker", kNow);
  EXPECT_EQ(sound->Begin(2, kNow), "");
  refused.pop_back();
  EXPECT_EQ(sound->Begin(2, kNow), "");
}

TEST(OpenCallsTest, AMovedCallIsDoneWithOnce) {
  OpenCalls open(Few());
  const auto connection = open.Open(kPeer, "broker", kNow);
  EXPECT_EQ(connection->Begin(10, kNow), "");
  {
    OpenCalls::Call first = open.Follow(kPeer);
    OpenCalls::Call second = std::move(first);
    first = std::move(second);
    EXPECT_THAT(connection->Begin(1, kNow), HasSubstr("more than 10 calls began"));
  }
  // Eleven began, and one is done with.
  EXPECT_EQ(connection->Begin(0, kNow), "");
  EXPECT_THAT(connection->Begin(1, kNow), HasSubstr("more than 10 calls began"));
}

// The port of a connection may come back before the last of it is gone.
TEST(OpenCallsTest, ALaterConnectionOfThePeerIsAnother) {
  OpenCalls open(Few());
  auto earlier = open.Open(kPeer, "broker", kNow);
  EXPECT_EQ(earlier->Begin(1, kNow), "");
  OpenCalls::Call of_earlier = open.Follow(kPeer);
  const auto later = open.Open(kPeer, "broker", kNow);
  EXPECT_EQ(later->Begin(10, kNow), "");
  of_earlier = OpenCalls::Call();
  EXPECT_THAT(later->Begin(1, kNow), HasSubstr("more than 10 calls began"));
  earlier.reset();
  { const OpenCalls::Call of_later = open.Follow(kPeer); }
  EXPECT_EQ(later->Begin(0, kNow), "");
}

TEST(OpenCallsTest, ACallOutlivesItsConnection) {
  OpenCalls open(Few());
  std::vector<OpenCalls::Call> refused;
  {
    const auto connection = open.Open(kPeer, "broker", kNow);
    for (int i = 0; i < 4; ++i) {
      refused.push_back(open.Follow(kPeer));
      refused.back().Refuse();
    }
  }
  const auto next = open.Open(kPeer, "broker", kNow);
  EXPECT_THAT(next->Begin(3, kNow), HasSubstr("its caller has 4 refused calls"));
  refused.clear();
  EXPECT_EQ(next->Begin(0, kNow), "");
}

// A whole line of calls whose callers gave up while a key gave no answer is no flood.
TEST(OpenCallsTest, AWholeLineIsWithin) {
  OpenCalls open(OpenCalls::LimitsFor(5000));
  const auto connection = open.Open(kPeer, "broker", kNow);
  EXPECT_EQ(connection->Begin(5000 + 512, kNow), "");
  EXPECT_THAT(connection->Begin(1, kNow), HasSubstr("more than 5512 calls began"));
}

TEST(OpenCallsTest, OnSeveralThreads) {
  OpenCalls open;
  constexpr int kCalls = 20'000;
  const auto connection = open.Open(kPeer, "broker", kNow);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&open] {
      for (int call = 0; call < kCalls; ++call) open.Follow(kPeer).Refuse();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(connection->Begin(512, kNow), "");
  EXPECT_NE(connection->Begin(1, kNow), "");
}

}  // namespace
}  // namespace hourglass::issuance
