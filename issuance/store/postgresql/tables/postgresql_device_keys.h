// The statements about device keys, as DeviceKeyStore describes them. Those that write need a
// transaction of the caller's, in which he holds the administration (ConnectionPool::Administer)
// and which he rolls back after an error.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DEVICE_KEYS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DEVICE_KEYS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/access_records.h"
#include "issuance/store/device_key_store.h"
#include "issuance/store/page.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

absl::StatusOr<DeviceKeyRecord> EnrolDeviceKey(Connection& connection, const DeviceKeyRecord& key,
                                               DeviceKeyStore::Approval approval,
                                               const ChangeCause& cause);
absl::StatusOr<DeviceKeyRecord> ApproveDeviceKey(Connection& connection,
                                                 absl::string_view tenant_id,
                                                 absl::string_view key_id, bool replaces,
                                                 const ChangeCause& cause);
absl::StatusOr<DeviceKeyRecord> RemoveDeviceKey(Connection& connection, absl::string_view tenant_id,
                                                absl::string_view key_id, bool releases,
                                                const ChangeCause& cause);
absl::StatusOr<Page<DeviceKeyRecord>> ListDeviceKeys(Connection& connection,
                                                     absl::string_view tenant_id,
                                                     const DeviceKeyFilter& filter, int page_size,
                                                     absl::string_view page_token);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DEVICE_KEYS_H_
