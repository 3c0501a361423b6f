#include "issuance/device_keys/device_proof.h"

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/device_keys/device_key.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

std::string Below(absl::string_view field, absl::string_view name) {
  return absl::StrCat(field, ".", name);
}

// What marks the statement of a proof that is well-formed and of now.
absl::StatusOr<StatementMark> FreshMark(const v1::DeviceProof& proof, Timestamp now,
                                        absl::string_view field) {
  const std::string time = Below(field, "signed_at");
  if (!proof.has_signed_at()) return Error(ErrorReason::kFieldMissing, time, "is required");
  if (proof.nonce().empty()) {
    return Error(ErrorReason::kFieldMissing, Below(field, "nonce"), "is required");
  }
  if (proof.signature().empty()) {
    return Error(ErrorReason::kFieldMissing, Below(field, "signature"), "is required");
  }
  ASSIGN_OR_RETURN(const Timestamp signed_at, FromProto(proof.signed_at(), time));
  // Only whole seconds are signed.
  if (proof.signed_at().nanos() != 0) {
    return Error(ErrorReason::kFieldInvalid, time, "must be whole seconds");
  }
  if (proof.nonce().size() < kMinProofNonceSize || proof.nonce().size() > kMaxProofNonceSize) {
    return Error(
        ErrorReason::kFieldInvalid, Below(field, "nonce"),
        absl::StrCat("must be ", kMinProofNonceSize, " to ", kMaxProofNonceSize, " octets"));
  }
  if (signed_at < now - kProofTolerance || signed_at > now + kProofTolerance) {
    return Error(ErrorReason::kDeviceProofRefused, time,
                 absl::StrCat("is ",
                              std::chrono::duration_cast<std::chrono::seconds>(
                                  signed_at < now ? now - signed_at : signed_at - now)
                                  .count(),
                              " seconds ", signed_at < now ? "behind" : "ahead of",
                              " the service's clock: have the device sign anew, or set its clock"));
  }
  return StatementMark{std::chrono::floor<std::chrono::seconds>(signed_at), proof.nonce()};
}

template <typename Subject>
absl::Status CheckProofOf(const v1::DeviceProof& proof, absl::string_view subject_public_key_info,
                          const Subject& subject, Timestamp now, absl::string_view field) {
  ASSIGN_OR_RETURN(const StatementMark mark, FreshMark(proof, now, field));
  return CheckDeviceSignature(subject_public_key_info, StatementOf(subject, mark),
                              proof.signature(), Below(field, "signature"));
}

}  // namespace

absl::Status CheckDeviceProof(const v1::DeviceProof& proof,
                              absl::string_view subject_public_key_info,
                              const DeviceQuestion& question, Timestamp now,
                              absl::string_view field) {
  return CheckProofOf(proof, subject_public_key_info, question, now, field);
}

absl::Status CheckEnrolmentProof(const v1::DeviceProof& proof,
                                 absl::string_view subject_public_key_info,
                                 const DeviceEnrolment& enrolment, Timestamp now,
                                 absl::string_view field) {
  return CheckProofOf(proof, subject_public_key_info, enrolment, now, field);
}

}  // namespace hourglass::issuance
