#include "issuance/calls/call_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "issuance/store/reading.h"
#include "tests/support/door.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;

// A call that comes to the door and ends when it opens.
CallLines::Call Blocker(Door& door) {
  return [&door] { EXPECT_TRUE(door.Pass()); };
}

// Runs one call to its end.
void RunOne(CallPool& pool, const std::string& caller, MethodKind kind) {
  std::promise<void> ran;
  ASSERT_TRUE(pool.Submit(caller, kind, [&ran] { ran.set_value(); }));
  ran.get_future().wait();
}

TEST(CallPoolTest, RunsEveryCallBeforeItGoes) {
  std::atomic<int> ran = 0;
  {
    CallPool pool({.changing_threads = 2,
                   .listing_threads = 2,
                   .changes_waiting = 1000,
                   .listings_waiting = 1000});
    for (int i = 0; i < 300; ++i) {
      for (const MethodKind kind :
           {MethodKind::kPromotion, MethodKind::kChange, MethodKind::kListing}) {
        ASSERT_TRUE(pool.Submit("a", kind, [&ran] { ++ran; }));
      }
    }
  }
  EXPECT_EQ(ran, 900);
}

TEST(CallPoolTest, ListingsHoldUpNoChange) {
  Door door;
  CallPool pool(
      {.changing_threads = 2, .listing_threads = 2, .changes_waiting = 10, .listings_waiting = 10});
  for (const char* caller : {"a", "b"}) {
    ASSERT_TRUE(pool.Submit(caller, MethodKind::kListing, Blocker(door)));
  }
  EXPECT_TRUE(door.HasMet(2));
  RunOne(pool, "a", MethodKind::kChange);
  RunOne(pool, "c", MethodKind::kPromotion);
  door.Open();
}

TEST(CallPoolTest, APromotionPassesChangesThatWaitAndChangesThatRun) {
  Door door;
  CallPool pool({.changing_threads = 2,
                 .listing_threads = 1,
                 .changes_waiting = 100,
                 .listings_waiting = 100});
  for (const char* caller : {"a", "b"}) {
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(pool.Submit(caller, MethodKind::kChange, Blocker(door)));
    }
  }
  EXPECT_TRUE(door.HasMet(2));
  RunOne(pool, "a", MethodKind::kPromotion);
  door.Open();
}

TEST(CallPoolTest, OneCallerHasHalfOfTheThreads) {
  Door door;
  CallPool pool({.changing_threads = 2,
                 .listing_threads = 2,
                 .changes_waiting = 100,
                 .listings_waiting = 100});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(pool.Submit("a", MethodKind::kListing, Blocker(door)));
    ASSERT_TRUE(pool.Submit("a", MethodKind::kChange, Blocker(door)));
  }
  EXPECT_TRUE(door.HasMet(2));
  RunOne(pool, "b", MethodKind::kListing);
  RunOne(pool, "b", MethodKind::kChange);
  door.Open();
}

TEST(CallPoolTest, CallersTakeTurns) {
  Door door;
  std::vector<std::string> ran;
  {
    CallPool pool({.changing_threads = 1,
                   .listing_threads = 1,
                   .changes_waiting = 100,
                   .listings_waiting = 100});
    ASSERT_TRUE(pool.Submit("a", MethodKind::kListing, Blocker(door)));
    EXPECT_TRUE(door.HasMet(1));
    // One thread runs them all, and the pool's end is after them.
    for (const char* caller : {"a", "a", "a", "b", "b", "c"}) {
      ASSERT_TRUE(
          pool.Submit(caller, MethodKind::kListing, [&ran, caller] { ran.push_back(caller); }));
    }
    door.Open();
  }
  EXPECT_THAT(ran, ElementsAre("b", "c", "a", "b", "a", "a"));
}

TEST(CallPoolTest, RefusesOneCallersFloodAndAdmitsAnother) {
  Door door;
  CallPool pool(
      {.changing_threads = 1, .listing_threads = 1, .changes_waiting = 10, .listings_waiting = 10});
  ASSERT_TRUE(pool.Submit("a", MethodKind::kListing, Blocker(door)));
  EXPECT_TRUE(door.HasMet(1));
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(pool.Submit("a", MethodKind::kListing, [] {}));
  EXPECT_FALSE(pool.Submit("a", MethodKind::kListing, [] {}));
  EXPECT_TRUE(pool.Submit("b", MethodKind::kListing, [] {}));
  EXPECT_TRUE(pool.Submit("a", MethodKind::kChange, [] {})) << "has a line of its own";
  EXPECT_FALSE(pool.Submit("a", MethodKind::kIssuing, [] {})) << "is not for this pool";
  door.Open();
}

TEST(CallPoolTest, ListingsLeaveTheProcessorsAndTheReadersToOthers) {
  const auto niceness = [] { return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); };
  const int ours = niceness();
  int of_listing = 0;
  int of_change = 0;
  Reading listing_reads = Reading::kIssuing;
  Reading change_reads = Reading::kListing;
  {
    CallPool pool({.changing_threads = 1,
                   .listing_threads = 1,
                   .changes_waiting = 10,
                   .listings_waiting = 10});
    ASSERT_TRUE(pool.Submit("a", MethodKind::kListing, [&] {
      of_listing = niceness();
      listing_reads = ReadingOfThisThread();
    }));
    ASSERT_TRUE(pool.Submit("a", MethodKind::kChange, [&] {
      of_change = niceness();
      change_reads = ReadingOfThisThread();
    }));
  }
  EXPECT_EQ(of_change, ours);
  EXPECT_GE(of_listing, 10);
  EXPECT_EQ(listing_reads, Reading::kListing);
  EXPECT_EQ(change_reads, Reading::kIssuing);
}

}  // namespace
}  // namespace hourglass::issuance
