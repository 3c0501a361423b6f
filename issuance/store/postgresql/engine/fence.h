// The fence of promise 6 in PostgreSQL: advisory locks, held until the transaction ends
// (docs/decisions/0033).
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_FENCE_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_FENCE_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::postgresql {

// The name of a tenant's lock, for both functions of PostgreSQL: where two tenants have the same
// one they wait for each other, and nothing else.
std::int64_t FenceKey(absl::string_view tenant_id);

// `SELECT pg_advisory_xact_lock_shared($1)`: for RunTogether, in a statement of its own before the
// one that reads the epoch, whose snapshot must be younger than the lock.
inline constexpr absl::string_view kHoldEpoch = "SELECT pg_advisory_xact_lock_shared($1)";

// The tenant as it stays until the transaction ends, which must be open: takes the shared lock,
// then reads. Nullopt where there is no tenant. One round trip.
absl::StatusOr<std::optional<FencedTenant>> HoldTenant(Connection& connection,
                                                       absl::string_view tenant_id);

// Waits until no transaction holds the tenant's epoch, and lets none until this one ends. Takes the
// tenant's row, too (FOR UPDATE), where there is one.
absl::Status LockForPromotion(Connection& connection, absl::string_view tenant_id);

// Waits for every other transaction of administrators, in any process. Before LockForPromotion.
absl::Status LockForAdministration(Connection& connection);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_FENCE_H_
