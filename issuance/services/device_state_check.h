// What a report of a device must be.
#ifndef HOURGLASS_ISSUANCE_SERVICES_DEVICE_STATE_CHECK_H_
#define HOURGLASS_ISSUANCE_SERVICES_DEVICE_STATE_CHECK_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/devices.pb.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// Whether every field of `state` has the form that v1::DeviceState documents, and no time in it
// lies more than five minutes after `now`. Errors: FIELD_INVALID with the field at fault below
// `field`: `state.antivirus.signatures_updated_at`. A pure function.
absl::Status CheckDeviceState(const v1::DeviceState& state, Timestamp now, absl::string_view field);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_DEVICE_STATE_CHECK_H_
