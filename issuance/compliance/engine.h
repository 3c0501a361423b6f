// The embedded compliance engine: device reports against the tenant's policy file.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/compliance.pb.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/compliance/policy_files.h"
#include "issuance/log/event_log.h"
#include "issuance/store/access_store.h"

namespace hourglass::issuance {

// Safe to call from several threads.
class ComplianceEngine {
 public:
  // Policies are the files `TENANT_ID.yaml` in `policy_directory`, read again when they change.
  // What is wrong with one is an event `policy_unreadable` of `log`. `store` and `clock` must
  // outlive this object.
  ComplianceEngine(std::string policy_directory, DecisionFactsStore* store, const Clock* clock,
                   EventLog log = EventLog::Silent());

  // A verdict for every sound question: what is blocked (issuance/compliance/blocks.h), no policy,
  // a policy with mistakes, an unknown device, a stale report, an unknown or a refused setting are
  // denies that say so. Errors, for which there is no verdict: FIELD_MISSING or FIELD_INVALID for
  // an unsound question, COMPLIANCE_UNAVAILABLE where the policy could not be read,
  // CLOCK_UNTRUSTED, JOURNAL_UNAVAILABLE, INTERNAL_ERROR.
  absl::StatusOr<v1::Verdict> Evaluate(const v1::EvaluateRequest& request);

 private:
  // What is blocked, else the device's reasons under the tenant's policy; empty for an allow. Sets
  // the verdict's policy version.
  absl::StatusOr<std::vector<v1::DenyReason>> Judge(const v1::EvaluateRequest& request,
                                                    Timestamp now, v1::Verdict* verdict);
  // Of a device of which there may be no record.
  absl::StatusOr<std::vector<v1::DenyReason>> JudgeDevice(const v1::EvaluateRequest& request,
                                                          const std::optional<DeviceRecord>& device,
                                                          Timestamp now, v1::Verdict* verdict);

  PolicyFiles policies_;
  DecisionFactsStore* const store_;
  const Clock* const clock_;
  const EventLog log_;
  SystemEntropy entropy_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_H_
