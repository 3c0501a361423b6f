// The statements about administrative actions, as AdministrativeJournalStore describes them.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_ADMINISTRATIVE_ACTIONS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_ADMINISTRATIVE_ACTIONS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/page.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/records.h"

namespace hourglass::issuance::postgresql {

// In the transaction of what was done, in which the caller holds the administration: so the order
// of the numbers is that in which actions came to be. `action.sequence` is not looked at: it
// becomes higher than that of every action before. The tenant must be there, else INTERNAL_ERROR.
absl::Status RecordAction(Connection& connection, const AdministrativeAction& action);
// Several, in their order and one round trip.
absl::Status RecordActions(Connection& connection, absl::Span<const AdministrativeAction> actions);
absl::StatusOr<Page<AdministrativeAction>> ListAdministrativeActions(Connection& connection,
                                                                     absl::string_view tenant_id,
                                                                     int page_size,
                                                                     absl::string_view page_token);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_ADMINISTRATIVE_ACTIONS_H_
