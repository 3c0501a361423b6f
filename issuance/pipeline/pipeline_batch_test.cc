// Several requests in one batch: what becomes of one is no concern of the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "issuance/pipeline/pipeline.h"
#include "issuance/pipeline/testing/pipeline_fixture.h"
#include "tests/support/pkcs10.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using Patience = Pipeline::Patience;

class BatchedTask final : public IssueTask {
 public:
  BatchedTask(const Caller* asking, const v1::IssueCertificateRequest& asked) : asked_(asked) {
    caller = asking;
    request = &asked_;
    response = &answer;
  }
  bool CallerIsGone() const override { return caller_is_gone; }
  void Finished() override {}

  v1::IssueCertificateResponse answer;
  bool caller_is_gone = false;

 private:
  const v1::IssueCertificateRequest asked_;
};

class PipelineBatchTest : public PipelineTest {
 protected:
  void SetUp() override {
    PipelineTest::SetUp();
    ASSERT_OK(Issue().status);  // from here on the tenant is loaded
    journal_size_ = Recorded().size();
  }

  BatchedTask& Add(const std::string& request_id) {
    request_.set_request_id(request_id);
    return tasks_.emplace_back(&broker_, request_);
  }

  void IssueAll(Patience patience = Patience::kNone) {
    std::vector<IssueTask*> batch;
    for (BatchedTask& task : tasks_) batch.push_back(&task);
    pipeline_->IssueAll(batch, patience);
  }

  std::size_t NewlyRecorded() { return Recorded().size() - journal_size_; }

  void CreateTenant(const std::string& tenant_id) {
    TenantRecord tenant;
    tenant.tenant_id = tenant_id;
    tenant.display_name = tenant_id;
    ASSERT_OK(store_->CreateTenant(tenant));
    broker_.tenants.push_back(tenant_id);
  }

  std::deque<BatchedTask> tasks_;
  std::size_t journal_size_ = 0;
};

TEST_F(PipelineBatchTest, EachEndsAsItWouldAlone) {
  Caller stranger;
  stranger.name = "stranger";
  stranger.roles = {Role::kBroker};
  stranger.tenants = {"fabrikam"};
  verdicts_.denied_devices = {"laptop-2"};
  const BatchedTask& good = Add("good");
  const BatchedTask& unauthorized = tasks_.emplace_back(&stranger, request_);
  request_.set_pkcs10("no request");
  const BatchedTask& malformed = Add("malformed");
  request_.set_pkcs10(MakeEcPkcs10());
  request_.set_device_id("laptop-2");
  const BatchedTask& denied = Add("denied");
  request_.set_device_id("laptop-3");
  const BatchedTask& reused = Add("request-1");
  const BatchedTask& nameless = Add("");
  const BatchedTask& good_too = Add("good-too");
  BatchedTask& gone = Add("gone");
  gone.caller_is_gone = true;
  BatchedTask& late = Add("late");
  late.deadline = clock_.Now();
  IssueAll();

  EXPECT_OK(good.status);
  EXPECT_THAT(unauthorized.status, FailsWith(ErrorReason::kTenantNotPermitted));
  EXPECT_THAT(malformed.status, FailsWith(ErrorReason::kRequestMalformed, "pkcs10"));
  EXPECT_THAT(denied.status, FailsWith(ErrorReason::kDeviceNotCompliant));
  EXPECT_EQ(denied.deny_reasons.size(), 1u);
  EXPECT_THAT(reused.status, FailsWith(ErrorReason::kRequestIdReused, "request_id"));
  EXPECT_THAT(nameless.status, FailsWith(ErrorReason::kFieldMissing, "request_id"));
  EXPECT_OK(good_too.status);
  EXPECT_EQ(gone.status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(late.status.code(), absl::StatusCode::kDeadlineExceeded);

  EXPECT_EQ(NewlyRecorded(), 2u);
  for (const JournalRecord& record : Recorded()) EXPECT_TRUE(record.released_at.has_value());
  for (const BatchedTask& task : tasks_) {
    EXPECT_FALSE(task.needs_patience);
    EXPECT_EQ(task.answer.ByteSizeLong() == 0, !task.status.ok());
  }
  EXPECT_NE(good.answer.serial_number(), good_too.answer.serial_number());
  ASSERT_OK_AND_ASSIGN(const JournalRecord record, journal_->Find("contoso", "good-too"));
  EXPECT_EQ(record.certificate, good_too.answer.certificate());
  EXPECT_EQ(record.intent.device_id, "laptop-3");
}

TEST_F(PipelineBatchTest, WhoStopsWaitingDuringTheVerdictIsToldByThePipelinesClock) {
  verdicts_.on_question = [this](const v1::EvaluateRequest&) {
    clock_.Advance(std::chrono::hours(1));
  };
  const Timestamp asked = clock_.Now();
  BatchedTask& late = Add("late");
  late.deadline = asked + std::chrono::hours(1);
  BatchedTask& in_time = Add("in-time");
  in_time.deadline = asked + std::chrono::hours(3);
  IssueAll();
  EXPECT_EQ(late.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_OK(in_time.status);
  EXPECT_EQ(NewlyRecorded(), 1u);
}

TEST_F(PipelineBatchTest, TheSameRequestTwiceInABatchIsOneCertificate) {
  const BatchedTask& first = Add("twice");
  const BatchedTask& second = Add("twice");
  IssueAll();
  ASSERT_OK(first.status);
  ASSERT_OK(second.status);
  EXPECT_EQ(first.answer.certificate(), second.answer.certificate());
  EXPECT_EQ(first.answer.verdict_id(), second.answer.verdict_id());
  EXPECT_EQ(NewlyRecorded(), 1u);
}

TEST_F(PipelineBatchTest, TheSameRequestInBatchesAtOnceIsOneCertificate) {
  constexpr int kBatches = 4, kRequests = 8;
  std::vector<std::deque<BatchedTask>> batches(kBatches);
  for (auto& batch : batches) {
    for (int i = 0; i < kRequests; ++i) {
      request_.set_request_id("shared-" + std::to_string(i));
      batch.emplace_back(&broker_, request_);
    }
  }
  std::vector<std::thread> threads;
  for (auto& batch : batches) {
    threads.emplace_back([this, &batch] {
      std::vector<IssueTask*> tasks;
      for (BatchedTask& task : batch) tasks.push_back(&task);
      pipeline_->IssueAll(tasks, Patience::kNone);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& batch : batches) {
    for (std::size_t i = 0; i < kRequests; ++i) {
      EXPECT_OK(batch[i].status);
      EXPECT_EQ(batch[i].answer.certificate(), batches[0][i].answer.certificate());
    }
  }
  EXPECT_EQ(NewlyRecorded(), static_cast<std::size_t>(kRequests));
}

TEST_F(PipelineBatchTest, AnInterruptedRequestIsTakenUpBesideNewOnes) {
  store_->before_release = [] {
    return Error(ErrorReason::kJournalUnavailable, "", "the disk is full");
  };
  request_.set_request_id("interrupted");
  ASSERT_THAT(Issue().status, FailsWith(ErrorReason::kJournalUnavailable));
  ASSERT_OK_AND_ASSIGN(const JournalRecord left, journal_->Find("contoso", "interrupted"));
  const BatchedTask& fresh = Add("fresh");
  const BatchedTask& again = Add("interrupted");
  const BatchedTask& released = Add("request-1");
  IssueAll();
  ASSERT_OK(fresh.status);
  ASSERT_OK(again.status);
  ASSERT_OK(released.status);
  EXPECT_EQ(again.answer.serial_number(), left.intent.serial_number);
  ASSERT_OK_AND_ASSIGN(const JournalRecord first, journal_->Find("contoso", "request-1"));
  EXPECT_EQ(released.answer.certificate(), first.certificate);
}

TEST_F(PipelineBatchTest, AChangeOfOnePrimaryFencesItsTenantAlone) {
  CreateTenant("fabrikam");
  MakePrimary("fabrikam");
  request_.set_tenant_id("fabrikam");
  request_.set_request_id("warm");
  ASSERT_OK(Issue().status);
  const BatchedTask& other = Add("f-1");
  request_.set_tenant_id("contoso");
  const BatchedTask& fenced = Add("c-1");
  store_->before_release = [this] {
    MakePrimary("contoso");
    return absl::OkStatus();
  };
  IssueAll();
  EXPECT_OK(other.status);
  EXPECT_THAT(fenced.status, FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_EQ(fenced.answer.ByteSizeLong(), 0u);
  EXPECT_FALSE(pipeline_->IsReady("contoso"));
  EXPECT_TRUE(pipeline_->IsReady("fabrikam"));
}

TEST_F(PipelineBatchTest, AKeyThatFailsFailsNoOther) {
  CreateTenant("fabrikam");
  const RootRecord root = MakePrimary("fabrikam");
  ASSERT_OK(keys_->Destroy(root.key_uri));
  store_->changes().Publish("fabrikam");
  Tenants fresh(&*store_, keys_.get(), IssuingConfig(), {});
  pipeline_.emplace(&fresh, &*compliance_, &*journal_, &entropy_, &clock_);
  request_.set_tenant_id("fabrikam");
  const BatchedTask& failed = Add("f-1");
  const BatchedTask& failed_too = Add("f-2");
  request_.set_tenant_id("contoso");
  const BatchedTask& good = Add("c-1");
  IssueAll(Patience::kWaits);
  EXPECT_THAT(failed.status, FailsWith(ErrorReason::kKeyNotFound, ""));
  EXPECT_THAT(failed_too.status, FailsWith(ErrorReason::kKeyNotFound, ""));
  EXPECT_OK(good.status);
  EXPECT_EQ(NewlyRecorded(), 1u);
}

TEST_F(PipelineBatchTest, WithoutPatienceNoTenantIsLoaded) {
  CreateTenant("fabrikam");
  MakePrimary("fabrikam");
  request_.set_tenant_id("fabrikam");
  const BatchedTask& put_off = Add("f-1");
  request_.set_tenant_id("contoso");
  const BatchedTask& served = Add("c-1");
  store_->changes().Publish("fabrikam");
  ASSERT_FALSE(pipeline_->IsReady("fabrikam"));
  IssueAll(Patience::kNone);
  EXPECT_TRUE(put_off.needs_patience);
  EXPECT_FALSE(pipeline_->IsReady("fabrikam"));
  EXPECT_THAT(journal_->Find("fabrikam", "f-1"), FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_FALSE(served.needs_patience);
  EXPECT_OK(served.status);
  IssueAll(Patience::kWaits);
  EXPECT_FALSE(put_off.needs_patience);
  EXPECT_OK(put_off.status);
  EXPECT_TRUE(pipeline_->IsReady("fabrikam"));
}

TEST_F(PipelineBatchTest, WhoGivesUpDuringTheVerdictGetsNothingRecorded) {
  BatchedTask& gone = Add("gone");
  verdicts_.on_question = [&gone](const v1::EvaluateRequest&) { gone.caller_is_gone = true; };
  IssueAll();
  EXPECT_EQ(gone.status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(NewlyRecorded(), 0u);
}

TEST_F(PipelineBatchTest, WhatIsRecordedIsReleasedThoughNobodyWaits) {
  BatchedTask& gone = Add("gone");
  store_->before_intent = [&gone] {
    gone.caller_is_gone = true;
    return absl::OkStatus();
  };
  IssueAll();
  EXPECT_OK(gone.status);
  ASSERT_OK_AND_ASSIGN(const JournalRecord record, journal_->Find("contoso", "gone"));
  EXPECT_TRUE(record.released_at.has_value());
}

TEST_F(PipelineBatchTest, AnEmptyBatchIsNothing) {
  IssueAll();
  EXPECT_EQ(NewlyRecorded(), 0u);
}

}  // namespace
}  // namespace hourglass::issuance
