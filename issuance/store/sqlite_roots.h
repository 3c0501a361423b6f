// The statements about roots, as issuance/store/store.h describes them. Those that write need a
// transaction of the caller's, who rolls it back after an error.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ROOTS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ROOTS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/records.h"
#include "issuance/store/sqlite.h"
#include "issuance/store/store.h"

namespace hourglass::issuance::sqlite {

absl::Status PlanKey(Connection& connection, const PlannedKey& key);
absl::Status ForgetPlannedKey(Connection& connection, absl::string_view key_uri);
absl::StatusOr<std::vector<PlannedKey>> ListPlannedKeys(Connection& connection,
                                                        absl::string_view tenant_id);
absl::Status AddRoot(Connection& connection, const RootRecord& root);
absl::StatusOr<RootRecord> GetRoot(Connection& connection, absl::string_view tenant_id,
                                   absl::string_view root_id);
absl::StatusOr<std::vector<RootRecord>> ListRoots(Connection& connection,
                                                  absl::string_view tenant_id);
absl::StatusOr<bool> KeyHasRoot(Connection& connection, absl::string_view key_uri);
absl::StatusOr<bool> PublicKeyHasRoot(Connection& connection, absl::string_view public_key);
absl::Status ChangeRootStates(Connection& connection, absl::string_view tenant_id,
                              std::uint64_t expected_revision,
                              absl::Span<const RootStateChange> changes, Timestamp now);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ROOTS_H_
