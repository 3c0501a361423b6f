#include "issuance/store/sqlite/tables/sqlite_policies.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <vector>

#include "issuance/store/sqlite/tables/sqlite_administrative_actions.h"
#include "issuance/store/sqlite/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class SqlitePoliciesTest : public TablesTest {
 protected:
  absl::Status Put(const std::vector<PolicyRecord>& policies,
                   const std::vector<std::string>& deleted = {},
                   absl::string_view tenant = kSampleTenant) {
    return Change([&](Connection& c) {
      return ChangePolicies(c, tenant, std::nullopt, policies, deleted, SampleCause()).status();
    });
  }
  std::vector<PolicyRecord> All(absl::string_view tenant = kSampleTenant) {
    return ListPolicies(*connection_, tenant).value().policies;
  }
  std::size_t Versions(const std::string& policy_id, absl::string_view tenant = kSampleTenant) {
    return ListPolicyVersions(*connection_, tenant, policy_id, kMaxPageSize, "")->records.size();
  }
};

TEST_F(SqlitePoliciesTest, APolicyIsReadBackInEveryField) {
  PolicyRecord policy = SamplePolicy(std::string("id ") + kUnusualText);
  policy.kind = PolicyKind::kDeviceCompliance;
  policy.display_name = std::string("name ") + kUnusualText;
  policy.state = std::string("state ") + kUnusualText;
  policy.document = std::string("document\n") + kUnusualText;
  ASSERT_OK(Put({policy}));
  policy.revision = 1;
  EXPECT_EQ(All(), std::vector{policy});
  const auto versions = ListPolicyVersions(*connection_, kSampleTenant, policy.policy_id, 1, "");
  ASSERT_OK(versions);
  EXPECT_EQ(versions->records, (std::vector{PolicyVersion{policy, false, SampleCause().reason}}));
  EXPECT_EQ(versions->next_page_token, "");
}

TEST_F(SqlitePoliciesTest, TenantsHaveRevisionsAndPoliciesOfTheirOwn) {
  ASSERT_OK(Put({SamplePolicy("a")}));
  ASSERT_OK(Put({SamplePolicy("b")}, {"a"}));
  ASSERT_OK(Put({SamplePolicy("a")}, {}, "fabrikam"));
  EXPECT_EQ(ListPolicies(*connection_, kSampleTenant)->revision, 2u);
  EXPECT_EQ(ListPolicies(*connection_, "fabrikam")->revision, 1u);
  EXPECT_EQ(GetTenant(*connection_, "fabrikam")->policy_revision, 1u);
  EXPECT_EQ(Versions("a"), 2u);
  EXPECT_EQ(Versions("a", "fabrikam"), 1u);
  EXPECT_THAT(Put({}, {"b"}, "fabrikam"), FailsWith(ErrorReason::kPolicyUnknown, "policy_id"));
}

TEST_F(SqlitePoliciesTest, WhatIsTakenBackLeavesNothing) {
  const absl::Status taken_back = absl::CancelledError("taken back");
  EXPECT_EQ(
      Change([&](Connection& c) -> absl::Status {
        EXPECT_OK(ChangePolicies(c, kSampleTenant, 0, {SamplePolicy("a")}, {}, SampleCause()));
        return taken_back;
      }),
      taken_back);
  EXPECT_THAT(All(), IsEmpty());
  EXPECT_EQ(Versions("a"), 0u);
  EXPECT_EQ(GetTenant(*connection_, kSampleTenant)->policy_revision, 0u);
  EXPECT_THAT(ListAdministrativeActions(*connection_, kSampleTenant, kMaxPageSize, "")->records,
              IsEmpty());
}

TEST_F(SqlitePoliciesTest, AKindThatNoProgramWritesIsDamage) {
  ASSERT_OK(Put({SamplePolicy("a")}));
  ASSERT_OK(connection_->Execute("UPDATE policy_versions SET kind = 'another'"));
  for (const absl::Status& status :
       {ListPolicies(*connection_, kSampleTenant).status(),
        ListPolicyVersions(*connection_, kSampleTenant, "a", 1, "").status()}) {
    EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(status.message()), HasSubstr("unknown kind of a policy"));
  }
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
