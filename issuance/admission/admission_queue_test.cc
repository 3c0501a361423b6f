#include "issuance/admission/admission_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = AdmissionQueue::Kind;

constexpr std::size_t kNoCrowd = 1'000'000;

class NumberedTask final : public IssueTask {
 public:
  NumberedTask(const std::string& tenant, int number) {
    asked_.set_tenant_id(tenant);
    asked_.set_request_id(absl::StrCat(number));
    request = &asked_;
  }
  bool CallerIsGone() const override { return false; }
  void Finished() override {}
  std::string Name() const { return absl::StrCat(asked_.tenant_id(), asked_.request_id()); }

 private:
  v1::IssueCertificateRequest asked_;
};

class AdmissionQueueTest : public testing::Test {
 protected:
  // Of a tenant, numbered from 1 as they are made.
  IssueTask* Task(const std::string& tenant) {
    return &tasks_.emplace_back(tenant, ++numbers_[tenant]);
  }
  bool Add(AdmissionQueue& queue, const std::string& tenant, Kind kind = Kind::kSwift) {
    return queue.Add(Task(tenant), kind);
  }
  static std::vector<std::string> Swift(AdmissionQueue& queue, std::size_t most) {
    std::vector<IssueTask*> batch;
    queue.TakeSwift(most, batch);
    return Names(batch);
  }
  static std::vector<std::string> Lone(AdmissionQueue& queue, std::size_t most) {
    std::vector<IssueTask*> batch;
    queue.TakeLone(most, batch);
    return Names(batch);
  }
  static std::vector<std::string> Patient(AdmissionQueue& queue, std::size_t most) {
    std::vector<IssueTask*> batch;
    queue.TakePatient(most, batch);
    return Names(batch);
  }

 private:
  static std::vector<std::string> Names(const std::vector<IssueTask*>& batch) {
    std::vector<std::string> names;
    for (const IssueTask* task : batch) {
      names.push_back(static_cast<const NumberedTask*>(task)->Name());
    }
    return names;
  }

  std::deque<NumberedTask> tasks_;
  std::map<std::string, int> numbers_;
};

TEST_F(AdmissionQueueTest, TakesTenantsInTurnAndATenantsTasksInOrder) {
  AdmissionQueue queue(100, 1, kNoCrowd);
  for (const char* tenant : {"a", "a", "a", "b", "c", "c"}) ASSERT_TRUE(Add(queue, tenant));
  EXPECT_EQ(queue.waiting(), 6u);
  EXPECT_THAT(Swift(queue, 4), ElementsAre("a1", "b1", "c1", "a2"));
  // Whose turn it is stays from one batch to the next.
  EXPECT_THAT(Swift(queue, 1), ElementsAre("c2"));
  EXPECT_THAT(Swift(queue, 4), ElementsAre("a3"));
  EXPECT_FALSE(queue.HasSwift());
  EXPECT_EQ(queue.waiting(), 0u);
  EXPECT_THAT(Swift(queue, 4), IsEmpty());
}

// However much others ask: what waits of a tenant is in the next batch, if that has room for one of
// each tenant.
TEST_F(AdmissionQueueTest, AFloodOfOthersDoesNotDelayATrickle) {
  std::mt19937 random(20261120);
  AdmissionQueue queue(64, 1, kNoCrowd);
  for (int round = 0; round < 300; ++round) {
    const int floods = 1 + static_cast<int>(random() % 5);
    for (int i = 0; i < 200; ++i) {
      Add(queue, absl::StrCat("flood-", random() % static_cast<unsigned>(floods), "-"));
    }
    ASSERT_TRUE(Add(queue, "trickle-")) << round;
    const std::vector<std::string> batch = Swift(queue, 8);
    EXPECT_THAT(batch, testing::Contains(absl::StrCat("trickle-", round + 1)));
    EXPECT_LE(queue.waiting(), 128u);
  }
}

TEST_F(AdmissionQueueTest, RefusesWhoHasAFairShareOfAFullQueue) {
  AdmissionQueue queue(10, 1, kNoCrowd);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Add(queue, "a"));
  EXPECT_FALSE(Add(queue, "a"));
  // b's share is half.
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Add(queue, "b")) << i;
  EXPECT_FALSE(Add(queue, "b"));
  // c's is a third.
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Add(queue, "c")) << i;
  EXPECT_FALSE(Add(queue, "c"));
  EXPECT_FALSE(Add(queue, "a"));
  EXPECT_EQ(queue.waiting(), 18u);
  // Once there is room, anybody may wait.
  EXPECT_THAT(Swift(queue, 9), SizeIs(9));
  EXPECT_TRUE(Add(queue, "a"));
  EXPECT_FALSE(Add(queue, "a"));
}

TEST_F(AdmissionQueueTest, NeverHoldsMoreThanTwiceTheBound) {
  AdmissionQueue queue(10, 1, kNoCrowd);
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += Add(queue, absl::StrCat("t", i, "-"));
  EXPECT_EQ(admitted, 20);
  std::vector<std::string> taken;
  while (queue.HasSwift()) {
    for (const std::string& name : Swift(queue, 7)) taken.push_back(name);
  }
  EXPECT_THAT(taken, SizeIs(20));
}

TEST_F(AdmissionQueueTest, WhoAsksForLittleBesideACrowdIsLone) {
  AdmissionQueue queue(100, 1, 4);
  for (const char* tenant : {"a", "b", "a", "a"}) ASSERT_TRUE(Add(queue, tenant));
  // Nobody is before there is a crowd; nor is who has something waiting.
  EXPECT_FALSE(queue.HasLone());
  ASSERT_TRUE(Add(queue, "b"));
  EXPECT_FALSE(queue.HasLone());
  for (const char* tenant : {"c", "d", "c"}) ASSERT_TRUE(Add(queue, tenant));
  EXPECT_TRUE(queue.HasLone());
  EXPECT_EQ(queue.swift_waiting(), 8u);
  // The crowd's batches do without them as long as they are full.
  EXPECT_THAT(Swift(queue, 2), ElementsAre("a1", "b1"));
  EXPECT_THAT(Lone(queue, 2), ElementsAre("c1", "c2"));
  EXPECT_TRUE(queue.HasLone());
  EXPECT_THAT(Swift(queue, 9), ElementsAre("a2", "b2", "a3", "d1"));
  EXPECT_FALSE(queue.HasLone());
  EXPECT_FALSE(queue.HasSwift());
  EXPECT_THAT(Lone(queue, 2), IsEmpty());
}

TEST_F(AdmissionQueueTest, WhoAsksForMoreIsOfTheCrowd) {
  AdmissionQueue queue(1000, 1, 4);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Add(queue, "a"));
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(Add(queue, "b"));
  EXPECT_TRUE(queue.HasLone());
  ASSERT_TRUE(Add(queue, "b"));
  EXPECT_FALSE(queue.HasLone());
  EXPECT_THAT(Lone(queue, 9), IsEmpty());
  EXPECT_THAT(Swift(queue, 4), ElementsAre("a1", "b1", "a2", "b2"));
  // Once nothing waits of it, it may be lone again.
  while (queue.swift_waiting() > 2) Swift(queue, 1);
  EXPECT_THAT(Swift(queue, 2), ElementsAre("b8", "b9"));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Add(queue, "a"));
  ASSERT_TRUE(Add(queue, "b"));
  EXPECT_THAT(Lone(queue, 9), ElementsAre("b10"));
}

TEST_F(AdmissionQueueTest, ManyLoneTenantsAreACrowdThemselves) {
  AdmissionQueue queue(1000, 1, 4);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Add(queue, "a"));
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(Add(queue, absl::StrCat("t", i, "-")));
  EXPECT_THAT(Lone(queue, 100), SizeIs(32));
  EXPECT_THAT(Swift(queue, 100), SizeIs(12));
}

// Whatever is done with it, what was admitted comes out once, and a tenant's in order.
TEST_F(AdmissionQueueTest, LosesNothingAndKeepsATenantsOrder) {
  std::mt19937 random(20261121);
  const auto below = [&random](unsigned bound) { return random() % bound; };
  AdmissionQueue queue(200, 1, 16);
  std::map<std::string, std::deque<std::string>> expected;
  std::size_t waiting = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (below(2) == 0) {
      // Few that ask for much, and many that ask for little.
      const std::string tenant = absl::StrCat("t", below(3) == 0 ? 3 + below(40) : below(3), "-");
      auto* const task = static_cast<NumberedTask*>(Task(tenant));
      if (!queue.Add(task, Kind::kSwift)) continue;
      expected[tenant].push_back(task->Name());
      ++waiting;
      continue;
    }
    const std::size_t most = 1 + below(4);
    for (const std::string& name : below(2) == 0 ? Swift(queue, most) : Lone(queue, most)) {
      auto& line = expected[name.substr(0, name.find('-') + 1)];
      ASSERT_FALSE(line.empty()) << name;
      ASSERT_EQ(name, line.front());
      line.pop_front();
      --waiting;
    }
    ASSERT_EQ(queue.swift_waiting(), waiting);
    ASSERT_EQ(queue.HasSwift(), waiting > 0);
  }
  EXPECT_THAT(Swift(queue, 1000), SizeIs(waiting));
}

TEST_F(AdmissionQueueTest, APatientBatchIsOfOneTenant) {
  AdmissionQueue queue(100, 2, kNoCrowd);
  for (const char* tenant : {"a", "b", "a", "a", "b"}) Add(queue, tenant, Kind::kPatient);
  EXPECT_FALSE(queue.HasSwift());
  EXPECT_THAT(Patient(queue, 2), ElementsAre("a1", "a2"));
  EXPECT_THAT(Patient(queue, 2), ElementsAre("b1", "b2"));
  EXPECT_THAT(Patient(queue, 2), ElementsAre("a3"));
  EXPECT_THAT(Patient(queue, 2), IsEmpty());
}

TEST_F(AdmissionQueueTest, ATenantHasNoMorePatientBatchesUnderWayThanItMay) {
  AdmissionQueue queue(100, 2, kNoCrowd);
  for (int i = 0; i < 5; ++i) Add(queue, "hung", Kind::kPatient);
  EXPECT_THAT(Patient(queue, 1), ElementsAre("hung1"));
  EXPECT_THAT(Patient(queue, 1), ElementsAre("hung2"));
  EXPECT_FALSE(queue.HasPatient());
  EXPECT_THAT(Patient(queue, 1), IsEmpty());
  Add(queue, "hung", Kind::kPatient);
  EXPECT_FALSE(queue.HasPatient());
  // The others go on.
  Add(queue, "b", Kind::kPatient);
  EXPECT_THAT(Patient(queue, 8), ElementsAre("b1"));
  queue.EndPatient("b");
  queue.EndPatient("hung");
  EXPECT_THAT(Patient(queue, 8), ElementsAre("hung3", "hung4", "hung5", "hung6"));
  queue.EndPatient("hung");
  queue.EndPatient("hung");
  EXPECT_EQ(queue.waiting(), 0u);
  Add(queue, "hung", Kind::kPatient);
  EXPECT_THAT(Patient(queue, 8), ElementsAre("hung7"));
}

TEST_F(AdmissionQueueTest, ManyBatchesOfATenantAreUnderWayOnlyWhereMuchWaits) {
  AdmissionQueue queue(1000, 8, kNoCrowd);
  for (int batch = 1; batch <= 4; ++batch) {
    Add(queue, "busy", Kind::kPatient);
    EXPECT_THAT(Patient(queue, 64), SizeIs(1)) << batch;
  }
  for (int i = 0; i < 15; ++i) Add(queue, "busy", Kind::kPatient);
  EXPECT_FALSE(queue.HasPatient());
  Add(queue, "idle", Kind::kPatient);
  EXPECT_THAT(Patient(queue, 64), ElementsAre("idle1"));
  Add(queue, "busy", Kind::kPatient);
  EXPECT_THAT(Patient(queue, 64), SizeIs(16));
  for (int i = 0; i < 31; ++i) Add(queue, "busy", Kind::kPatient);
  EXPECT_FALSE(queue.HasPatient());
  // Fewer are under way, so fewer need to wait.
  queue.EndPatient("busy");
  EXPECT_THAT(Patient(queue, 64), SizeIs(31));
  Add(queue, "busy", Kind::kPatient);
  EXPECT_FALSE(queue.HasPatient());
  for (int i = 0; i < 2; ++i) queue.EndPatient("busy");
  EXPECT_THAT(Patient(queue, 64), SizeIs(1));
}

TEST_F(AdmissionQueueTest, WhatWasTakenMayWaitAgainThoughTheQueueIsFull) {
  AdmissionQueue queue(1, 1, kNoCrowd);
  IssueTask* const task = Task("a");
  ASSERT_TRUE(queue.Add(task, Kind::kSwift));
  EXPECT_THAT(Swift(queue, 1), ElementsAre("a1"));
  ASSERT_TRUE(Add(queue, "a"));
  ASSERT_FALSE(Add(queue, "a"));
  queue.AddAgain(task);
  EXPECT_THAT(Patient(queue, 8), ElementsAre("a1"));
  EXPECT_THAT(Swift(queue, 8), ElementsAre("a2"));
}

}  // namespace
}  // namespace hourglass::issuance
