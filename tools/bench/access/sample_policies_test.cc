#include "tools/bench/access/sample_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/status_matchers.h"

namespace hourglass::bench {
namespace {

int Applying(const access::Decision& decision) {
  return static_cast<int>(std::count_if(
      decision.results.begin(), decision.results.end(), [](const access::PolicyResult& result) {
        return result.application == access::Application::kApplies;
      }));
}

TEST(SamplePoliciesTest, FourOfFiveApplyAndAllAreSatisfied) {
  ASSERT_OK_AND_ASSIGN(const SamplePolicies sample,
                       MakeSamplePolicies({.mentioning = 50, .groups = 300}));
  const access::Decision decision = access::Evaluate(*sample.prepared, sample.facts, sample.now);
  EXPECT_EQ(decision.outcome, access::Outcome::kAllow);
  ASSERT_EQ(decision.results.size(), 50U);
  EXPECT_EQ(Applying(decision), 40);
  for (const access::PolicyResult& result : decision.results) EXPECT_EQ(result.not_known, 0U);
  EXPECT_EQ(sample.facts.user.groups->size(), 300U);
}

TEST(SamplePoliciesTest, OneOfTenNamedGroupsIsTheUsers) {
  ASSERT_OK_AND_ASSIGN(const SamplePolicies sample,
                       MakeSamplePolicies({.mentioning = 10, .groups = 20}));
  // Two policies that include ten, two that exclude five.
  ASSERT_EQ(sample.named_groups.size(), 30U);
  EXPECT_EQ(
      std::count_if(sample.named_groups.begin(), sample.named_groups.end(),
                    [&](const std::string& id) { return sample.facts.user.groups->HasFolded(id); }),
      2);
}

TEST(SamplePoliciesTest, WhatIsAboutAnotherApplicationIsNotEvaluated) {
  ASSERT_OK_AND_ASSIGN(const SamplePolicies sample,
                       MakeSamplePolicies({.mentioning = 20, .others = 180}));
  EXPECT_EQ(sample.prepared->unconcerned().size(), 180U);
  const access::Decision decision = access::Evaluate(*sample.prepared, sample.facts, sample.now);
  EXPECT_EQ(decision.results.size(), 20U);
  EXPECT_EQ(Applying(decision), 16);
  EXPECT_EQ(decision.outcome, access::Outcome::kAllow);
}

TEST(SamplePoliciesTest, WhoIsNotAsTheyDemandIsRefused) {
  ASSERT_OK_AND_ASSIGN(const SamplePolicies sample, MakeSamplePolicies({.mentioning = 5}));
  const auto outcome = [&sample](const access::Facts& facts) {
    return access::Evaluate(*sample.prepared, facts, sample.now).outcome;
  };
  EXPECT_EQ(outcome(sample.facts), access::Outcome::kAllow);
  access::Facts facts = sample.facts;
  facts.sign_in.mfa = false;
  EXPECT_EQ(outcome(facts), access::Outcome::kDenyControls);
  facts = sample.facts;
  facts.sign_in.sign_in_risk = access::RiskLevel::kHigh;
  EXPECT_EQ(outcome(facts), access::Outcome::kDenyBlocked);
}

}  // namespace
}  // namespace hourglass::bench
