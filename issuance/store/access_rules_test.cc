#include "issuance/store/access_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(AccessRulesTest, EachKindHasANameOfItsOwn) {
  for (const PolicyKind kind : {PolicyKind::kConditionalAccess, PolicyKind::kNamedLocation,
                                PolicyKind::kDeviceCompliance}) {
    EXPECT_EQ(PolicyKindNamed(NameOf(kind)).value(), kind);
  }
  EXPECT_EQ(NameOf(PolicyKind::kConditionalAccess), "conditional_access");
  EXPECT_EQ(BlockKindNamed("device").value(), BlockRecord::Kind::kDevice);
  EXPECT_EQ(BlockKindNamed("user").value(), BlockRecord::Kind::kUser);
  for (const char* name : {"", "User", "group"}) {
    EXPECT_THAT(PolicyKindNamed(name), FailsWith(ErrorReason::kJournalUnavailable)) << name;
    EXPECT_THAT(BlockKindNamed(name), FailsWith(ErrorReason::kJournalUnavailable)) << name;
  }
}

TEST(AccessRulesTest, APolicyIsNamedOnce) {
  const auto invalid = FailsWith(ErrorReason::kFieldInvalid, "policy_id");
  EXPECT_OK(CheckPolicyIds({}, {}));
  EXPECT_OK(CheckPolicyIds({SamplePolicy("a"), SamplePolicy("A")}, {"b"}));
  EXPECT_THAT(CheckPolicyIds({SamplePolicy("a"), SamplePolicy("b"), SamplePolicy("a")}, {}),
              invalid);
  EXPECT_THAT(CheckPolicyIds({SamplePolicy("a")}, {"a"}), invalid);
  EXPECT_THAT(CheckPolicyIds({SamplePolicy("")}, {}), invalid);
}

TEST(AccessRulesTest, APlanHasWhatChangesAndNothingElse) {
  PolicySet there;
  there.revision = 7;
  there.policies = {SamplePolicy("a"), SamplePolicy("b")};
  PolicyRecord changed = SamplePolicy("a");
  changed.state = "disabled";
  const ChangeCause cause = {SampleTime(3), "somebody", "why"};
  ASSERT_OK_AND_ASSIGN(
      const PolicyChanges changes,
      PlanPolicyChanges("fabrikam", there, 7, {changed, SamplePolicy("c")}, {"b"}, cause));
  EXPECT_EQ(changes.revision, 8u);
  ASSERT_EQ(changes.versions.size(), 3u);
  ASSERT_EQ(changes.actions.size(), 3u);
  EXPECT_TRUE(changes.versions[0].is_deleted);
  EXPECT_EQ(changes.versions[0].policy.document, "");
  EXPECT_EQ(changes.versions[1].policy.tenant_id, "fabrikam");
  for (const PolicyVersion& version : changes.versions) {
    EXPECT_EQ(version.policy.revision, 8u);
    EXPECT_EQ(version.policy.changed_at, cause.now);
    EXPECT_EQ(version.policy.changed_by, "somebody");
    EXPECT_EQ(version.reason, "why");
  }
  EXPECT_EQ(changes.actions[1].from_state, "enabled");
  EXPECT_EQ(changes.actions[1].to_state, "disabled");
  ASSERT_OK_AND_ASSIGN(const PolicyChanges none,
                       PlanPolicyChanges("contoso", there, 7, there.policies, {}, cause));
  EXPECT_EQ(none.revision, 7u);
  EXPECT_THAT(none.versions, IsEmpty());
  EXPECT_THAT(none.actions, IsEmpty());
  EXPECT_THAT(PlanPolicyChanges("contoso", there, 6, {}, {}, cause),
              FailsWith(ErrorReason::kPoliciesChanged));
  EXPECT_THAT(PlanPolicyChanges("contoso", there, std::nullopt, {}, {"c"}, cause),
              FailsWith(ErrorReason::kPolicyUnknown, "policy_id"));
}

TEST(AccessRulesTest, IdsGoIntoAColumnAndBack) {
  DirectoryUser user = SampleUser("Id");
  user.groups = {"a", "a b", "b"};
  user.roles = {};
  ASSERT_OK(CheckUsers({user}));
  ASSERT_OK_AND_ASSIGN(const std::vector<UserColumns> columns, ColumnsOf({user}));
  EXPECT_EQ(columns[0].groups, "a\na b\nb");
  EXPECT_EQ(columns[0].roles, "");
  EXPECT_EQ(columns[0].folded_id, "id");
  EXPECT_EQ(columns[0].folded_upn, "id@contoso.example");
  EXPECT_EQ(IdsIn(columns[0].groups), user.groups);
  EXPECT_THAT(IdsIn(""), IsEmpty());
  EXPECT_THAT(IdsIn("one"), ElementsAre("one"));
}

TEST(AccessRulesTest, TwoUsersOfOneImportHaveTwoNames) {
  DirectoryUser rival = SampleUser("b");
  rival.upn = "A@CONTOSO.example";
  EXPECT_OK(ColumnsOf({SampleUser("a"), SampleUser("b")}));
  EXPECT_THAT(ColumnsOf({SampleUser("a"), rival}), FailsWith(ErrorReason::kUserExists, "upn"));
}

TEST(AccessRulesTest, WhoIsBlockedIsTheSameInAnySpelling) {
  EXPECT_EQ(FoldedSubject(" 9B1D-AF ").value(), "9b1d-af");
  EXPECT_EQ(FoldedSubject("M\xc3\x9cller@x").value(), FoldedSubject("mu\xcc\x88LLER@X").value());
  EXPECT_THAT(FoldedSubject(" "), FailsWith(ErrorReason::kFieldInvalid, "subject"));
  const FoldedDecisionSubject folded = Folded({"Contoso", "ID", "U@X", "D"});
  EXPECT_EQ(folded.device_id, "d");
  EXPECT_EQ(folded.user_id, "id");
  EXPECT_EQ(folded.user_upn, "u@x");
}

TEST(AccessRulesTest, UsersAreCounted) {
  EXPECT_EQ(CountOfUsers(0), "0 users");
  EXPECT_EQ(CountOfUsers(1), "1 user");
  EXPECT_EQ(CountOfUsers(17), "17 users");
}

}  // namespace
}  // namespace hourglass::issuance
