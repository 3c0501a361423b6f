// What policies decide is in tests/conformance/policy/*.json.
#include "issuance/access/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "issuance/access/explanation.h"
#include "issuance/access/missing_references.h"
#include "tests/support/status_matchers.h"

namespace hourglass::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Timestamp kNow{std::chrono::seconds(1790000000)};

ConditionalAccessPolicy Policy(const std::string& id, std::vector<BuiltInControl> controls) {
  ConditionalAccessPolicy policy;
  policy.id = id;
  policy.display_name = "Policy " + id;
  policy.state = PolicyState::kEnabled;
  policy.conditions.users.include_users = {"All"};
  policy.conditions.applications.include = {"All"};
  policy.grant.emplace();
  policy.grant->built_in.values = std::move(controls);
  return policy;
}

SessionControls Hours(int hours) {
  SessionControls session;
  session.sign_in_frequency.emplace();
  session.sign_in_frequency->value = hours;
  session.sign_in_frequency->unit = FrequencyUnit::kHours;
  return session;
}

Facts WithMfa() {
  Facts facts;
  facts.sign_in.mfa = true;
  facts.sign_in.authenticated_at = kNow - std::chrono::minutes(30);
  return facts;
}

TEST(EvaluationTest, RefusesPoliciesThatCannotBeTold) {
  EXPECT_OK(PreparedPolicies::Make({Policy("a", {})}, {}, {}));
  EXPECT_THAT(PreparedPolicies::Make({Policy("a", {}), Policy("", {})}, {}, {}),
              FailsWith(ErrorReason::kFieldMissing, "policies[1].id"));
  EXPECT_THAT(PreparedPolicies::Make({Policy("a", {}), Policy("A", {})}, {}, {}),
              FailsWith(ErrorReason::kFieldInvalid, "policies[1].id"));
  NamedLocation location;
  location.id = "x";
  EXPECT_THAT(PreparedPolicies::Make({}, {location, location}, {}),
              FailsWith(ErrorReason::kFieldInvalid, "locations[1].id"));
}

TEST(EvaluationTest, TellsPoliciesByTheirIds) {
  ConditionalAccessPolicy disabled = Policy("a", {});
  disabled.state = PolicyState::kDisabled;
  ConditionalAccessPolicy other = Policy("b", {});
  other.conditions.applications.include = {"None"};
  ASSERT_OK_AND_ASSIGN(const auto prepared,
                       PreparedPolicies::Make({Policy("z", {BuiltInControl::kMfa}), other, disabled,
                                               Policy("y", {BuiltInControl::kMfa})},
                                              {}, {}));
  const Decision decision = Evaluate(*prepared, WithMfa(), kNow);
  ASSERT_EQ(decision.results.size(), 2U);
  EXPECT_EQ(decision.results[0].policy->id, "y");
  EXPECT_EQ(decision.results[1].policy->id, "z");
  ASSERT_EQ(prepared->unconcerned().size(), 2U);
  EXPECT_EQ(prepared->unconcerned()[0].excluded_by, Condition::kState);
  EXPECT_EQ(prepared->unconcerned()[1].excluded_by, Condition::kApplications);
}

TEST(EvaluationTest, SaysWhenTheFirstFrequencyAsksAgain) {
  ConditionalAccessPolicy often = Policy("a", {BuiltInControl::kMfa});
  often.session = Hours(1);
  ConditionalAccessPolicy seldom = Policy("b", {BuiltInControl::kMfa});
  seldom.session = Hours(8);
  ConditionalAccessPolicy not_enforced = Policy("c", {BuiltInControl::kMfa});
  not_enforced.state = PolicyState::kReportOnly;
  not_enforced.session.emplace().sign_in_frequency.emplace().interval =
      FrequencyInterval::kEveryTime;
  ASSERT_OK_AND_ASSIGN(const auto prepared,
                       PreparedPolicies::Make({seldom, not_enforced, often}, {}, {}));
  EXPECT_EQ(Evaluate(*prepared, WithMfa(), kNow).authenticate_again_at,
            kNow + std::chrono::minutes(30));
  Facts without = WithMfa();
  without.sign_in.mfa = false;
  EXPECT_EQ(Evaluate(*prepared, without, kNow).authenticate_again_at, std::nullopt);
}

TEST(EvaluationTest, ExplainsADenialForAHelpDesk) {
  ConditionalAccessPolicy first =
      Policy("a", {BuiltInControl::kCompliantDevice, BuiltInControl::kMfa});
  ConditionalAccessPolicy second = Policy("b", {BuiltInControl::kCompliantDevice});
  second.conditions.other["times"] = "{}";
  ASSERT_OK_AND_ASSIGN(const auto prepared, PreparedPolicies::Make({first, second}, {}, {}));
  Facts facts = WithMfa();
  facts.device.registered = true;
  facts.device.compliance = ComplianceState::kNoncompliant;
  const Decision decision = Evaluate(*prepared, facts, kNow);
  EXPECT_EQ(decision.outcome, Outcome::kDenyControls);
  EXPECT_THAT(DenialReasons(decision),
              ElementsAre("the device must be compliant: not satisfied (\"Policy a\")",
                          "the policy asks for conditions.times: not understood, so never "
                          "satisfied (\"Policy b\")"));
  EXPECT_THAT(DescribeResult(decision.results[1]),
              HasSubstr("since it is not known whether it does (conditions)"));
  facts.device.compliance.reset();
  EXPECT_THAT(DenialReasons(Evaluate(*prepared, facts, kNow))[0], HasSubstr("it is not known"));
}

TEST(EvaluationTest, TellsReferencesThatLeadNowhere) {
  const std::string id = "00000000-0000-4000-8000-000000000001";
  ConditionalAccessPolicy policy = Policy("a", {BuiltInControl::kMfa});
  policy.conditions.applications.include = {"Office365", id};
  policy.conditions.locations.emplace();
  policy.conditions.locations->include = {"All", "AllTrusted"};
  policy.conditions.locations->exclude = {"b", "00000000-0000-0000-0000-000000000000", "C"};
  NamedLocation location;
  location.id = "c";
  const auto paths = [&](const AccessOptions& options) {
    std::vector<std::string> found;
    for (const NotUnderstood& one : MissingReferences(policy, {location}, options)) {
      found.push_back(one.path);
    }
    return found;
  };
  EXPECT_THAT(paths({}), ElementsAre("conditions.applications.includeApplications",
                                     "conditions.locations.excludeLocations",
                                     "conditions.locations.excludeLocations"));
  AccessOptions all;
  all.vpn_applications = {"x"};
  all.mfa_trusted_ips = {ParseIpRange("192.0.2.0/24").value()};
  policy.conditions.locations->exclude.erase(policy.conditions.locations->exclude.begin());
  EXPECT_THAT(paths(all), IsEmpty());
}

TEST(EvaluationTest, ExplainsWhereNoPolicyApplies) {
  ASSERT_OK_AND_ASSIGN(const auto prepared, PreparedPolicies::Make({}, {}, {}));
  EXPECT_THAT(DenialReasons(Evaluate(*prepared, {}, kNow)),
              ElementsAre("no policy is known to apply"));
  ConditionalAccessPolicy policy = Policy("a", {BuiltInControl::kMfa});
  policy.conditions.users.include_users.clear();
  policy.conditions.users.include_groups = {"staff"};
  ASSERT_OK_AND_ASSIGN(const auto possible, PreparedPolicies::Make({policy}, {}, {}));
  EXPECT_THAT(DenialReasons(Evaluate(*possible, WithMfa(), kNow)),
              ElementsAre("no policy is known to apply",
                          "it is not known whether \"Policy a\" applies (conditions.users)"));
  AccessOptions open;
  open.allow_without_policy = true;
  ASSERT_OK_AND_ASSIGN(const auto allowing, PreparedPolicies::Make({}, {}, open));
  EXPECT_THAT(DenialReasons(Evaluate(*allowing, {}, kNow)), IsEmpty());
}

}  // namespace
}  // namespace hourglass::access
