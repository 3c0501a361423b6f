// The statements about intermediates, as IntermediateStore describes them. Those that write
// need a transaction of the caller's, who rolls it back after an error.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_INTERMEDIATES_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_INTERMEDIATES_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/records.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/store.h"

namespace hourglass::issuance::sqlite {

absl::Status AddIntermediate(Connection& connection, const IntermediateRecord& intermediate);
absl::Status ReleaseIntermediate(Connection& connection, absl::string_view tenant_id,
                                 absl::string_view root_id, absl::string_view serial_number,
                                 absl::string_view certificate, Timestamp released_at);
absl::StatusOr<IntermediateRecord> GetIntermediate(Connection& connection,
                                                   absl::string_view tenant_id,
                                                   absl::string_view root_id,
                                                   absl::string_view serial_number);
absl::StatusOr<Page<IntermediateRecord>> ListIntermediates(Connection& connection,
                                                           absl::string_view tenant_id,
                                                           absl::string_view root_id, int page_size,
                                                           absl::string_view page_token);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_INTERMEDIATES_H_
