// The role of the store that keeps what was reported of devices.
#ifndef HOURGLASS_ISSUANCE_STORE_DEVICE_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_DEVICE_STORE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/page.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

// The contract that all roles share stands at Store (issuance/store/store.h).
class DeviceStore {
 public:
  virtual ~DeviceStore() = default;
  DeviceStore(const DeviceStore&) = delete;
  DeviceStore& operator=(const DeviceStore&) = delete;

  // Replaces the device's record whole. Errors: TENANT_UNKNOWN.
  virtual absl::Status PutDevice(const DeviceRecord& device) = 0;
  // Errors: DEVICE_UNKNOWN.
  virtual absl::StatusOr<DeviceRecord> GetDevice(absl::string_view tenant_id,
                                                 absl::string_view device_id) = 0;
  // By device id, in the order of its octets. Pages as Page says.
  virtual absl::StatusOr<Page<DeviceRecord>> ListDevices(absl::string_view tenant_id, int page_size,
                                                         absl::string_view page_token) = 0;
  // Errors: DEVICE_UNKNOWN.
  virtual absl::Status RemoveDevice(absl::string_view tenant_id, absl::string_view device_id) = 0;

 protected:
  DeviceStore() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_DEVICE_STORE_H_
