// One certificate request among those of a batch, and what became of it.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_ISSUE_TASK_H_
#define HOURGLASS_ISSUANCE_PIPELINE_ISSUE_TASK_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hourglass/v1/issuance.pb.h"
#include "issuance/base/clock.h"
#include "issuance/identity/caller.h"

namespace hourglass::issuance {

// Belongs to one thread at a time: to whoever made it, then to the pipeline until that is done.
class IssueTask {
 public:
  virtual ~IssueTask() = default;

  // Whether nobody waits for the answer any more. Quick; asked on any thread.
  virtual bool CallerIsGone() const = 0;

  // Called by the lane that served the task, once, when what the pipeline sets is set; the task may
  // delete itself. Quick: others of its batch are told after it.
  virtual void Finished() = 0;

  // Set by whoever makes the task; all must outlive it. `response` is empty.
  const Caller* caller = nullptr;
  const v1::IssueCertificateRequest* request = nullptr;
  v1::IssueCertificateResponse* response = nullptr;
  // SHA-256 of the certificate that the caller showed in this connection, 32 octets: what a token
  // may be bound to. Empty where it is not known, which no such token accepts.
  std::string caller_certificate_sha256;
  // When the caller stops waiting, by the pipeline's clock.
  Timestamp deadline = Timestamp::max();

  // Set by the pipeline. OK, and `response` is complete, or why nothing is issued, and `response`
  // is empty: every reason that v1::CertificateIssuer names; without a reason CANCELLED, where the
  // caller was gone, and DEADLINE_EXCEEDED, before anything was recorded.
  absl::Status status;
  // For whom it is, once that is known: by his token, where the tenant takes tokens. Else empty.
  std::string user_upn;
  std::string device_id;
  // With DEVICE_NOT_COMPLIANT: at least one.
  std::vector<v1::DenyReason> deny_reasons;
  // With DEVICE_NOT_COMPLIANT: the verdict, and whom it was asked about.
  struct Denial {
    std::string verdict_id;
    std::string policy_version;
    Timestamp evaluated_at;
    std::string user_id;
    std::string user_upn;
    std::string device_id;
  };
  std::optional<Denial> denial;
  // The request needs a thread that may wait, and was asked of one that may not: nothing is
  // recorded, `status` says nothing, and it is to be asked again.
  bool needs_patience = false;
  // One request was taken from the allowance of its token's device, and is not taken again where it
  // is asked with more patience.
  bool device_charged = false;

  // The next one in the line where it waits; of the AdmissionQueue.
  IssueTask* behind = nullptr;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_ISSUE_TASK_H_
