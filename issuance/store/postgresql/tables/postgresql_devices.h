// The statements about devices, as DeviceStore describes them: one each. None of them needs the
// administration; those that write are whole by themselves, in a transaction or without one.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DEVICES_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DEVICES_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/page.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/records.h"

namespace hourglass::issuance::postgresql {

// Of several at once the one that is committed last stays. The first report of a device waits for a
// promotion of the tenant that is under way; later ones wait for nobody but those of the device.
absl::Status PutDevice(Connection& connection, const DeviceRecord& device);
absl::StatusOr<DeviceRecord> GetDevice(Connection& connection, absl::string_view tenant_id,
                                       absl::string_view device_id);
absl::StatusOr<Page<DeviceRecord>> ListDevices(Connection& connection, absl::string_view tenant_id,
                                               int page_size, absl::string_view page_token);
absl::Status RemoveDevice(Connection& connection, absl::string_view tenant_id,
                          absl::string_view device_id);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DEVICES_H_
