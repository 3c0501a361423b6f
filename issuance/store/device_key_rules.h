// What every store refuses, keeps and records of keys of devices, whatever database it is made of.
// The contract (issuance/store/device_key_store.h) names the reasons; a database finds out what is
// there, and asks here. All of it is pure, and safe to call from several threads.
#ifndef HOURGLASS_ISSUANCE_STORE_DEVICE_KEY_RULES_H_
#define HOURGLASS_ISSUANCE_STORE_DEVICE_KEY_RULES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/access_records.h"
#include "issuance/store/device_key_store.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

// DEVICE_KEY_UNKNOWN with field `key_id`.
absl::Status DeviceKeyUnknown();

// In tables: `pending`, `approved`, `removed`. Live as long as the process.
absl::string_view NameOf(DeviceKeyRecord::State state);
// The reverse. Errors: JOURNAL_UNAVAILABLE for another name: the table is damaged.
absl::StatusOr<DeviceKeyRecord::State> DeviceKeyStateNamed(absl::string_view name);

// Of whom a key is, folded. Errors: FIELD_INVALID with field `device_id` where nothing is left.
absl::StatusOr<std::string> FoldedDevice(absl::string_view device_id);

// What a change of keys comes to.
struct DeviceKeyChange {
  DeviceKeyRecord result;             // the key that it is about, as it then is
  std::vector<DeviceKeyRecord> puts;  // what is to be written, in this order; none: nothing changes
  std::vector<AdministrativeAction> actions;
};

// What is there of a key that is about to be enrolled.
struct EnrolledBefore {
  std::optional<DeviceKeyRecord> same_key;  // of the tenant, of whatever device
  std::vector<DeviceKeyRecord> of_device;   // all keys of the device
  std::uint64_t pending_of_tenant = 0;
};

// As DeviceKeyStore::EnrolDeviceKey has it, but for what it finds out before this.
absl::StatusOr<DeviceKeyChange> PlanEnrolment(const DeviceKeyRecord& key,
                                              const EnrolledBefore& before,
                                              DeviceKeyStore::Approval approval,
                                              const ChangeCause& cause);
// As DeviceKeyStore::ApproveDeviceKey and RemoveDeviceKey have it; `key` is what is there of it,
// `of_device` all keys of its device.
absl::StatusOr<DeviceKeyChange> PlanApproval(const std::optional<DeviceKeyRecord>& key,
                                             absl::Span<const DeviceKeyRecord> of_device,
                                             bool replaces, const ChangeCause& cause);
absl::StatusOr<DeviceKeyChange> PlanRemoval(const std::optional<DeviceKeyRecord>& key,
                                            bool releases, const ChangeCause& cause);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_DEVICE_KEY_RULES_H_
