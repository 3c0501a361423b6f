// Whether a device is compliant, as Microsoft Intune decides it.
#ifndef HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_COMPLIANCE_H_
#define HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_COMPLIANCE_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "issuance/access/compliance/compliance_facts.h"
#include "issuance/access/compliance/compliance_policy.h"

namespace hourglass::access {

struct ComplianceOptions {
  // An older report is none. Intune: 1 to 120 days.
  std::chrono::hours report_validity = std::chrono::hours(30 * 24);
  // What Intune does with a device that no policy is for. By default that one is not compliant.
  bool compliant_without_policy = false;
};

// A setting that the device does not meet.
struct UnmetSetting {
  std::string policy_id;    // empty where it is of no policy
  std::string policy_name;  // the same
  std::string setting;  // in Graph: `bitLockerEnabled`; `reportValidity` and `policy` of no policy
  std::string message;  // for a help desk

  bool operator==(const UnmetSetting&) const = default;
};

struct ComplianceResult {
  // kCompliant, kNoncompliant or kInGracePeriod.
  ComplianceState state = ComplianceState::kNoncompliant;
  // Every one, in the order of policies, by id, and of settings. Also of a device in grace.
  std::vector<UnmetSetting> unmet;
  // Of kInGracePeriod: when it ends.
  std::optional<Timestamp> grace_ends_at;
  // When the report will be too old; nullopt where it is so already.
  std::optional<Timestamp> report_expires_at;
  // What else the administrator should know: why there is no grace period.
  std::vector<std::string> notes;
};

// A pure function. A device is compliant when it meets every setting of every policy for its
// platform; what is not configured is not asked, and what is not known is not met. Where the
// platform is not known, every policy may be for it: each must be met, and none counts as one that
// the device has. A device that does not meet a policy is in its grace period until the policy's
// hours have passed since `noncompliant_since`; one for which either is not known has none, and a
// report that is too old, or dated more than five minutes ahead, neither.
ComplianceResult EvaluateCompliance(const std::vector<CompliancePolicy>& policies,
                                    const ComplianceFacts& facts, const ComplianceOptions& options,
                                    Timestamp now);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_COMPLIANCE_H_
