#include "issuance/compliance/facts_read_ahead.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "hsm/base/error.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

// Says how often it was asked.
class CountingStore final : public DecisionFactsStore {
 public:
  absl::StatusOr<DecisionFacts> ReadDecisionFacts(const DecisionSubject&, Timestamp) override {
    if (fails) return Error(ErrorReason::kJournalUnavailable, "", "the disk is gone");
    DecisionFacts facts;
    facts.policy_revision = ++reads;
    return facts;
  }

  std::uint64_t reads = 0;
  bool fails = false;
};

class FactsReadAheadTest : public testing::Test {
 protected:
  // Which read of the store it is given.
  std::uint64_t Given(const DecisionSubject& subject) {
    const auto facts = ahead_.ReadDecisionFacts(subject, SampleTime());
    EXPECT_OK(facts);
    return facts.value_or(DecisionFacts()).policy_revision;
  }
  static std::uint64_t ReadAhead(FactsReadAhead::Batch& batch, const DecisionSubject& subject) {
    const auto facts = batch.Read(subject, SampleTime());
    EXPECT_OK(facts);
    return facts.ok() ? (*facts)->policy_revision : 0;
  }

  static constexpr DecisionSubject kAlice = {"contoso", "u-1", "alice@contoso.example", "laptop-1"};

  CountingStore store_;
  FactsReadAhead ahead_{&store_};
};

TEST_F(FactsReadAheadTest, WithoutABatchItIsTheStore) {
  EXPECT_EQ(Given(kAlice), 1u);
  EXPECT_EQ(Given(kAlice), 2u);
}

TEST_F(FactsReadAheadTest, WhatWasReadIsGivenOnce) {
  FactsReadAhead::Batch batch(&ahead_);
  EXPECT_EQ(ReadAhead(batch, kAlice), 1u);
  EXPECT_EQ(Given(kAlice), 1u);
  EXPECT_EQ(Given(kAlice), 2u) << "whoever asks again is told of what changed meanwhile";
  // Two requests of one subject, each with a read of its own.
  EXPECT_EQ(ReadAhead(batch, kAlice), 3u);
  EXPECT_EQ(ReadAhead(batch, kAlice), 4u);
  EXPECT_EQ(Given(kAlice), 3u);
  EXPECT_EQ(Given(kAlice), 4u);
  EXPECT_EQ(Given(kAlice), 5u);
}

TEST_F(FactsReadAheadTest, NobodyIsGivenWhatIsOfAnother) {
  FactsReadAhead::Batch batch(&ahead_);
  ASSERT_EQ(ReadAhead(batch, kAlice), 1u);
  for (const DecisionSubject& other :
       {DecisionSubject{"fabrikam", "u-1", "alice@contoso.example", "laptop-1"},
        DecisionSubject{"contoso", "", "alice@contoso.example", "laptop-1"},
        DecisionSubject{"contoso", "u-1", "bob@contoso.example", "laptop-1"},
        DecisionSubject{"contoso", "u-1", "alice@contoso.example", "laptop-2"}}) {
    EXPECT_GT(Given(other), 1u);
  }
  std::thread([&] { EXPECT_GT(Given(kAlice), 1u); }).join();
  FactsReadAhead elsewhere(&store_);
  EXPECT_GT(elsewhere.ReadDecisionFacts(kAlice, SampleTime())->policy_revision, 1u);
  EXPECT_EQ(Given(kAlice), 1u);
}

TEST_F(FactsReadAheadTest, WhatABatchLeavesIsForgotten) {
  {
    FactsReadAhead::Batch batch(&ahead_);
    ASSERT_EQ(ReadAhead(batch, kAlice), 1u);
  }
  EXPECT_EQ(Given(kAlice), 2u);
  FactsReadAhead::Batch next(&ahead_);
  EXPECT_EQ(Given(kAlice), 3u);
}

TEST_F(FactsReadAheadTest, AReadThatFailsIsNotGiven) {
  FactsReadAhead::Batch batch(&ahead_);
  store_.fails = true;
  EXPECT_THAT(batch.Read(kAlice, SampleTime()), FailsWith(ErrorReason::kJournalUnavailable));
  store_.fails = false;
  EXPECT_EQ(Given(kAlice), 1u);
}

}  // namespace
}  // namespace hourglass::issuance
