// The statements about users, as DirectoryStore describes them. Those that write need a transaction
// of the caller's, in which he holds the administration
// (ConnectionPool::Administer) and which he rolls back after an error.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DIRECTORY_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DIRECTORY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/access_records.h"
#include "issuance/store/access_store.h"
#include "issuance/store/page.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

absl::Status PutUsers(Connection& connection, absl::string_view tenant_id,
                      absl::Span<const DirectoryUser> users, const ChangeCause& cause);
absl::StatusOr<std::uint64_t> RemoveUsersNotUpdatedSince(Connection& connection,
                                                         absl::string_view tenant_id,
                                                         Timestamp cutoff,
                                                         const ChangeCause& cause);
absl::Status RemoveUser(Connection& connection, absl::string_view tenant_id,
                        absl::string_view user_id, const ChangeCause& cause);
absl::StatusOr<DirectoryUser> GetUser(Connection& connection, absl::string_view tenant_id,
                                      absl::string_view user_id);
absl::StatusOr<DirectoryUser> GetUserByUpn(Connection& connection, absl::string_view tenant_id,
                                           absl::string_view upn);
absl::StatusOr<Page<DirectoryUser>> ListUsers(Connection& connection, absl::string_view tenant_id,
                                              int page_size, absl::string_view page_token);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DIRECTORY_H_
