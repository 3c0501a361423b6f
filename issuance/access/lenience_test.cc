#include "issuance/access/lenience.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/status_matchers.h"

namespace hourglass::access {
namespace {

constexpr Timestamp kNow{std::chrono::seconds(1790000000)};
constexpr Lenience kSignIn = {.sign_in = true};
constexpr Lenience kBoth = {.sign_in = true, .user = true};

ConditionalAccessPolicy Policy(std::vector<BuiltInControl> controls,
                               GrantOperator combination = GrantOperator::kAnd) {
  ConditionalAccessPolicy policy;
  policy.id = "a";
  policy.display_name = "VPN";
  policy.state = PolicyState::kEnabled;
  policy.conditions.users.include_users = {"All"};
  policy.conditions.applications.include = {"All"};
  policy.grant.emplace();
  policy.grant->combination = combination;
  policy.grant->built_in.values = std::move(controls);
  return policy;
}

// Of a user of whom all is known, on a device that is not compliant.
Facts Known() {
  Facts facts;
  facts.user.id = "u-1";
  facts.user.type = UserType::kMember;
  facts.user.groups = IdSet({"g-1"});
  facts.user.roles = IdSet(std::vector<std::string>());
  facts.device.registered = true;
  facts.device.compliance = ComplianceState::kNoncompliant;
  return facts;
}

Outcome Of(std::vector<ConditionalAccessPolicy> policies, const Facts& facts,
           const Lenience& lenience, AccessOptions options = {}) {
  const auto prepared = PreparedPolicies::Make(std::move(policies), {}, std::move(options));
  EXPECT_OK(prepared);
  return Leniently(**prepared, Evaluate(**prepared, facts, kNow), lenience).outcome;
}

TEST(LenienceTest, WhatHingesOnTheSignInDeniesNobody) {
  const ConditionalAccessPolicy mfa = Policy({BuiltInControl::kMfa});
  EXPECT_EQ(Of({mfa}, Known(), {}), Outcome::kDenyControls);
  EXPECT_EQ(Of({mfa}, Known(), kSignIn), Outcome::kAllow);
  Facts without = Known();
  without.sign_in.mfa = false;
  EXPECT_EQ(Of({mfa}, without, kSignIn), Outcome::kDenyControls) << "that much is known";
}

TEST(LenienceTest, WhatIsMissingOfTheDeviceStands) {
  const auto of = [](GrantOperator combination) {
    return Of({Policy({BuiltInControl::kMfa, BuiltInControl::kCompliantDevice}, combination)},
              Known(), kSignIn);
  };
  EXPECT_EQ(of(GrantOperator::kAnd), Outcome::kDenyControls);
  EXPECT_EQ(of(GrantOperator::kOr), Outcome::kAllow) << "he may have had a second factor";
  Facts unknown = Known();
  unknown.device.compliance.reset();
  EXPECT_EQ(Of({Policy({BuiltInControl::kCompliantDevice})}, unknown, kBoth),
            Outcome::kDenyControls);
}

TEST(LenienceTest, WhoIsBlockedIsBlockedUnlessThatHingesOnTheSignIn) {
  ConditionalAccessPolicy block = Policy({BuiltInControl::kBlock});
  const ConditionalAccessPolicy grant = [] {
    ConditionalAccessPolicy policy = Policy({BuiltInControl::kMfa});
    policy.id = "b";
    return policy;
  }();
  EXPECT_EQ(Of({block, grant}, Known(), kBoth), Outcome::kDenyBlocked);
  block.conditions.sign_in_risk.values = {RiskLevel::kHigh};
  EXPECT_EQ(Of({block, grant}, Known(), {}), Outcome::kDenyBlocked);
  EXPECT_EQ(Of({block, grant}, Known(), kSignIn), Outcome::kAllow);
  Facts risky = Known();
  risky.sign_in.sign_in_risk = RiskLevel::kHigh;
  EXPECT_EQ(Of({block, grant}, risky, kSignIn), Outcome::kDenyBlocked);
}

TEST(LenienceTest, GroupsThatAreNotKnownDenyUnlessTheUserMayBeGood) {
  ConditionalAccessPolicy block = Policy({BuiltInControl::kBlock});
  block.conditions.users.exclude_groups = {"g-1"};
  AccessOptions options;
  options.allow_without_policy = true;
  EXPECT_EQ(Of({block}, Known(), {}, options), Outcome::kAllow);
  Facts removed = Known();
  removed.user.groups.reset();
  EXPECT_EQ(Of({block}, removed, kSignIn, options), Outcome::kDenyBlocked);
  EXPECT_EQ(Of({block}, removed, kBoth, options), Outcome::kAllow);
  Facts other = Known();
  other.user.groups = IdSet({"g-2"});
  EXPECT_EQ(Of({block}, other, kBoth, options), Outcome::kDenyBlocked);
}

TEST(LenienceTest, APolicyThatMayApplyGrants) {
  ConditionalAccessPolicy grant = Policy({BuiltInControl::kMfa});
  grant.conditions.sign_in_risk.values = {RiskLevel::kLow};
  Facts facts = Known();
  facts.sign_in.mfa = true;
  EXPECT_EQ(Of({grant}, facts, {}), Outcome::kDenyNoPolicy);
  EXPECT_EQ(Of({grant}, facts, kSignIn), Outcome::kAllow);
  facts.sign_in.sign_in_risk = RiskLevel::kNone;
  EXPECT_EQ(Of({grant}, facts, kSignIn), Outcome::kDenyNoPolicy);
}

}  // namespace
}  // namespace hourglass::access
