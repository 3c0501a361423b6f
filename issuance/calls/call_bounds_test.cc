#include "issuance/calls/call_bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using Ticket = CallBounds::Ticket;

constexpr CallLimits kLimits = {.calls_of_a_caller = 2,
                                .calls = 3,
                                .streams_of_a_caller = 1,
                                .streams = 2,
                                .watches_of_a_caller = 1,
                                .watches = 2,
                                .octets_of_a_caller = 100,
                                .octets = 150};

TEST(CallBoundsTest, ACallerHasItsShareOfCalls) {
  CallBounds bounds(kLimits);
  std::vector<Ticket> tickets;
  for (int i = 0; i < 2; ++i) {
    auto ticket = bounds.Begin("a", 1);
    ASSERT_OK(ticket.status());
    tickets.push_back(*std::move(ticket));
  }
  EXPECT_THAT(bounds.Begin("a", 1).status(), FailsWith(ErrorReason::kOverloaded));
  auto others = bounds.Begin("b", 1);
  ASSERT_OK(others.status());
  EXPECT_THAT(bounds.Begin("c", 1).status(), FailsWith(ErrorReason::kOverloaded)) << "three in all";
  tickets.pop_back();
  EXPECT_OK(bounds.Begin("c", 1).status());
  EXPECT_OK(bounds.Begin("a", 1).status());
}

TEST(CallBoundsTest, OctetsAreHeldUntilTheAnswerHasGone) {
  CallBounds bounds(kLimits);
  auto first = bounds.Begin("a", 60);
  ASSERT_OK(first.status());
  EXPECT_TRUE(bounds.HasRoom("a"));
  first->Hold(100);
  EXPECT_FALSE(bounds.HasRoom("a"));
  EXPECT_THAT(bounds.Begin("a", 1).status(), FailsWith(ErrorReason::kOverloaded));
  EXPECT_TRUE(bounds.HasRoom("b"));
  {
    const Ticket message = bounds.Take("b", 50);
    EXPECT_FALSE(bounds.HasRoom("c")) << "150 in all";
  }
  EXPECT_TRUE(bounds.HasRoom("c"));
  first->Hold(10);
  EXPECT_OK(bounds.Begin("a", 1).status());
  first->Return();
  first->Return();
  EXPECT_TRUE(bounds.HasRoom("a"));
}

TEST(CallBoundsTest, StreamsAreFewerThanCalls) {
  CallBounds bounds(kLimits);
  auto stream = bounds.BeginStream("a");
  ASSERT_OK(stream.status());
  EXPECT_THAT(bounds.BeginStream("a").status(), FailsWith(ErrorReason::kOverloaded));
  EXPECT_OK(bounds.Begin("a", 1).status());
  auto others = bounds.BeginStream("b");
  ASSERT_OK(others.status());
  EXPECT_THAT(bounds.BeginStream("c").status(), FailsWith(ErrorReason::kOverloaded));
  stream->Return();
  EXPECT_OK(bounds.BeginStream("a").status());
}

TEST(CallBoundsTest, WatchesTakeNoPlaceOfStreams) {
  CallLimits limits = kLimits;
  limits.calls_of_a_caller = 4;
  limits.calls = 8;
  CallBounds bounds(limits);
  auto watch = bounds.BeginWatch("a");
  ASSERT_OK(watch.status());
  EXPECT_THAT(bounds.BeginWatch("a").status(), FailsWith(ErrorReason::kOverloaded));
  auto others = bounds.BeginWatch("b");
  ASSERT_OK(others.status());
  EXPECT_THAT(bounds.BeginWatch("c").status(), FailsWith(ErrorReason::kOverloaded)) << "two in all";
  std::vector<Ticket> streams;
  for (const char* caller : {"a", "b"}) {
    auto stream = bounds.BeginStream(caller);
    ASSERT_OK(stream.status());
    streams.push_back(*std::move(stream));
  }
  watch->Return();
  const Ticket moved = *std::move(others);
  EXPECT_OK(bounds.BeginWatch("c").status());
  EXPECT_THAT(bounds.BeginWatch("b").status(), FailsWith(ErrorReason::kOverloaded));
}

TEST(CallBoundsTest, AWatchIsACall) {
  CallBounds bounds(kLimits);
  auto watch = bounds.BeginWatch("a");
  ASSERT_OK(watch.status());
  auto call = bounds.Begin("a", 1);
  ASSERT_OK(call.status());
  EXPECT_THAT(bounds.Begin("a", 1).status(), FailsWith(ErrorReason::kOverloaded)) << "two at most";
  call->Return();
  // A stop waits for it as for any.
  bounds.Stop(std::chrono::milliseconds(0));
  EXPECT_THAT(bounds.BeginWatch("b").status(), FailsWith(ErrorReason::kStopping));
  std::future<void> stopped =
      std::async(std::launch::async, [&] { bounds.Stop(std::chrono::hours(1)); });
  watch->Return();
  stopped.get();
}

TEST(CallBoundsTest, TheStopWaitsForCallsAndTakesNoMore) {
  CallBounds bounds(kLimits);
  auto call = bounds.Begin("a", 1);
  ASSERT_OK(call.status());
  bounds.Stop(std::chrono::milliseconds(0));
  EXPECT_THAT(bounds.Begin("b", 1).status(), FailsWith(ErrorReason::kStopping));
  EXPECT_THAT(bounds.BeginStream("b").status(), FailsWith(ErrorReason::kStopping));
  std::future<void> stopped =
      std::async(std::launch::async, [&] { bounds.Stop(std::chrono::hours(1)); });
  call->Return();
  stopped.get();
}

TEST(CallBoundsTest, AMovedTicketIsReturnedOnce) {
  CallBounds bounds(kLimits);
  {
    auto first = bounds.Begin("a", 100);
    ASSERT_OK(first.status());
    Ticket kept = *std::move(first);
    Ticket elsewhere;
    elsewhere = std::move(kept);
    EXPECT_FALSE(bounds.HasRoom("a"));
  }
  EXPECT_TRUE(bounds.HasRoom("a"));
  EXPECT_OK(bounds.Begin("a", 1).status());
}

}  // namespace
}  // namespace hourglass::issuance
