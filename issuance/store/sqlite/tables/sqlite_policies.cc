#include "issuance/store/sqlite/tables/sqlite_policies.h"

#include <limits>

#include "hsm/base/status_macros.h"
#include "issuance/store/access_rows.h"
#include "issuance/store/access_rules.h"
#include "issuance/store/access_statements.h"
#include "issuance/store/page_token.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/sqlite/tables/sqlite_administrative_actions.h"
#include "issuance/store/sqlite/tables/sqlite_tenants.h"

namespace hourglass::issuance::sqlite {
namespace {

absl::Status Write(Connection& connection, const PolicyVersion& version) {
  const PolicyRecord& policy = version.policy;
  RETURN_IF_ERROR(
      connection
          .Change(kInsertPolicyVersion,
                  {Text{policy.tenant_id}, Text{policy.policy_id}, Text{NameOf(policy.kind)},
                   Text{policy.display_name}, Text{policy.state}, Text{policy.document},
                   ValueOf(policy.revision), ValueOf(policy.changed_at), Text{policy.changed_by},
                   std::int64_t{version.is_deleted}, Text{version.reason}})
          .status());
  if (version.is_deleted) {
    return connection.Change(kDeletePolicy, {Text{policy.tenant_id}, Text{policy.policy_id}})
        .status();
  }
  return connection
      .Change(kPutPolicy,
              {Text{policy.tenant_id}, Text{policy.policy_id}, ValueOf(policy.revision)})
      .status();
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
  for (const PolicyVersion& version : changes.versions) {
    RETURN_IF_ERROR(Write(connection, version));
  }
  for (const AdministrativeAction& action : changes.actions) {
    RETURN_IF_ERROR(RecordAction(connection, action));
  }
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

}  // namespace hourglass::issuance::sqlite
