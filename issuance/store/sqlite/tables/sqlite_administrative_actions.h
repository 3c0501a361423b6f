// The statements about administrative actions, as AdministrativeJournalStore describes them. Those
// that write need a transaction of the caller's, who rolls it back after an error.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_ADMINISTRATIVE_ACTIONS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_ADMINISTRATIVE_ACTIONS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/page.h"
#include "issuance/store/records.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance::sqlite {

// In the transaction of what was done. `action.sequence` is not looked at: it becomes higher than
// that of every action before. The tenant must be there.
absl::Status RecordAction(Connection& connection, const AdministrativeAction& action);
absl::StatusOr<Page<AdministrativeAction>> ListAdministrativeActions(Connection& connection,
                                                                     absl::string_view tenant_id,
                                                                     int page_size,
                                                                     absl::string_view page_token);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_ADMINISTRATIVE_ACTIONS_H_
