// A request on its way through the pipeline. Of the pipeline's own sources.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_PIPELINE_WORK_H_
#define HOURGLASS_ISSUANCE_PIPELINE_PIPELINE_WORK_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ca/authority.h"
#include "ca/names/name.h"
#include "ca/request/certificate_request.h"
#include "hourglass/v1/compliance.pb.h"
#include "issuance/authorities/tenants.h"
#include "issuance/compliance/compliance_client.h"
#include "issuance/pipeline/issue_task.h"
#include "issuance/pipeline/pipeline.h"
#include "issuance/store/records.h"
#include "issuance/tokens/access_token.h"

namespace hourglass::issuance {

// For whom a certificate is, and by whose word that is known.
struct Pipeline::Holder {
  // How he signed in, by his token; none where the broker's word is taken.
  std::optional<v1::SignIn> SignIn() const;

  ca::Subject subject;
  std::string device_id;
  std::optional<TokenIdentity> token;  // none: the broker's word
};

// Grows with the steps; what a step sets is there for those that follow.
struct Pipeline::Work {
  struct SoundRequest {
    Holder holder;
    ca::RequestedKey key;
    std::string digest;
  };

  IssueTask* task = nullptr;
  std::optional<SoundRequest> sound;             // 2
  bool device_is_proven = false;                 // 2; by its enrolled key
  std::optional<ComplianceVerdict> verdict;      // 3
  std::shared_ptr<const TenantSnapshot> tenant;  // 4
  // 5; the time of the certificate, which was believed.
  Timestamp filled_at;
  // 5; taken away by the signature.
  std::optional<ca::TbsCertificate> tbs;
  // 6; what the journal has recorded.
  Intent intent;
  // 6, for what another issuer than the tenant's primary issued: what is above the certificate,
  // DER, nearest first. Else empty.
  std::vector<std::string> other_chain;
  // 7, DER; or 6, where the journal has it already.
  std::string certificate;
};

// Does `step` for each of the batch, in order; those for which it fails drop out, with its status.
template <typename Batch, typename Step>
void ForEach(Batch& batch, Step step) {
  auto kept = batch.begin();
  for (auto work = batch.begin(); work != batch.end(); ++work) {
    work->task->status = step(*work);
    if (!work->task->status.ok()) continue;
    if (kept != work) *kept = std::move(*work);
    ++kept;
  }
  batch.erase(kept, batch.end());
}

// Of what issues the authority's leaves; empty where the root itself does.
const std::string& IntermediateSerial(const ca::Authority& authority);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_PIPELINE_WORK_H_
