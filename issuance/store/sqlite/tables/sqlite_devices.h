// The statements about devices, as DeviceStore describes them. Those that write need a
// transaction of the caller's.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_DEVICES_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_DEVICES_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/records.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/store.h"

namespace hourglass::issuance::sqlite {

absl::Status PutDevice(Connection& connection, const DeviceRecord& device);
absl::StatusOr<DeviceRecord> GetDevice(Connection& connection, absl::string_view tenant_id,
                                       absl::string_view device_id);
absl::StatusOr<Page<DeviceRecord>> ListDevices(Connection& connection, absl::string_view tenant_id,
                                               int page_size, absl::string_view page_token);
absl::Status RemoveDevice(Connection& connection, absl::string_view tenant_id,
                          absl::string_view device_id);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_DEVICES_H_
