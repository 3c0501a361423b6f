#include "issuance/store/sqlite/tables/sqlite_devices.h"

#include "hsm/base/status_macros.h"
#include "issuance/store/access_rows.h"
#include "issuance/store/page_token.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/sqlite/tables/sqlite_tenants.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::sqlite {
namespace {

#define HOURGLASS_DEVICE_COLUMNS "tenant_id, device_id, state, reported_at, reported_by"

}  // namespace

absl::Status PutDevice(Connection& connection, const DeviceRecord& device) {
  ASSIGN_OR_RETURN(
      const std::int64_t put,
      connection.Change("INSERT INTO devices (" HOURGLASS_DEVICE_COLUMNS
                        ") SELECT tenant_id, ?2, ?3, ?4, ?5 FROM tenants WHERE tenant_id = ?1 "
                        "ON CONFLICT (tenant_id, device_id) DO UPDATE SET state = excluded.state, "
                        "reported_at = excluded.reported_at, reported_by = excluded.reported_by",
                        {Text{device.tenant_id}, Text{device.device_id}, Blob{device.state},
                         ValueOf(device.reported_at), Text{device.reported_by}}));
  return put == 1 ? absl::OkStatus() : TenantUnknown();
}

absl::StatusOr<DeviceRecord> GetDevice(Connection& connection, absl::string_view tenant_id,
                                       absl::string_view device_id) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT " HOURGLASS_DEVICE_COLUMNS
                                    " FROM devices WHERE tenant_id = ? AND device_id = ?",
                                    {Text{tenant_id}, Text{device_id}}));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return DeviceUnknown();
  return TakeDevice(rows);
}

absl::StatusOr<Page<DeviceRecord>> ListDevices(Connection& connection, absl::string_view tenant_id,
                                               int page_size, absl::string_view page_token) {
  RETURN_IF_ERROR(CheckPageSize(page_size));
  std::string after;
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(after, ParseDevicePosition(page_token));
  }
  const absl::string_view sql =
      page_token.empty()
          ? "SELECT " HOURGLASS_DEVICE_COLUMNS
            " FROM devices WHERE tenant_id = ? AND device_id >= ? ORDER BY device_id LIMIT ?"
          : "SELECT " HOURGLASS_DEVICE_COLUMNS
            " FROM devices WHERE tenant_id = ? AND device_id > ? ORDER BY device_id LIMIT ?";
  ASSIGN_OR_RETURN(Rows rows, connection.Query(sql, {Text{tenant_id}, Text{after},
                                                     std::int64_t{page_size} + 1}));
  Page<DeviceRecord> page;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return page;
    if (page.records.size() == static_cast<std::size_t>(page_size)) {
      page.next_page_token = DevicePageToken(page.records.back().device_id);
      return page;
    }
    ASSIGN_OR_RETURN(DeviceRecord device, TakeDevice(rows));
    page.records.push_back(std::move(device));
  }
}

absl::Status RemoveDevice(Connection& connection, absl::string_view tenant_id,
                          absl::string_view device_id) {
  ASSIGN_OR_RETURN(const std::int64_t removed,
                   connection.Change("DELETE FROM devices WHERE tenant_id = ? AND device_id = ?",
                                     {Text{tenant_id}, Text{device_id}}));
  return removed == 1 ? absl::OkStatus() : DeviceUnknown();
}

}  // namespace hourglass::issuance::sqlite
