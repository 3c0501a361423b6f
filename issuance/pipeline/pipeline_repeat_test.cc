// A request id that the journal knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "google/protobuf/text_format.h"
#include "issuance/pipeline/pipeline.h"
#include "issuance/pipeline/testing/pipeline_fixture.h"
#include "issuance/pipeline/testing/sub_key_pipeline_fixture.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

TEST_F(PipelineTest, AnInterruptedRequestIsTakenUpWhereItWasLeft) {
  store_->before_release = [] { return kDiskFull; };
  ASSERT_THAT(Issue().status, FailsWith(ErrorReason::kJournalUnavailable));
  const std::vector<JournalRecord> interrupted = Recorded();
  clock_.Advance(std::chrono::minutes(7));
  const IssueOutcome outcome = Issue();
  ASSERT_OK(outcome.status);
  ASSERT_EQ(Recorded().size(), 1u);
  const JournalRecord record = Recorded().front();
  EXPECT_EQ(record.intent.tbs_certificate, interrupted.front().intent.tbs_certificate);
  EXPECT_EQ(outcome.response.serial_number(), interrupted.front().intent.serial_number);
  EXPECT_EQ(outcome.response.certificate(), record.certificate);
  EXPECT_EQ(outcome.response.verdict_id(), "verdict-1");
  // It was decided anew all the same.
  EXPECT_EQ(verdicts_.questions.size(), 2u);
}

TEST_F(PipelineTest, AClockThatWasSetBackChangesNothingOfWhatWasRecorded) {
  const IssueOutcome first = Issue();
  ASSERT_OK(first.status);
  clock_.Advance(-std::chrono::minutes(30));
  const IssueOutcome second = Issue();
  ASSERT_OK(second.status);
  EXPECT_EQ(second.response.certificate(), first.response.certificate());
  EXPECT_EQ(second.response.not_after().seconds(), first.response.not_after().seconds());
  EXPECT_LT(second.response.server_time().seconds(), second.response.renew_after().seconds());
  EXPECT_LT(second.response.renew_after().seconds(), second.response.not_after().seconds());
  EXPECT_EQ(Recorded().size(), 1u);
  // Before the root's notBefore not even that is handed out.
  clock_.Advance(-std::chrono::hours(1));
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kRootNotYetValid));
}

TEST_F(PipelineTest, AnInterruptedRequestWithOtherContentIsRefused) {
  store_->before_release = [] { return kDiskFull; };
  ASSERT_THAT(Issue().status, FailsWith(ErrorReason::kJournalUnavailable));
  request_.set_device_id("laptop-2");
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kRequestIdReused, "request_id"));
  EXPECT_FALSE(Recorded().front().released_at.has_value());
}

TEST_F(PipelineTest, AnotherLeafProfileDoesNotChangeWhatWasRecorded) {
  store_->before_release = [] { return kDiskFull; };
  ASSERT_THAT(Issue().status, FailsWith(ErrorReason::kJournalUnavailable));
  IssuingConfig longer;
  longer.profile.lifetime = std::chrono::hours(2);
  Tenants other_tenants(&*store_, keys_.get(), longer, {});
  Pipeline other(&other_tenants, &*compliance_, &*journal_, &entropy_, &clock_);
  EXPECT_THAT(other.Issue(broker_, request_).status,
              FailsWith(ErrorReason::kPrimaryChanged, "request_id"));
  EXPECT_FALSE(Recorded().front().released_at.has_value());
}

TEST_F(SubKeyPipelineTest, AnInterruptedRequestIsTakenUpByTheSameSubKey) {
  store_->before_release = [] { return kDiskFull; };
  ASSERT_THAT(Issue().status, FailsWith(ErrorReason::kJournalUnavailable));
  const IssueOutcome again = Issue();
  ASSERT_OK(again.status);
  ASSERT_EQ(Recorded().size(), 1u);
  EXPECT_EQ(Recorded()[0].certificate, again.response.certificate());
  EXPECT_EQ(again.response.chain_size(), 2);
}

// The intent names an intermediate whose key nobody has any more: another may not sign for it,
// since the to-be-signed octets that are recorded would not be those that are released.
TEST_F(SubKeyPipelineTest, AnInterruptedRequestIsRefusedWhereTheSubKeyIsGone) {
  store_->before_release = [] { return kDiskFull; };
  ASSERT_THAT(Issue().status, FailsWith(ErrorReason::kJournalUnavailable));
  const JournalRecord left = Recorded().at(0);
  StartProcess();
  for (int attempt = 0; attempt < 2; ++attempt) {
    const IssueOutcome outcome = Issue();
    EXPECT_THAT(outcome.status, FailsWith(ErrorReason::kPrimaryChanged, "request_id"));
    EXPECT_THAT(outcome.status.message(), testing::HasSubstr("sub-key"));
    EXPECT_EQ(outcome.response.ByteSizeLong(), 0u);
  }
  ASSERT_EQ(Recorded().size(), 1u);
  EXPECT_EQ(Recorded()[0].intent.tbs_certificate, left.intent.tbs_certificate);
  EXPECT_TRUE(Recorded()[0].certificate.empty());
  request_.set_request_id("request-2");
  const IssueOutcome anew = Issue();
  ASSERT_OK(anew.status);
  ASSERT_EQ(Recorded().size(), 2u);
  EXPECT_NE(anew.response.serial_number(), left.intent.serial_number);
}

TEST_F(PipelineTest, ARequestIdIsItsCertificatesUntilThatExpires) {
  const IssueOutcome first = Issue();
  ASSERT_OK(first.status);
  const Timestamp end = Recorded().front().intent.not_after;
  clock_.Advance(end - clock_.Now());
  const IssueOutcome last = Issue();
  ASSERT_OK(last.status);
  EXPECT_EQ(last.response.certificate(), first.response.certificate());
  clock_.Advance(std::chrono::microseconds(1));
  const IssueOutcome late = Issue();
  EXPECT_THAT(late.status, FailsWith(ErrorReason::kRequestIdReused, "request_id"));
  EXPECT_EQ(late.response.ByteSizeLong(), 0u);
  EXPECT_EQ(Recorded().size(), 1u);
  request_.set_request_id("request-2");
  EXPECT_OK(Issue().status);
}

TEST_F(PipelineTest, AReleasedRequestWithOtherContentIsRefused) {
  ASSERT_OK(Issue().status);
  const v1::IssueCertificateRequest sound = request_;
  for (const char* change :
       {"user { id: 'u-1' }", "user { upn: 'bob@contoso.example' }", "device_id: 'laptop-2'"}) {
    v1::IssueCertificateRequest merged;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(change, &merged));
    request_ = sound;
    request_.MergeFrom(merged);
    const IssueOutcome outcome = Issue();
    EXPECT_THAT(outcome.status, FailsWith(ErrorReason::kRequestIdReused, "request_id")) << change;
    EXPECT_EQ(outcome.response.ByteSizeLong(), 0u);
  }
  request_ = sound;
  broker_.name = "another";
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kRequestIdReused, "request_id"));
  broker_.name = "broker";
  EXPECT_OK(Issue().status);
}

// As where sub-keys are switched on while certificates live.
TEST_F(SubKeyPipelineTest, WhatTheRootItselfIssuedIsRepeatedWithItsChain) {
  Tenants without(&*store_, keys_.get(), IssuingConfig(), {});
  Pipeline before(&without, &*compliance_, &*journal_, &entropy_, &clock_);
  const IssueOutcome first = before.Issue(broker_, request_);
  ASSERT_OK(first.status);
  ASSERT_EQ(first.response.chain_size(), 1);
  const IssueOutcome again = Issue();
  ASSERT_OK(again.status);
  EXPECT_EQ(again.response.certificate(), first.response.certificate());
  ASSERT_EQ(again.response.chain_size(), 1);
  EXPECT_EQ(again.response.chain(0), first.response.chain(0));
  // What was not released yet the root would have to sign, which signs for nobody now.
  store_->before_release = [] { return kDiskFull; };
  request_.set_request_id("request-2");
  ASSERT_THAT(before.Issue(broker_, request_).status, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kPrimaryChanged, "request_id"));
}

TEST_F(SubKeyPipelineTest, WhatAnotherSubKeyIssuedIsRepeatedWithItsChain) {
  const IssueOutcome first = Issue();
  ASSERT_OK(first.status);
  StartProcess();
  request_.set_request_id("request-2");
  const IssueOutcome other = Issue();
  ASSERT_OK(other.status);
  ASSERT_EQ(first.response.chain_size(), 2);
  ASSERT_EQ(other.response.chain_size(), 2);
  EXPECT_NE(other.response.chain(0), first.response.chain(0)) << "a sub-key of its own";
  request_.set_request_id("request-1");
  const IssueOutcome again = Issue();
  ASSERT_OK(again.status);
  EXPECT_EQ(again.response.certificate(), first.response.certificate());
  ASSERT_EQ(again.response.chain_size(), 2);
  EXPECT_EQ(again.response.chain(0), first.response.chain(0));
  EXPECT_EQ(again.response.chain(1), first.response.chain(1));
  EXPECT_EQ(Recorded().size(), 2u);
}

TEST_F(SubKeyPipelineTest, WhatAnotherSubKeyIssuedUnderAnotherProfileIsNotRepeated) {
  ASSERT_OK(Issue().status);
  IssuingConfig longer;
  longer.sub_key.enabled = true;
  longer.profile.lifetime = std::chrono::hours(2);
  SubKeys sub_keys(&*store_, &entropy_, &clock_, EventLog::Silent());
  Tenants tenants(&*store_, keys_.get(), longer, {}, &sub_keys);
  Pipeline other(&tenants, &*compliance_, &*journal_, &entropy_, &clock_);
  const IssueOutcome outcome = other.Issue(broker_, request_);
  EXPECT_THAT(outcome.status, FailsWith(ErrorReason::kPrimaryChanged, "request_id"));
  EXPECT_THAT(outcome.status.message(), testing::HasSubstr("another leaf profile"));
  EXPECT_EQ(outcome.response.ByteSizeLong(), 0u);
}

}  // namespace
}  // namespace hourglass::issuance
