// Whether the device itself asks.
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/compliance/facts_read_ahead.h"
#include "issuance/device_keys/device_proof.h"
#include "issuance/pipeline/pipeline.h"
#include "issuance/pipeline/pipeline_work.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {
namespace {

constexpr char kField[] = "device_proof";

absl::Status ProofMissing(absl::string_view why) {
  return Error(ErrorReason::kDeviceProofMissing, kField, why);
}

// Of a device without an approved key.
absl::Status CheckWithoutKey(bool is_bound, bool is_required, bool has_proof) {
  if (!is_bound && !is_required) return absl::OkStatus();
  const absl::string_view why =
      is_bound ? "the device's key was removed: nothing is issued to it until another is approved"
               : "the tenant issues only to devices with an enrolled key, and this one has none "
                 "that is approved";
  return has_proof ? Error(ErrorReason::kDeviceProofRefused, kField, why) : ProofMissing(why);
}

}  // namespace

// 2, the last of it: what the device has signed. Whoever cannot prove is refused before anybody is
// asked for a verdict.
absl::Status Pipeline::CheckDeviceKey(Work& work, FactsReadAhead::Batch& facts_ahead) {
  const v1::IssueCertificateRequest& request = *work.task->request;
  const DeviceKeyUse use = tenants_->Issuing(request.tenant_id()).device_keys;
  if (use == DeviceKeyUse::kOff) return absl::OkStatus();
  const bool has_proof = request.has_device_proof();
  const bool is_required = use == DeviceKeyUse::kRequired;
  if (identities_.facts == nullptr) return CheckWithoutKey(false, is_required, has_proof);
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  const ca::Subject& subject = work.sound->holder.subject;
  const std::string& device_id = work.sound->holder.device_id;
  // The same words as those of the verdict's question.
  ASSIGN_OR_RETURN(
      const DecisionFacts* const facts,
      facts_ahead.Read({request.tenant_id(), subject.user_id(), subject.upn(), device_id}, now));
  if (!facts->device_key.has_value()) {
    return CheckWithoutKey(facts->device_is_bound, is_required, has_proof);
  }
  if (!has_proof) {
    return ProofMissing("the device has an enrolled key, and the request is not signed by it");
  }
  RETURN_IF_ERROR(CheckDeviceProof(request.device_proof(), facts->device_key->public_key,
                                   {request.tenant_id(), subject.user_id(), subject.upn(),
                                    device_id, work.sound->key.sha256(), request.request_id()},
                                   now, kField));
  work.device_is_proven = true;
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
