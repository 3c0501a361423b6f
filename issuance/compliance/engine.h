// The embedded compliance engine: device reports against the tenant's policy file.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/compliance.pb.h"
#include "issuance/clock.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// Safe to call from several threads.
class ComplianceEngine {
 public:
  // Policies are the files `TENANT_ID.yaml` in `policy_directory`, read again when they change. `store` and `clock` must
  // outlive this object.
  ComplianceEngine(std::string policy_directory, Store* store, const Clock* clock);
  ~ComplianceEngine();

  // A verdict for every sound question: no policy, an unreadable policy, an unknown device, a stale report, an unknown or a
  // refused setting are denies that say so. Errors, for which there is no verdict: FIELD_MISSING or FIELD_INVALID for an unsound question,
  // JOURNAL_UNAVAILABLE.
  absl::StatusOr<v1::Verdict> Evaluate(const v1::EvaluateRequest& request);

 private:
  class PolicyFiles;

  std::unique_ptr<PolicyFiles> policies_;
  Store* const store_;
  const Clock* const clock_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_H_
