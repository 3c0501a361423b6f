#include "issuance/store/sqlite/tables/sqlite_device_keys.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ca/names/name_rules.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/access_rows.h"
#include "issuance/store/access_statements.h"
#include "issuance/store/device_key_rules.h"
#include "issuance/store/page_token.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/sqlite/tables/sqlite_administrative_actions.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::sqlite {
namespace {

absl::StatusOr<std::optional<DeviceKeyRecord>> FindDeviceKey(Connection& connection,
                                                             absl::string_view tenant_id,
                                                             absl::string_view key_id) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kSelectDeviceKey, {Text{tenant_id}, Text{key_id}}));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  ASSIGN_OR_RETURN(DeviceKeyRecord key, TakeDeviceKey(rows));
  return key;
}

absl::StatusOr<std::vector<DeviceKeyRecord>> KeysOf(Connection& connection,
                                                    absl::string_view tenant_id,
                                                    absl::string_view folded_device_id) {
  ASSIGN_OR_RETURN(
      Rows rows, connection.Query(kSelectKeysOfDevice, {Text{tenant_id}, Text{folded_device_id}}));
  std::vector<DeviceKeyRecord> keys;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return keys;
    ASSIGN_OR_RETURN(DeviceKeyRecord key, TakeDeviceKey(rows));
    keys.push_back(std::move(key));
  }
}

absl::StatusOr<std::uint64_t> CountPending(Connection& connection, absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kCountPendingDeviceKeys, {Text{tenant_id}}));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return TenantUnknown();
  return static_cast<std::uint64_t>(rows.TakeInteger());
}

absl::StatusOr<DeviceKeyRecord> Make(Connection& connection, DeviceKeyChange change) {
  for (const DeviceKeyRecord& key : change.puts) {
    RETURN_IF_ERROR(
        connection
            .Change(kPutDeviceKey,
                    {Text{key.tenant_id}, Text{key.key_id}, Text{key.device_id},
                     Text{NameOf(key.state)}, Blob{key.public_key}, ValueOf(key.enrolled_at),
                     Text{key.enrolled_by}, ValueOf(key.approved_at), Text{key.approved_by},
                     Text{key.approval_reason}, ValueOf(key.removed_at), Text{key.removed_by},
                     Text{key.removal_reason}, std::int64_t{key.is_released},
                     Text{ca::FoldedUpn(key.device_id)}})
            .status());
  }
  for (const AdministrativeAction& action : change.actions) {
    RETURN_IF_ERROR(RecordAction(connection, action));
  }
  return std::move(change.result);
}

}  // namespace

absl::StatusOr<DeviceKeyRecord> EnrolDeviceKey(Connection& connection, const DeviceKeyRecord& key,
                                               DeviceKeyStore::Approval approval,
                                               const ChangeCause& cause) {
  ASSIGN_OR_RETURN(const std::string folded_device_id, FoldedDevice(key.device_id));
  EnrolledBefore before;
  ASSIGN_OR_RETURN(before.pending_of_tenant, CountPending(connection, key.tenant_id));
  ASSIGN_OR_RETURN(before.same_key, FindDeviceKey(connection, key.tenant_id, key.key_id));
  ASSIGN_OR_RETURN(before.of_device, KeysOf(connection, key.tenant_id, folded_device_id));
  ASSIGN_OR_RETURN(DeviceKeyChange change, PlanEnrolment(key, before, approval, cause));
  return Make(connection, std::move(change));
}

absl::StatusOr<DeviceKeyRecord> ApproveDeviceKey(Connection& connection,
                                                 absl::string_view tenant_id,
                                                 absl::string_view key_id, bool replaces,
                                                 const ChangeCause& cause) {
  ASSIGN_OR_RETURN(const std::optional<DeviceKeyRecord> key,
                   FindDeviceKey(connection, tenant_id, key_id));
  std::vector<DeviceKeyRecord> of_device;
  if (key.has_value()) {
    ASSIGN_OR_RETURN(of_device, KeysOf(connection, tenant_id, ca::FoldedUpn(key->device_id)));
  }
  ASSIGN_OR_RETURN(DeviceKeyChange change, PlanApproval(key, of_device, replaces, cause));
  return Make(connection, std::move(change));
}

absl::StatusOr<DeviceKeyRecord> RemoveDeviceKey(Connection& connection, absl::string_view tenant_id,
                                                absl::string_view key_id, bool releases,
                                                const ChangeCause& cause) {
  ASSIGN_OR_RETURN(const std::optional<DeviceKeyRecord> key,
                   FindDeviceKey(connection, tenant_id, key_id));
  ASSIGN_OR_RETURN(DeviceKeyChange change, PlanRemoval(key, releases, cause));
  ASSIGN_OR_RETURN(DeviceKeyRecord removed, Make(connection, std::move(change)));
  if (releases) {
    RETURN_IF_ERROR(
        connection.Change(kReleaseDevice, {Text{tenant_id}, Text{ca::FoldedUpn(removed.device_id)}})
            .status());
  }
  return removed;
}

absl::StatusOr<Page<DeviceKeyRecord>> ListDeviceKeys(Connection& connection,
                                                     absl::string_view tenant_id,
                                                     const DeviceKeyFilter& filter, int page_size,
                                                     absl::string_view page_token) {
  RETURN_IF_ERROR(CheckPageSize(page_size));
  DeviceKeyPosition after;  // of no key
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(after, ParseDeviceKeyPosition(page_token));
  }
  const absl::string_view state = filter.state.has_value() ? NameOf(*filter.state) : "";
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query(kSelectDeviceKeys,
                                    {Text{tenant_id}, Text{after.folded_device_id},
                                     Text{after.key_id}, Text{ca::FoldedUpn(filter.device_id)},
                                     Text{state}, std::int64_t{page_size} + 1}));
  return TakePage<DeviceKeyRecord>(
      rows, page_size, TakeDeviceKey<Rows>, [](const DeviceKeyRecord& last) {
        return DeviceKeyPageToken({ca::FoldedUpn(last.device_id), last.key_id});
      });
}

}  // namespace hourglass::issuance::sqlite
