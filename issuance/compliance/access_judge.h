// The decision of a tenant's policies of the store, with its policy file.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_ACCESS_JUDGE_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_ACCESS_JUDGE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hourglass/v1/error.pb.h"
#include "issuance/access/compliance/compliance.h"
#include "issuance/access/evaluation.h"
#include "issuance/access/facts.h"
#include "issuance/access/lenience.h"
#include "issuance/base/clock.h"
#include "issuance/compliance/tenant_policies.h"
#include "issuance/config/access_config.h"

namespace hourglass::issuance {

// What the tenant's policy file says of the device.
struct FileFindings {
  bool has_file = false;
  std::string version;                  // of the file
  std::vector<v1::DenyReason> reasons;  // empty: the device satisfies it, or there is none
};

// What is known of who asks. Without a report, nothing is of the device.
struct AccessFacts {
  access::Facts facts;
  access::ComplianceFacts report;
};

struct AccessJudgement {
  // Why not; empty of an allowance. At most 100, in words that a help desk can read out.
  std::vector<v1::DenyReason> reasons;
  bool has_report = false;  // of the device
  // By the tenant's compliance policies and its file.
  access::ComplianceResult compliance;
  // Of every policy that may be about the VPN, also where none is enforced and nothing of it
  // counts. Refers to `policies`.
  access::Decision decision;
};

// The file's reasons, and those of the conditional access policies where one is enabled; where none
// is, but there are compliance policies, what the device does not meet of these. `compliantDevice`
// takes that the device satisfies the compliance policies and the file; a tenant with a file alone
// needs no compliance policy for it. A policy that is not satisfied for want of it is followed by
// what the device does not meet. With `lenience` what hinges on facts that it names is left out. A
// pure function.
AccessJudgement JudgeAccess(const TenantPolicies& policies, const AccessConfig& config,
                            const FileFindings& file, AccessFacts facts, Timestamp now,
                            const access::Lenience& lenience = {});

// Which policies decided: the file's version, `ca:REVISION` of those of the store, or both. At most
// 256 octets.
std::string PolicyVersionOf(const TenantPolicies& policies, const FileFindings& file);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_ACCESS_JUDGE_H_
