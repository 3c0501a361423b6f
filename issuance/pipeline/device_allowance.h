// How often a device that an access token names may ask for certificates.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_DEVICE_ALLOWANCE_H_
#define HOURGLASS_ISSUANCE_PIPELINE_DEVICE_ALLOWANCE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// Safe to call from several threads.
class DeviceAllowance {
 public:
  virtual ~DeviceAllowance() = default;
  DeviceAllowance(const DeviceAllowance&) = delete;
  DeviceAllowance& operator=(const DeviceAllowance&) = delete;

  // Takes one request from what the device may ask, whoever brings its token. To be asked once the
  // token is verified: so nobody uses it up without one. Waits for nobody. Errors:
  // REQUESTS_TOO_FREQUENT with field `device_id`; hsm::RetryDelayOf has the time to come back.
  virtual absl::Status TakeOne(absl::string_view tenant_id, absl::string_view device_id,
                               Timestamp now) = 0;

 protected:
  DeviceAllowance() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_DEVICE_ALLOWANCE_H_
