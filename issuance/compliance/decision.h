// The verdict on a device: a pure function of its report, a policy and the time.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_DECISION_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_DECISION_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hourglass/v1/devices.pb.h"
#include "hourglass/v1/error.pb.h"
#include "issuance/base/clock.h"
#include "issuance/compliance/policy.h"

namespace hourglass::issuance {

// How far the clocks of devices, reporters and this service may differ: what is dated in the future
// by no more than this is taken as of now.
inline constexpr std::chrono::minutes kClockTolerance(5);

v1::DenyReason MakeDenyReason(absl::string_view setting, absl::string_view message,
                              absl::string_view remediation_url);

// Every setting of the policy that the device does not meet, in the policy's order; empty: the
// device is compliant. What the report does not say is not met. An age at exactly its limit is met,
// a time more than kClockTolerance after `now` is not. A report that is older than report_validity,
// or from such a future, gives that one reason. A pure function.
std::vector<v1::DenyReason> Decide(const CompliancePolicy& policy, const v1::DeviceState& state,
                                   Timestamp reported_at, Timestamp now);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_DECISION_H_
