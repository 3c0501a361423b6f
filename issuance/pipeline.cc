#include "issuance/pipeline.h"

#include <openssl/sha.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/authority.h"
#include "ca/certificate_request.h"
#include "ca/intermediate_certificate.h"
#include "ca/name.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/custodian.h"
#include "issuance/proto_time.h"
#include "issuance/renewal.h"
#include "issuance/request_fields.h"

namespace hourglass::issuance {
namespace {

// Each field behind its length, so that no two requests run together into the same octets.
std::string DigestOf(const Caller& caller, const v1::IssueCertificateRequest& request) {
  std::string content;
  for (const std::string* field :
       {&caller.name, &request.tenant_id(), &request.user().id(), &request.user().upn(),
        &request.device_id(), &request.pkcs10()}) {
    absl::StrAppend(&content, field->size(), ":", *field);
  }
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

// Of what issues the authority's leaves; empty where the root itself does.
std::string IntermediateSerial(const ca::Authority& authority) {
  return authority.intermediate() == nullptr ? "" : authority.intermediate()->serial_number();
}

}  // namespace

// What is known of a request after step 2.
struct Pipeline::SoundRequest {
  std::string tenant_id;
  ca::Subject subject;
  ca::RequestedKey key;
  std::string device_id;
  std::string request_id;
  std::string caller;
  std::string digest;
};

// The certificate as it grows from step 5 on.
struct Pipeline::Draft {
  std::shared_ptr<const TenantSnapshot> tenant;
  // Taken away by the signature.
  std::optional<ca::TbsCertificate> tbs;
  Intent intent;
  // What is above the certificate, DER, nearest first.
  std::vector<std::string> chain;
  // DER; empty until step 7, or where the journal has it already.
  std::string certificate;
};

IssueOutcome Pipeline::Issue(const Caller& caller, const v1::IssueCertificateRequest& request) {
  IssueOutcome outcome;
  outcome.status = Run(caller, request, outcome);
  return outcome;
}

absl::Status Pipeline::Run(const Caller& caller, const v1::IssueCertificateRequest& request,
                           IssueOutcome& outcome) {
  RETURN_IF_ERROR(CheckCaller(caller, request));
  ASSIGN_OR_RETURN(const SoundRequest sound, CheckRequest(caller, request));
  ASSIGN_OR_RETURN(const ComplianceVerdict verdict, ObtainVerdict(sound));
  if (!verdict.allowed()) {
    outcome.deny_reasons = verdict.deny_reasons;
    return Error(ErrorReason::kDeviceNotCompliant, "device_id",
                 "the compliance service does not allow this device to connect now");
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const TenantSnapshot> tenant, TakeSnapshot(sound));
  ASSIGN_OR_RETURN(Draft draft, FillTemplate(sound, std::move(tenant)));
  RETURN_IF_ERROR(WriteIntent(sound, verdict, draft));
  if (draft.certificate.empty()) RETURN_IF_ERROR(SignAndVerify(draft));
  RETURN_IF_ERROR(WriteRelease(draft));
  outcome.response = Answer(draft);
  return absl::OkStatus();
}

// 1: who is calling, for which tenant (promise 7).
absl::Status Pipeline::CheckCaller(const Caller& caller,
                                   const v1::IssueCertificateRequest& request) {
  if (request.tenant_id().empty()) {
    return Error(ErrorReason::kFieldMissing, "tenant_id", "is required");
  }
  RETURN_IF_ERROR(Authorize(caller, {Role::kBroker}, request.tenant_id()));
  return tenants_->CheckExists(request.tenant_id());
}

// 2: is the request sound.
absl::StatusOr<Pipeline::SoundRequest> Pipeline::CheckRequest(
    const Caller& caller, const v1::IssueCertificateRequest& request) {
  RETURN_IF_ERROR(CheckId(request.request_id(), kMaxRequestIdSize, "request_id"));
  RETURN_IF_ERROR(CheckId(request.device_id(), kMaxDeviceIdSize, "device_id"));
  ASSIGN_OR_RETURN(ca::Subject subject,
                   ca::Subject::Create(request.user().upn(), request.user().id()));
  if (request.pkcs10().empty()) {
    return Error(ErrorReason::kFieldMissing, "pkcs10", "is required");
  }
  ASSIGN_OR_RETURN(ca::RequestedKey key,
                   ca::ParseCertificateRequest(request.pkcs10(),
                                               tenants_->Issuing(request.tenant_id()).key_policy));
  return SoundRequest{request.tenant_id(),      std::move(subject),   std::move(key),
                      request.device_id(),      request.request_id(), caller.name,
                      DigestOf(caller, request)};
}

// 3: may this device connect now (promise 2). Asked anew for every request, repeated ones too.
absl::StatusOr<ComplianceVerdict> Pipeline::ObtainVerdict(const SoundRequest& request) {
  return compliance_->Ask({request.tenant_id, request.subject.user_id(), request.subject.upn(),
                           request.device_id, request.key.sha256()});
}

// 4: one immutable snapshot of the tenant (promise 1).
absl::StatusOr<std::shared_ptr<const TenantSnapshot>> Pipeline::TakeSnapshot(
    const SoundRequest& request) {
  absl::StatusOr<std::shared_ptr<const TenantSnapshot>> tenant =
      tenants_->Snapshot(request.tenant_id);
  if (!tenant.ok()) return KeyFailure(request.tenant_id, tenant.status());
  if ((*tenant)->primary == nullptr) {
    // Another process may make one primary, and here nothing is written that its fence could
    // refuse.
    tenants_->Forget(request.tenant_id);
    return Error(ErrorReason::kNoPrimaryRoot, "tenant_id",
                 "the tenant has no primary root, so nothing is issued");
  }
  return tenant;
}

// 5: fill the template (promise 4).
absl::StatusOr<Pipeline::Draft> Pipeline::FillTemplate(
    const SoundRequest& request, std::shared_ptr<const TenantSnapshot> tenant) {
  ASSIGN_OR_RETURN(std::string serial_entropy, entropy_->Take(ca::kSerialSize));
  const ca::Time now = std::chrono::floor<std::chrono::seconds>(clock_->Now());
  absl::StatusOr<ca::TbsCertificate> tbs =
      tenant->primary->Prepare({request.subject, request.key, std::move(serial_entropy), now});
  if (!tbs.ok()) {
    // As above: another process may have promoted a root that is good for longer.
    tenants_->Forget(request.tenant_id);
    return tbs.status();
  }
  Draft draft;
  draft.chain = tenant->primary->chain();
  draft.tenant = std::move(tenant);
  draft.tbs = *std::move(tbs);
  return draft;
}

// 6: write the intent (promise 3), fenced by the epoch (promise 6).
absl::Status Pipeline::WriteIntent(const SoundRequest& request, const ComplianceVerdict& verdict,
                                   Draft& draft) {
  Intent& intent = draft.intent;
  intent.tenant_id = request.tenant_id;
  intent.epoch = draft.tenant->epoch;
  intent.root_id = draft.tenant->primary_root_id;
  intent.request_id = request.request_id;
  intent.request_digest = request.digest;
  intent.caller = request.caller;
  intent.user_id = request.subject.user_id();
  intent.user_upn = request.subject.upn();
  intent.device_id = request.device_id;
  intent.verdict_id = verdict.verdict_id;
  intent.policy_version = verdict.policy_version;
  intent.verdict_evaluated_at = verdict.evaluated_at;
  intent.serial_number = draft.tbs->serial_number();
  intent.not_before = draft.tbs->not_before();
  intent.not_after = draft.tbs->not_after();
  intent.tbs_certificate = draft.tbs->der();
  intent.intended_at = clock_->Now();
  intent.intermediate_serial_number = IntermediateSerial(*draft.tenant->primary);
  const absl::Status status = journal_->WriteIntent(intent);
  if (ReasonOf(status) == ErrorReason::kRequestIdReused) {
    return TakeUpRecordedIntent(request, draft);
  }
  if (ReasonOf(status) == ErrorReason::kPrimaryChanged) tenants_->Forget(request.tenant_id);
  return status;
}

// A request id that the journal knows gets the certificate that it was given, or was about to be
// given when the service was interrupted: the same serial, the same octets, never a second one.
absl::Status Pipeline::TakeUpRecordedIntent(const SoundRequest& request, Draft& draft) {
  ASSIGN_OR_RETURN(JournalRecord record, journal_->Find(request.tenant_id, request.request_id));
  if (record.intent.request_digest != request.digest) {
    return Error(ErrorReason::kRequestIdReused, "request_id",
                 "was used before, with other content");
  }
  if (record.intent.not_after < clock_->Now()) {
    return Error(ErrorReason::kRequestIdReused, "request_id",
                 "was used before, and its certificate has expired");
  }
  if (record.intent.epoch != draft.tenant->epoch ||
      record.intent.root_id != draft.tenant->primary_root_id) {
    return Error(ErrorReason::kPrimaryChanged, "request_id",
                 "was used before, under another primary root");
  }
  if (record.intent.intermediate_serial_number != IntermediateSerial(*draft.tenant->primary)) {
    return TakeUpFromAnotherIssuer(request, std::move(record), draft);
  }
  const ca::LeafProfileOptions& profile = tenants_->Issuing(request.tenant_id).profile;
  ASSIGN_OR_RETURN(
      ca::TbsCertificate tbs,
      draft.tenant->primary->Prepare({request.subject, request.key, record.intent.serial_number,
                                      record.intent.not_before + profile.backdate}));
  if (tbs.der() != record.intent.tbs_certificate) {
    return Error(ErrorReason::kPrimaryChanged, "request_id",
                 "was used before, under another leaf profile");
  }
  draft.tbs = std::move(tbs);
  draft.intent = std::move(record.intent);
  draft.certificate = std::move(record.certificate);
  return absl::OkStatus();
}

// The same for what another issuing sub-key of the same root issued, this process's of before or
// that of another, or the root itself: what was released is answered with its own chain, and what
// was not can never be signed any more.
absl::Status Pipeline::TakeUpFromAnotherIssuer(const SoundRequest& request, JournalRecord record,
                                               Draft& draft) {
  if (record.certificate.empty()) {
    return Error(ErrorReason::kPrimaryChanged, "request_id",
                 "was used before, and the issuing sub-key that was to sign for it is gone");
  }
  const ca::Authority& primary = *draft.tenant->primary;
  const ca::LeafRequest recorded{request.subject, request.key, record.intent.serial_number,
                                 record.intent.not_before + primary.profile().backdate()};
  absl::StatusOr<std::string> expected;
  draft.chain = {primary.root().der()};
  if (record.intent.intermediate_serial_number.empty()) {
    expected = ca::Authority::ToBeSignedBy(primary.root(), primary.profile(), recorded);
  } else {
    ASSIGN_OR_RETURN(const IntermediateRecord above, journal_->FindIntermediate(record.intent));
    ASSIGN_OR_RETURN(const ca::IntermediateCertificate intermediate,
                     ca::IntermediateCertificate::Parse(above.certificate, primary.root()));
    expected = ca::Authority::ToBeSignedBy(intermediate, primary.profile(), recorded);
    draft.chain.insert(draft.chain.begin(), intermediate.der());
  }
  RETURN_IF_ERROR(expected.status());
  if (*expected != record.intent.tbs_certificate) {
    return Error(ErrorReason::kPrimaryChanged, "request_id",
                 "was used before, under another leaf profile");
  }
  draft.tbs.reset();
  draft.intent = std::move(record.intent);
  draft.certificate = std::move(record.certificate);
  return absl::OkStatus();
}

// 7: sign and verify (promise 4; Authority::Sign verifies with the issuer's public key).
absl::Status Pipeline::SignAndVerify(Draft& draft) {
  absl::StatusOr<std::string> certificate = draft.tenant->primary->Sign(*std::move(draft.tbs));
  if (!certificate.ok()) return KeyFailure(draft.intent.tenant_id, certificate.status());
  draft.certificate = *std::move(certificate);
  return absl::OkStatus();
}

// 8: write the release (promise 3), under the same fence (promise 6). A certificate that the
// journal has released already passes the fence again.
absl::Status Pipeline::WriteRelease(Draft& draft) {
  const Intent& intent = draft.intent;
  const absl::Status status = journal_->WriteRelease(
      {intent.tenant_id, intent.epoch, intent.request_id, draft.certificate, clock_->Now()});
  if (ReasonOf(status) == ErrorReason::kRequestIdReused) {
    // Released before, or just now by a request of the same id that ran beside this one: what the
    // journal holds is the certificate.
    ASSIGN_OR_RETURN(JournalRecord record, journal_->Find(intent.tenant_id, intent.request_id));
    draft.certificate = std::move(record.certificate);
    return absl::OkStatus();
  }
  if (ReasonOf(status) == ErrorReason::kPrimaryChanged) tenants_->Forget(intent.tenant_id);
  return status;
}

// A broker has to know that the key cannot be used, and whether asking again may help. Which token,
// folder and PIN source are at fault is for the administrator.
absl::Status Pipeline::KeyFailure(absl::string_view tenant_id, const absl::Status& cause) const {
  ErrorReason reason = ReasonOf(cause);
  switch (reason) {
    case ErrorReason::kKeyNotFound:
    case ErrorReason::kKeyUnavailable:
    case ErrorReason::kPinRefused:
    case ErrorReason::kKeyMismatch:
    case ErrorReason::kKeyUnfit:
      break;
    case ErrorReason::kKeyUnsupported:
    case ErrorReason::kKeyUriInvalid:
    case ErrorReason::kKeyExists:
      // To a broker these would speak of its own request.
      reason = ErrorReason::kKeyUnavailable;
      break;
    default:
      return cause;
  }
  log_.Failure("key_failed", {{"tenant", tenant_id}, {"message", std::string(cause.message())}});
  const absl::Status told = Error(reason, "", "the primary root's key cannot be used");
  const std::optional<std::chrono::milliseconds> delay = hsm::RetryDelayOf(cause);
  return delay.has_value() ? hsm::WithRetryDelay(told, *delay) : told;
}

// 9: certificate, chain, when to come back.
v1::IssueCertificateResponse Pipeline::Answer(const Draft& draft) {
  const Intent& intent = draft.intent;
  const Timestamp now = clock_->Now();
  v1::IssueCertificateResponse response;
  response.set_certificate(draft.certificate);
  for (const std::string& above : draft.chain) response.add_chain(above);
  response.set_serial_number(intent.serial_number);
  *response.mutable_not_before() = ToProto(intent.not_before);
  *response.mutable_not_after() = ToProto(intent.not_after);
  *response.mutable_renew_after() = ToProto(RenewAfter(now, intent));
  *response.mutable_server_time() = ToProto(now);
  response.set_verdict_id(intent.verdict_id);
  return response;
}

}  // namespace hourglass::issuance
