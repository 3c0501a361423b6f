#include "issuance/store/tenant_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;

TEST(TenantChangesTest, TellsEveryListenerUntilItLeaves) {
  TenantChanges changes;
  changes.Publish("nobody listens");
  std::vector<std::string> first, second;
  std::optional<TenantChanges::Subscription> leaves(
      changes.Subscribe([&](absl::string_view tenant) { first.emplace_back(tenant); }));
  const TenantChanges::Subscription stays =
      changes.Subscribe([&](absl::string_view tenant) { second.emplace_back(tenant); });
  changes.Publish("contoso");
  leaves.reset();
  changes.Publish("fabrikam");
  EXPECT_THAT(first, ElementsAre("contoso"));
  EXPECT_THAT(second, ElementsAre("contoso", "fabrikam"));
}

TEST(TenantChangesTest, ASubscriptionThatMovedEndsOnce) {
  TenantChanges changes;
  int told = 0;
  std::optional<TenantChanges::Subscription> first(
      changes.Subscribe([&](absl::string_view) { ++told; }));
  std::optional<TenantChanges::Subscription> second(*std::move(first));
  first.reset();
  changes.Publish("contoso");
  EXPECT_EQ(told, 1);
  second.reset();
  changes.Publish("contoso");
  EXPECT_EQ(told, 1);
}

TEST(TenantChangesTest, AListenerMayEndItselfAndOthers) {
  TenantChanges changes;
  int told = 0, told_late = 0;
  std::optional<TenantChanges::Subscription> itself, other;
  // What the listener holds lives as long as it runs.
  auto held = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = held;
  itself.emplace(changes.Subscribe([&, held = std::move(held)](absl::string_view) {
    itself.reset();
    other.reset();
    told += *held;
  }));
  other.emplace(changes.Subscribe([&](absl::string_view) { ++told_late; }));
  changes.Publish("contoso");
  changes.Publish("contoso");
  EXPECT_EQ(told, 7);
  EXPECT_EQ(told_late, 0);
  EXPECT_TRUE(watched.expired());
}

TEST(TenantChangesTest, AListenerMaySubscribeAnother) {
  TenantChanges changes;
  int told = 0;
  std::optional<TenantChanges::Subscription> another;
  const TenantChanges::Subscription first = changes.Subscribe([&](absl::string_view) {
    if (!another.has_value())
      another.emplace(changes.Subscribe([&](absl::string_view) { ++told; }));
  });
  changes.Publish("contoso");
  EXPECT_EQ(told, 0) << "not of what it came too late for";
  changes.Publish("contoso");
  EXPECT_EQ(told, 1);
}

TEST(TenantChangesTest, ASubscriptionMayOutliveTheFeed) {
  std::optional<TenantChanges> changes(std::in_place);
  int told = 0;
  std::optional<TenantChanges::Subscription> subscription(
      changes->Subscribe([&](absl::string_view) { ++told; }));
  changes->Publish("contoso");
  changes.reset();
  subscription.reset();
  EXPECT_EQ(told, 1);
}

// Whether the listener was still running when its subscription had ended.
bool RunsOn() {
  TenantChanges changes;
  std::promise<void> begun, go_on, ends;
  std::atomic<bool> runs = false;
  std::optional<TenantChanges::Subscription> subscription(changes.Subscribe([&](absl::string_view) {
    runs = true;
    begun.set_value();
    go_on.get_future().wait();
    runs = false;
  }));
  std::jthread publishes([&] { changes.Publish("contoso"); });
  begun.get_future().wait();
  bool ran_on = true;
  std::jthread leaves([&] {
    ends.set_value();
    subscription.reset();
    ran_on = runs;
  });
  ends.get_future().wait();
  go_on.set_value();
  leaves.join();
  publishes.join();
  return ran_on;
}

// Whoever ends a subscription may take away at once what the listener works with.
TEST(TenantChangesTest, OnceItsSubscriptionEndedNoListenerRuns) {
  for (int i = 0; i < 200; ++i) ASSERT_FALSE(RunsOn()) << i;
}

TEST(TenantChangesTest, ManyThreadsPublishAndLeave) {
  TenantChanges changes;
  std::atomic<int> told = 0;
  const TenantChanges::Subscription stays = changes.Subscribe([&](absl::string_view) { ++told; });
  constexpr int kThreads = 4, kTimes = 500;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kTimes; ++j) {
        // Told by one thread at a time, so that it needs no lock; and never once it has left.
        int own = 0;
        {
          const TenantChanges::Subscription comes_and_goes =
              changes.Subscribe([&own](absl::string_view) { ++own; });
          changes.Publish("contoso");
        }
        EXPECT_GE(own, 1);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(told, kThreads * kTimes);
}

}  // namespace
}  // namespace hourglass::issuance
