// One certificate request from beginning to end, in nine steps.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_H_
#define HOURGLASS_ISSUANCE_PIPELINE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hourglass/v1/issuance.pb.h"
#include "issuance/caller.h"
#include "issuance/clock.h"
#include "issuance/compliance/compliance_client.h"
#include "issuance/entropy.h"
#include "issuance/event_log.h"
#include "issuance/journal.h"
#include "issuance/tenants.h"

namespace hourglass::issuance {

struct IssueOutcome {
  // OK, or why nothing is issued.
  absl::Status status;
  // Complete where status is OK, else empty.
  v1::IssueCertificateResponse response;
  // With DEVICE_NOT_COMPLIANT: at least one.
  std::vector<v1::DenyReason> deny_reasons;
};

// Safe to call from several threads.
class Pipeline {
 public:
  // All pointers must outlive this object. `log` learns what is wrong with a key; callers only
  // learn that it cannot be used.
  Pipeline(Tenants* tenants, ComplianceClient* compliance, Journal* journal, Entropy* entropy,
           const Clock* clock, EventLog log = EventLog::Silent())
      : tenants_(tenants),
        compliance_(compliance),
        journal_(journal),
        entropy_(entropy),
        clock_(clock),
        log_(std::move(log)) {}

  // Blocks on the compliance service, the journal and the key. Errors: every reason that
  // v1::CertificateIssuer names.
  IssueOutcome Issue(const Caller& caller, const v1::IssueCertificateRequest& request);

 private:
  struct SoundRequest;
  struct Draft;

  absl::Status CheckCaller(const Caller& caller, const v1::IssueCertificateRequest& request);
  absl::StatusOr<SoundRequest> CheckRequest(const Caller& caller,
                                            const v1::IssueCertificateRequest& request);
  absl::StatusOr<ComplianceVerdict> ObtainVerdict(const SoundRequest& request);
  absl::StatusOr<std::shared_ptr<const TenantSnapshot>> TakeSnapshot(const SoundRequest& request);
  absl::StatusOr<Draft> FillTemplate(const SoundRequest& request,
                                     std::shared_ptr<const TenantSnapshot> tenant);
  absl::Status WriteIntent(const SoundRequest& request, const ComplianceVerdict& verdict,
                           Draft& draft);
  absl::Status TakeUpRecordedIntent(const SoundRequest& request, Draft& draft);
  absl::Status TakeUpFromAnotherIssuer(const SoundRequest& request, JournalRecord record,
                                       Draft& draft);
  absl::Status SignAndVerify(Draft& draft);
  absl::Status WriteRelease(Draft& draft);
  v1::IssueCertificateResponse Answer(const Draft& draft);

  absl::Status KeyFailure(absl::string_view tenant_id, const absl::Status& cause) const;

  absl::Status Run(const Caller& caller, const v1::IssueCertificateRequest& request,
                   IssueOutcome& outcome);

  Tenants* const tenants_;
  ComplianceClient* const compliance_;
  Journal* const journal_;
  Entropy* const entropy_;
  const Clock* const clock_;
  const EventLog log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_H_
