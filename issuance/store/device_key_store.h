// The role of the store that keeps the keys by which devices prove that they ask.
#ifndef HOURGLASS_ISSUANCE_STORE_DEVICE_KEY_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_DEVICE_KEY_STORE_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/access_records.h"
#include "issuance/store/page.h"
#include "issuance/store/relying_party_store.h"

namespace hourglass::issuance {

// Which device keys are listed.
struct DeviceKeyFilter {
  std::string device_id = "";  // as ca::FoldedUpn has it; empty: of any
  std::optional<DeviceKeyRecord::State> state = std::nullopt;
};

// The contract that all roles share stands at Store (issuance/store/store.h).
class DeviceKeyStore {
 public:
  virtual ~DeviceKeyStore() = default;
  DeviceKeyStore(const DeviceKeyStore&) = delete;
  DeviceKeyStore& operator=(const DeviceKeyStore&) = delete;

  // Keys that wait to be approved, of a device and of a tenant.
  static constexpr std::size_t kMostPendingOfDevice = 4;
  static constexpr std::size_t kMostPendingOfTenant = 10'000;

  // Whether the key waits for an administrator. An access token speaks for the first key that a
  // device ever has approved, and for no other.
  enum class Approval { kLater, kIfFirst };

  // Adds the key, by what `key` says of its tenant, id, device and public key, as of `cause.now` by
  // `cause.caller`; `cause.reason` is why it is approved, where it is. Returns it as it then is.
  // One that the device has already, pending or approved, stays as it is, but that it may be
  // approved. Records `device_key_enrolled` where it is new, and `device_key_approved`. Errors:
  // FIELD_INVALID with field `device_id` where that is empty; TENANT_UNKNOWN; DEVICE_KEY_EXISTS
  // with field `public_key` where it was removed, or is another device's; QUOTA_EXCEEDED with field
  // `device_id` or `tenant_id` where as many are pending as may. Of several, the first of these.
  virtual absl::StatusOr<DeviceKeyRecord> EnrolDeviceKey(const DeviceKeyRecord& key,
                                                         Approval approval,
                                                         const ChangeCause& cause) = 0;
  // Makes it the one of its device: counts for every verdict that begins once this has returned, in
  // all processes. With `replaces`, removes another that is, in the same write. One that is
  // approved stays as it is. Records `device_key_approved`, and before it `device_key_removed`.
  // Errors: DEVICE_KEY_UNKNOWN with field `key_id` where there is none, or it was removed;
  // DEVICE_KEY_EXISTS with field `key_id` where the device has another and it is not replaced.
  virtual absl::StatusOr<DeviceKeyRecord> ApproveDeviceKey(absl::string_view tenant_id,
                                                           absl::string_view key_id, bool replaces,
                                                           const ChangeCause& cause) = 0;
  // For good. With `releases`, no key of the device that was removed binds it any more. Records
  // `device_key_removed`. Errors: DEVICE_KEY_UNKNOWN with field `key_id`.
  virtual absl::StatusOr<DeviceKeyRecord> RemoveDeviceKey(absl::string_view tenant_id,
                                                          absl::string_view key_id, bool releases,
                                                          const ChangeCause& cause) = 0;
  // Also those that were removed. By device, in the order of the octets of its ca::FoldedUpn, then
  // by key id. Pages as Page says.
  virtual absl::StatusOr<Page<DeviceKeyRecord>> ListDeviceKeys(absl::string_view tenant_id,
                                                               const DeviceKeyFilter& filter,
                                                               int page_size,
                                                               absl::string_view page_token) = 0;

 protected:
  DeviceKeyStore() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_DEVICE_KEY_STORE_H_
