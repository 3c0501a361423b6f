// The statements about keys that are planned, bound or destroyed, as RootKeyStore describes them.
// Those that write need a transaction of the caller's, in which he holds the administration
// (ConnectionPool::Administer) and which he rolls back after an error.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_KEYS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_KEYS_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/records.h"

namespace hourglass::issuance::postgresql {

absl::Status PlanKey(Connection& connection, const PlannedKey& key);
absl::Status ForgetPlannedKey(Connection& connection, absl::string_view key_uri,
                              std::optional<absl::string_view> public_key);
absl::Status CondemnPlannedKey(Connection& connection, absl::string_view key_uri,
                               absl::string_view public_key);
// Of a root that is being added. Errors: KEY_DESTROYED, as TenantStore::AddRoot says.
absl::Status TakePlannedKey(Connection& connection, const RootRecord& root);
absl::StatusOr<bool> HasRootOfKeyUri(Connection& connection, absl::string_view key_uri);
absl::StatusOr<std::vector<PlannedKey>> ListPlannedKeys(Connection& connection,
                                                        absl::string_view tenant_id);
absl::StatusOr<std::vector<RootOfKey>> RootsOfPublicKey(Connection& connection,
                                                        absl::string_view public_key);
absl::StatusOr<std::vector<RootOfKey>> RootsOfKeyName(Connection& connection,
                                                      absl::string_view key_uri);
absl::Status NoteKeyDestroyed(Connection& connection, absl::string_view key_uri,
                              absl::string_view public_key, Timestamp now);
absl::Status BindKey(Connection& connection, const BoundKey& key);
absl::StatusOr<std::vector<BoundKey>> ListBoundKeys(Connection& connection);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_KEYS_H_
