// The statements about roots, as TenantStore describes them. Those that write need a
// transaction of the caller's, who rolls it back after an error. AddRoot and ChangeRootStates also
// fail with JOURNAL_UNAVAILABLE where a newer program has brought the schema beyond Migrations().
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_ROOTS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_ROOTS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/records.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/store.h"

namespace hourglass::issuance::sqlite {

// The state of a column. Errors: JOURNAL_UNAVAILABLE for what is none.
absl::StatusOr<ca::RootState> ParseState(absl::string_view name);
absl::Status AddRoot(Connection& connection, const RootRecord& root);
absl::StatusOr<RootRecord> GetRoot(Connection& connection, absl::string_view tenant_id,
                                   absl::string_view root_id);
absl::StatusOr<std::vector<RootRecord>> ListRoots(Connection& connection,
                                                  absl::string_view tenant_id);
absl::Status ChangeRootStates(Connection& connection, absl::string_view tenant_id,
                              std::uint64_t expected_revision,
                              absl::Span<const RootStateChange> changes,
                              const RootChangeOrder& order);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_ROOTS_H_
