// What holds of decisions whatever the policies and facts are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/access/compliance/compliance.h"
#include "issuance/access/evaluation.h"
#include "issuance/access/explanation.h"
#include "issuance/access/graph/graph_export.h"
#include "tests/conformance/policy_generator.h"
#include "tests/support/status_matchers.h"

namespace hourglass::access {
namespace {

constexpr Timestamp kNow{std::chrono::seconds(1790000000)};
constexpr int kRounds = 4000;

struct Situation {
  std::vector<ConditionalAccessPolicy> policies;
  std::vector<NamedLocation> locations;
  AccessOptions options;
  Facts facts;
};

Situation SituationOf(PolicyGenerator* generator) {
  Situation situation;
  situation.policies = generator->Policies(4);
  situation.locations = generator->Locations();
  situation.options = generator->Options();
  situation.facts = generator->AllFacts(kNow);
  return situation;
}

Outcome OutcomeOf(const Situation& situation) {
  const auto prepared =
      PreparedPolicies::Make(situation.policies, situation.locations, situation.options);
  EXPECT_OK(prepared);
  return Evaluate(**prepared, situation.facts, kNow).outcome;
}

std::string Told(const Situation& situation) {
  const auto prepared =
      PreparedPolicies::Make(situation.policies, situation.locations, situation.options);
  EXPECT_OK(prepared);
  const Decision decision = Evaluate(**prepared, situation.facts, kNow);
  std::string told(OutcomeName(decision.outcome));
  for (const PolicyResult& result : decision.results) {
    absl::StrAppend(&told, "\n", DescribeResult(result));
  }
  for (const PolicyResult& result : (*prepared)->unconcerned()) {
    absl::StrAppend(&told, "\n", DescribeResult(result));
  }
  return told;
}

// Whether the rounds of a test met both outcomes, so that it could have failed.
class Seen {
 public:
  void Add(Outcome outcome) { ++counts_[static_cast<std::size_t>(outcome)]; }
  ~Seen() {
    for (const int count : counts_) EXPECT_GT(count, kRounds / 50);
  }

 private:
  int counts_[4] = {};
};

TEST(PolicyLawsTest, TheOrderOfPoliciesAndLocationsDecidesNothing) {
  PolicyGenerator generator(1);
  Seen seen;
  for (int round = 0; round < kRounds; ++round) {
    Situation situation = SituationOf(&generator);
    const std::string told = Told(situation);
    seen.Add(OutcomeOf(situation));
    std::shuffle(situation.policies.begin(), situation.policies.end(), generator.random());
    std::reverse(situation.locations.begin(), situation.locations.end());
    ASSERT_EQ(Told(situation), told) << "round " << round;
  }
}

TEST(PolicyLawsTest, APolicyThatIsNotEnforcedNeverChangesTheOutcome) {
  PolicyGenerator generator(2);
  Seen seen;
  for (int round = 0; round < kRounds; ++round) {
    Situation situation = SituationOf(&generator);
    const Outcome before = OutcomeOf(situation);
    seen.Add(before);
    situation.policies.push_back(generator.Policy("added"));
    situation.policies.back().state =
        generator.Chance(80) ? PolicyState::kReportOnly : PolicyState::kDisabled;
    ASSERT_EQ(OutcomeOf(situation), before) << "round " << round;
  }
}

TEST(PolicyLawsTest, APolicyMoreNeverAllowsWhatWasDenied) {
  PolicyGenerator generator(3);
  Seen seen;
  for (int round = 0; round < kRounds; ++round) {
    Situation situation = SituationOf(&generator);
    const Outcome before = OutcomeOf(situation);
    seen.Add(before);
    situation.policies.push_back(generator.Policy("added"));
    const Outcome after = OutcomeOf(situation);
    // But for the first that applies, where a tenant denies without any.
    const bool may_be = before == Outcome::kDenyBlocked    ? after == before
                        : before == Outcome::kDenyControls ? after != Outcome::kAllow
                                                           : true;
    ASSERT_TRUE(may_be) << "round " << round << ", " << OutcomeName(before) << " became "
                        << OutcomeName(after);
    ASSERT_FALSE(situation.options.allow_without_policy && after == Outcome::kDenyNoPolicy);
  }
}

TEST(PolicyLawsTest, AFactLessNeverAllowsWhatWasDenied) {
  PolicyGenerator generator(4);
  Seen seen;
  const auto removals = FactRemovals();
  for (int round = 0; round < kRounds; ++round) {
    const Situation situation = SituationOf(&generator);
    const auto prepared =
        PreparedPolicies::Make(situation.policies, situation.locations, situation.options);
    ASSERT_OK(prepared);
    const Outcome before = Evaluate(**prepared, situation.facts, kNow).outcome;
    seen.Add(before);
    if (before == Outcome::kAllow) continue;
    for (std::size_t i = 0; i < removals.size(); ++i) {
      Facts fewer = situation.facts;
      removals[i](&fewer);
      ASSERT_NE(Evaluate(**prepared, fewer, kNow).outcome, Outcome::kAllow)
          << "round " << round << ", fact " << i << "\n"
          << Told(situation);
    }
  }
}

TEST(PolicyLawsTest, NothingKnownIsNeverAllowedByAPolicyThatAsksForSomething) {
  PolicyGenerator generator(5);
  for (int round = 0; round < kRounds; ++round) {
    Situation situation = SituationOf(&generator);
    situation.facts = Facts();
    situation.options.allow_without_policy = false;
    ASSERT_NE(OutcomeOf(situation), Outcome::kAllow);
  }
}

TEST(PolicyLawsTest, WhoIsExcludedIsNotMeant) {
  PolicyGenerator generator(6);
  for (int round = 0; round < kRounds; ++round) {
    Situation situation = SituationOf(&generator);
    situation.facts.user.id = "somebody";
    for (auto& policy : situation.policies) {
      policy.conditions.users.exclude_users.push_back("SOMEBODY");
    }
    ASSERT_EQ(OutcomeOf(situation),
              situation.options.allow_without_policy ? Outcome::kAllow : Outcome::kDenyNoPolicy);
  }
}

TEST(PolicyLawsTest, WhatIsExportedIsImportedAsItWas) {
  PolicyGenerator generator(7);
  for (int round = 0; round < kRounds / 10; ++round) {
    GraphExport objects;
    objects.policies = generator.Policies(3);
    objects.locations = generator.Locations();
    objects.compliance_policies = {generator.DevicePolicy("a"), generator.DevicePolicy("b")};
    ASSERT_OK_AND_ASSIGN(const GraphExport read, ParseGraphExport(WriteGraphExport(objects)));
    ASSERT_EQ(read.policies, objects.policies) << WriteGraphExport(objects);
    ASSERT_EQ(read.locations, objects.locations);
    ASSERT_EQ(read.compliance_policies, objects.compliance_policies);
  }
}

// From what is worst: not compliant, in grace, compliant.
int RankOf(ComplianceState state) {
  return state == ComplianceState::kCompliant       ? 2
         : state == ComplianceState::kInGracePeriod ? 1
                                                    : 0;
}

TEST(PolicyLawsTest, AFactLessNeverMakesADeviceMoreCompliant) {
  PolicyGenerator generator(8);
  int ranks[3] = {};
  for (int round = 0; round < kRounds; ++round) {
    std::vector<CompliancePolicy> policies;
    for (unsigned i = generator.random()() % 3; i > 0; --i) {
      policies.push_back(generator.DevicePolicy(absl::StrCat("c", i)));
    }
    ComplianceOptions options;
    options.compliant_without_policy = generator.Chance(30);
    const ComplianceFacts facts = generator.DeviceReport(kNow);
    const int rank = RankOf(EvaluateCompliance(policies, facts, options, kNow).state);
    ++ranks[rank];
    for (const auto& removal : ComplianceFactRemovals()) {
      ComplianceFacts fewer = facts;
      removal(&fewer);
      ASSERT_LE(RankOf(EvaluateCompliance(policies, fewer, options, kNow).state), rank)
          << "round " << round;
    }
    // A policy more, neither, but for the first that is for the device.
    const bool had_none = rank == 0 && !options.compliant_without_policy;
    policies.push_back(generator.DevicePolicy("added"));
    if (had_none) continue;
    ASSERT_LE(RankOf(EvaluateCompliance(policies, facts, options, kNow).state), rank);
  }
  for (const int count : ranks) EXPECT_GT(count, kRounds / 50);
}

}  // namespace
}  // namespace hourglass::access
