#include "tests/history/service/call_outcome.h"

#include <gtest/gtest.h>

#include <string>

#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::history {
namespace {

grpc::Status RefusedByService() {
  return issuance::ToGrpcStatus(Error(ErrorReason::kJournalUnavailable, "", "the disk is full"));
}

TEST(CallOutcomeTest, ACertificateIsReceived) {
  v1::IssueCertificateResponse response;
  response.set_certificate("DER");
  EXPECT_EQ(OutcomeOf(grpc::Status::OK, response), IssueOutcome(Received{"DER"}));
}

TEST(CallOutcomeTest, AnErrorOfTheServiceHasItsReason) {
  EXPECT_EQ(OutcomeOf(RefusedByService(), v1::IssueCertificateResponse()),
            IssueOutcome(Refused{"UNAVAILABLE", "JOURNAL_UNAVAILABLE", "the disk is full"}));
  EXPECT_EQ(
      OutcomeOf(RefusedByService(), v1::Root()),
      AdministrativeOutcome(Refused{"UNAVAILABLE", "JOURNAL_UNAVAILABLE", "the disk is full"}));
}

TEST(CallOutcomeTest, WhatGrpcSaysOfAServiceThatIsGoneIsNoAnswer) {
  const auto outcome_of = [](grpc::StatusCode code) {
    return OutcomeOf(grpc::Status(code, "gone"), v1::IssueCertificateResponse());
  };
  EXPECT_EQ(outcome_of(grpc::StatusCode::UNAVAILABLE),
            IssueOutcome(Unanswered{"UNAVAILABLE", "gone"}));
  EXPECT_EQ(outcome_of(grpc::StatusCode::DEADLINE_EXCEEDED),
            IssueOutcome(Unanswered{"DEADLINE_EXCEEDED", "gone"}));
  EXPECT_EQ(outcome_of(grpc::StatusCode::CANCELLED), IssueOutcome(Unanswered{"CANCELLED", "gone"}));
  EXPECT_EQ(outcome_of(grpc::StatusCode::INTERNAL), IssueOutcome(Refused{"INTERNAL", "", "gone"}));
}

TEST(CallOutcomeTest, AnAnswerOfAStreamIsOneOfACall) {
  v1::IssueCertificatesResponse issued;
  issued.mutable_issued()->set_certificate("DER");
  EXPECT_EQ(OutcomeOf(issued), IssueOutcome(Received{"DER"}));
  v1::IssueCertificatesResponse refused;
  *refused.mutable_refused() = issuance::ToRpcStatus(RefusedByService());
  EXPECT_EQ(OutcomeOf(refused),
            IssueOutcome(Refused{"UNAVAILABLE", "JOURNAL_UNAVAILABLE", "the disk is full"}));
}

TEST(CallOutcomeTest, ARootIsWhatItWasChangedTo) {
  v1::Root root;
  root.set_state(v1::RETIRING);
  root.mutable_state_since()->set_seconds(12);
  root.mutable_state_since()->set_nanos(345'678'000);
  EXPECT_EQ(OutcomeOf(grpc::Status::OK, root),
            AdministrativeOutcome(Changed{ca::RootState::kRetiring,
                                          Timestamp(std::chrono::microseconds(12'345'678))}));
}

}  // namespace
}  // namespace hourglass::history
