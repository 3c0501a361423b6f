// A request id that the journal knows, taken up where it was left.
#include <memory>
#include <string>
#include <utility>

#include "ca/authority.h"
#include "ca/issuers/intermediate_certificate.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/pipeline/pipeline.h"
#include "issuance/pipeline/pipeline_work.h"

namespace hourglass::issuance {

const std::string& IntermediateSerial(const ca::Authority& authority) {
  static const std::string none;
  return authority.intermediate() == nullptr ? none : authority.intermediate()->serial_number();
}

// A request id that the journal knows gets the certificate that it was given, or was about to be
// given when the service was interrupted: the same serial, the same octets, never a second one.
absl::Status Pipeline::TakeUpRecordedIntent(Work& work) {
  const v1::IssueCertificateRequest& request = *work.task->request;
  ASSIGN_OR_RETURN(JournalRecord record, journal_->Find(request.tenant_id(), request.request_id()));
  if (record.intent.request_digest != work.sound->digest) {
    return Error(ErrorReason::kRequestIdReused, "request_id",
                 "was used before, with other content");
  }
  if (record.intent.not_after < clock_->Now()) {
    return Error(ErrorReason::kRequestIdReused, "request_id",
                 "was used before, and its certificate has expired");
  }
  if (record.intent.epoch != work.tenant->epoch ||
      record.intent.root_id != work.tenant->primary_root_id) {
    return Error(ErrorReason::kPrimaryChanged, "request_id",
                 "was used before, under another primary root");
  }
  if (record.intent.intermediate_serial_number != IntermediateSerial(*work.tenant->primary)) {
    return TakeUpFromAnotherIssuer(work, std::move(record));
  }
  const ca::LeafProfileOptions& profile = tenants_->Issuing(request.tenant_id()).profile;
  ASSIGN_OR_RETURN(ca::TbsCertificate tbs,
                   work.tenant->primary->Prepare({work.sound->holder.subject, work.sound->key,
                                                  record.intent.serial_number,
                                                  record.intent.not_before + profile.backdate}));
  if (tbs.der() != record.intent.tbs_certificate) {
    return Error(ErrorReason::kPrimaryChanged, "request_id",
                 "was used before, under another leaf profile or security identifier");
  }
  work.tbs = std::move(tbs);
  work.intent = std::move(record.intent);
  work.certificate = std::move(record.certificate);
  return absl::OkStatus();
}

// The same for what another issuing sub-key of the same root issued, this process's of before or
// that of another, or the root itself: what was released is answered with its own chain, and what
// was not can never be signed any more.
absl::Status Pipeline::TakeUpFromAnotherIssuer(Work& work, JournalRecord record) {
  if (record.certificate.empty()) {
    return Error(ErrorReason::kPrimaryChanged, "request_id",
                 "was used before, and the issuing sub-key that was to sign for it is gone");
  }
  const ca::Authority& primary = *work.tenant->primary;
  const ca::LeafRequest recorded{work.sound->holder.subject, work.sound->key,
                                 record.intent.serial_number,
                                 record.intent.not_before + primary.profile().backdate()};
  absl::StatusOr<std::string> expected;
  work.other_chain = {primary.root().der()};
  if (record.intent.intermediate_serial_number.empty()) {
    expected = ca::Authority::ToBeSignedBy(primary.root(), primary.profile(), recorded);
  } else {
    ASSIGN_OR_RETURN(const IntermediateRecord above, journal_->FindIntermediate(record.intent));
    ASSIGN_OR_RETURN(const ca::IntermediateCertificate intermediate,
                     ca::IntermediateCertificate::Parse(above.certificate, primary.root()));
    expected = ca::Authority::ToBeSignedBy(intermediate, primary.profile(), recorded);
    work.other_chain.insert(work.other_chain.begin(), intermediate.der());
  }
  RETURN_IF_ERROR(expected.status());
  if (*expected != record.intent.tbs_certificate) {
    return Error(ErrorReason::kPrimaryChanged, "request_id",
                 "was used before, under another leaf profile or security identifier");
  }
  work.tbs.reset();
  work.intent = std::move(record.intent);
  work.certificate = std::move(record.certificate);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
