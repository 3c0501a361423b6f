#include "issuance/store/postgresql/tables/postgresql_policies.h"

#include <limits>
#include <vector>

#include "hsm/base/status_macros.h"
#include "issuance/store/access_rows.h"
#include "issuance/store/access_rules.h"
#include "issuance/store/access_statements.h"
#include "issuance/store/page_token.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"
#include "issuance/store/postgresql/tables/postgresql_tenant_notices.h"
#include "issuance/store/postgresql/tables/postgresql_tenants.h"

namespace hourglass::issuance::postgresql {
namespace {

// In one round trip, however many they are.
absl::Status Write(Connection& connection, const std::vector<PolicyVersion>& versions) {
  std::vector<Statement> statements;
  for (const PolicyVersion& version : versions) {
    const PolicyRecord& policy = version.policy;
    statements.push_back(
        {kInsertPolicyVersion,
         {Text{policy.tenant_id}, Text{policy.policy_id}, Text{NameOf(policy.kind)},
          Text{policy.display_name}, Text{policy.state}, Text{policy.document},
          ValueOf(policy.revision), ValueOf(policy.changed_at), Text{policy.changed_by},
          version.is_deleted, Text{version.reason}}});
    if (version.is_deleted) {
      statements.push_back({kDeletePolicy, {Text{policy.tenant_id}, Text{policy.policy_id}}});
    } else {
      statements.push_back(
          {kPutPolicy, {Text{policy.tenant_id}, Text{policy.policy_id}, ValueOf(policy.revision)}});
    }
  }
  return connection.RunTogether(statements).status();
}

}  // namespace

absl::StatusOr<std::uint64_t> ChangePolicies(Connection& connection, absl::string_view tenant_id,
                                             std::optional<std::uint64_t> expected_revision,
                                             absl::Span<const PolicyRecord> put,
                                             absl::Span<const std::string> deleted,
                                             const ChangeCause& cause) {
  RETURN_IF_ERROR(CheckPolicyIds(put, deleted));
  RETURN_IF_ERROR(GetTenant(connection, tenant_id).status());
  ASSIGN_OR_RETURN(const PolicySet there, ListPolicies(connection, tenant_id));
  ASSIGN_OR_RETURN(const PolicyChanges changes,
                   PlanPolicyChanges(tenant_id, there, expected_revision, put, deleted, cause));
  if (changes.versions.empty()) return changes.revision;
  RETURN_IF_ERROR(
      connection.Change(kRaisePolicyRevision, {ValueOf(changes.revision), Text{tenant_id}})
          .status());
  RETURN_IF_ERROR(Write(connection, changes.versions));
  RETURN_IF_ERROR(RecordActions(connection, changes.actions));
  RETURN_IF_ERROR(NotifyOfTenant(connection, tenant_id));
  return changes.revision;
}

absl::StatusOr<PolicySet> ListPolicies(Connection& connection, absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kSelectPolicies, {Text{tenant_id}}));
  return TakePolicySet(rows);
}

absl::StatusOr<Page<PolicyVersion>> ListPolicyVersions(Connection& connection,
                                                       absl::string_view tenant_id,
                                                       absl::string_view policy_id, int page_size,
                                                       absl::string_view page_token) {
  RETURN_IF_ERROR(CheckPageSize(page_size));
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(before, ParsePolicyVersionPosition(page_token));
  }
  ASSIGN_OR_RETURN(
      Rows rows, connection.Query(kSelectPolicyVersions, {Text{tenant_id}, Text{policy_id}, before,
                                                          std::int64_t{page_size} + 1}));
  return TakePage<PolicyVersion>(
      rows, page_size, TakePolicyVersion<Rows>,
      [](const PolicyVersion& last) { return PolicyVersionPageToken(last.policy.revision); });
}

}  // namespace hourglass::issuance::postgresql
