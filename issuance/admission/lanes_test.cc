#include "issuance/admission/lanes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "issuance/pipeline/testing/pipeline_fixture.h"
#include "issuance/pipeline/testing/watched_task.h"
#include "tests/support/door.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

class LanesTest : public PipelineTest {
 protected:
  void SetUp() override {
    PipelineTest::SetUp();
    for (const char* tenant_id : {"fabrikam", "northwind"}) {
      TenantRecord tenant;
      tenant.tenant_id = tenant_id;
      tenant.display_name = tenant_id;
      ASSERT_OK(store_->CreateTenant(tenant));
      MakePrimary(tenant_id);
      broker_.tenants.push_back(tenant_id);
    }
  }
  void TearDown() override {
    door_.Open();
    lanes_.reset();
  }

  void OpenLanes(int swift, int patient, std::size_t queue_length, std::size_t batch_size = 32) {
    lanes_.emplace(&*pipeline_, LaneOptions{swift, patient, queue_length, batch_size}, &clock_,
                   &log_);
  }

  WatchedTask& Task(const std::string& tenant_id) {
    request_.set_tenant_id(tenant_id);
    request_.set_request_id(absl::StrCat("r-", tasks_.size()));
    return tasks_.emplace_back(&broker_, request_);
  }
  WatchedTask& Submit(const std::string& tenant_id) {
    WatchedTask& task = Task(tenant_id);
    EXPECT_EQ(lanes_->Submit(&task), std::nullopt);
    return task;
  }

  // Verdicts of the tenant wait at the door.
  void HoldUp(const std::string& tenant_id) {
    verdicts_.on_question = [this, tenant_id](const v1::EvaluateRequest& question) {
      if (question.tenant_id() == tenant_id) door_.Pass();
    };
  }

  EventLog log_ = EventLog::Silent();
  Door door_;
  std::deque<WatchedTask> tasks_;
  std::optional<Lanes> lanes_;
};

TEST_F(LanesTest, BothKindsIssue) {
  OpenLanes(1, 1, 100);
  ASSERT_FALSE(pipeline_->IsReady("contoso"));
  EXPECT_OK(Submit("contoso").Wait());
  ASSERT_TRUE(pipeline_->IsReady("contoso"));
  WatchedTask& swift = Submit("contoso");
  EXPECT_OK(swift.Wait());
  EXPECT_FALSE(swift.answer.certificate().empty());
  EXPECT_EQ(Recorded().size(), 2u);
}

TEST_F(LanesTest, WhatWaitsAtTheEndIsFinishedOnce) {
  OpenLanes(2, 2, 1000, 8);
  for (int i = 0; i < 60; ++i) Submit(i % 2 == 0 ? "contoso" : "fabrikam");
  lanes_.reset();
  for (WatchedTask& task : tasks_) {
    EXPECT_EQ(task.finished(), 1);
    EXPECT_OK(task.status);
  }
}

// A verdict, or a key, that does not come.
TEST_F(LanesTest, ATenantThatIsHeldUpHoldsUpNobodyElse) {
  OpenLanes(0, 4, 100, 1);
  HoldUp("northwind");
  for (int i = 0; i < 20; ++i) Submit("northwind");
  EXPECT_TRUE(door_.HasMet(2));
  for (int i = 0; i < 20; ++i) EXPECT_OK(Submit(i % 2 == 0 ? "contoso" : "fabrikam").Wait());
  EXPECT_EQ(tasks_.front().finished(), 0);
  door_.Open();
  for (WatchedTask& task : tasks_) EXPECT_OK(task.Wait());
}

TEST_F(LanesTest, ASwiftLanePassesOnWhatHasToWait) {
  OpenLanes(1, 1, 100);
  ASSERT_OK(Submit("contoso").Wait());
  // Between the queue and the snapshot the tenant is forgotten, as after a change of its primary.
  verdicts_.on_question = [this, first = true](const v1::EvaluateRequest&) mutable {
    if (std::exchange(first, false)) store_->changes().Publish("contoso");
  };
  WatchedTask& task = Submit("contoso");
  EXPECT_OK(task.Wait());
  EXPECT_EQ(task.finished(), 1);
  // One for the first, and two for the second: each lane asked anew.
  EXPECT_EQ(verdicts_.questions.size(), 3u);
  EXPECT_TRUE(pipeline_->IsReady("contoso"));
}

TEST_F(LanesTest, ALoneTenantIsServedBesideACrowdThatIsHeldUp) {
  OpenLanes(1, 1, 100, 4);
  EXPECT_OK(Submit("contoso").Wait());
  EXPECT_OK(Submit("fabrikam").Wait());
  ASSERT_TRUE(pipeline_->IsReady("contoso"));
  ASSERT_TRUE(pipeline_->IsReady("fabrikam"));
  HoldUp("contoso");
  Submit("contoso");
  EXPECT_TRUE(door_.HasMet(1));
  std::vector<WatchedTask*> crowd;
  for (int i = 0; i < 5; ++i) crowd.push_back(&Submit("contoso"));
  EXPECT_OK(Submit("fabrikam").Wait());
  for (WatchedTask* task : crowd) EXPECT_EQ(task->finished(), 0);
  door_.Open();
  for (WatchedTask* task : crowd) EXPECT_OK(task->Wait());
}

// Far fewer wait than are worth another lane.
TEST_F(LanesTest, AFewTasksAreServedBesideALaneThatIsHeldUp) {
  OpenLanes(2, 1, 100, 64);
  EXPECT_OK(Submit("contoso").Wait());
  EXPECT_OK(Submit("fabrikam").Wait());
  for (int round = 0; round < 20; ++round) {
    std::vector<WatchedTask*> batch;
    for (int i = 0; i < 64; ++i) batch.push_back(&Submit("fabrikam"));
    for (WatchedTask* task : batch) EXPECT_OK(task->Wait());
  }
  HoldUp("contoso");
  WatchedTask& held_up = Submit("contoso");
  EXPECT_TRUE(door_.HasMet(1));
  EXPECT_OK(Submit("fabrikam").Wait());
  EXPECT_EQ(held_up.finished(), 0);
  door_.Open();
  EXPECT_OK(held_up.Wait());
}

TEST_F(LanesTest, AFullQueueRefusesTheFloodAndAdmitsTheTrickle) {
  OpenLanes(0, 2, 4);
  HoldUp("northwind");
  Submit("northwind");
  EXPECT_TRUE(door_.HasMet(1));
  for (int i = 0; i < 4; ++i) Submit("northwind");
  WatchedTask& refused = Task("northwind");
  const auto come_back = lanes_->Submit(&refused);
  ASSERT_TRUE(come_back.has_value());
  EXPECT_GT(*come_back, std::chrono::milliseconds(0));
  EXPECT_OK(Submit("contoso").Wait());
  door_.Open();
  lanes_.reset();
  for (WatchedTask& task : tasks_) EXPECT_EQ(task.finished(), &task == &refused ? 0 : 1);
}

TEST_F(LanesTest, WhomNobodyWaitsForCostsNoWork) {
  OpenLanes(0, 2, 100);
  HoldUp("northwind");
  Submit("northwind");
  EXPECT_TRUE(door_.HasMet(1));
  WatchedTask& gone = Task("northwind");
  gone.caller_is_gone = true;
  WatchedTask& late = Task("northwind");
  // By a clock that stands, though these are submitted: it is the injected one that tells.
  late.deadline = clock_.Now() + std::chrono::hours(1);
  WatchedTask& patient = Task("northwind");
  for (WatchedTask* task : {&gone, &late, &patient}) ASSERT_EQ(lanes_->Submit(task), std::nullopt);
  clock_.Advance(std::chrono::hours(1));
  door_.Open();
  EXPECT_EQ(gone.Wait().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(late.Wait().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_OK(patient.Wait());
  EXPECT_EQ(verdicts_.questions.size(), 2u);
}

}  // namespace
}  // namespace hourglass::issuance
