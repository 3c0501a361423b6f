// The statements about policies, as PolicyStore describes them. Those that write need a transaction
// of the caller's, in which he holds the administration
// (ConnectionPool::Administer) and which he rolls back after an error.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_POLICIES_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_POLICIES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/access_records.h"
#include "issuance/store/access_store.h"
#include "issuance/store/page.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

absl::StatusOr<std::uint64_t> ChangePolicies(Connection& connection, absl::string_view tenant_id,
                                             std::optional<std::uint64_t> expected_revision,
                                             absl::Span<const PolicyRecord> put,
                                             absl::Span<const std::string> deleted,
                                             const ChangeCause& cause);
absl::StatusOr<PolicySet> ListPolicies(Connection& connection, absl::string_view tenant_id);
absl::StatusOr<Page<PolicyVersion>> ListPolicyVersions(Connection& connection,
                                                       absl::string_view tenant_id,
                                                       absl::string_view policy_id, int page_size,
                                                       absl::string_view page_token);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_POLICIES_H_
