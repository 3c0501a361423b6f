#include "issuance/device_keys/device_key.h"

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ca/encoding/digest.h"
#include "ca/keys/key_verification.h"
#include "ca/keys/public_key.h"
#include "ca/keys/weak_keys.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

constexpr absl::string_view kField = "public_key";

// The rooms of keys know them as parts of certificate requests.
absl::Status OfDeviceKey(const absl::Status& status) {
  if (status.ok() || FieldOf(status).empty()) return status;
  absl::string_view message = status.message();
  absl::ConsumePrefix(&message, absl::StrCat(FieldOf(status), ": "));
  return Error(ReasonOf(status), kField, message);
}

ca::SignatureAlgorithm AlgorithmOf(ca::PublicKeyKind kind) {
  switch (kind) {
    case ca::PublicKeyKind::kEcP256:
      break;
    case ca::PublicKeyKind::kEcP384:
      return {ca::SignatureScheme::kEcdsa, 384, 0};
    case ca::PublicKeyKind::kRsa:
      return {ca::SignatureScheme::kRsaPkcs1, 256, 0};
  }
  return {ca::SignatureScheme::kEcdsa, 256, 0};
}

}  // namespace

absl::Status CheckDeviceKey(absl::string_view subject_public_key_info) {
  if (subject_public_key_info.empty()) {
    return Error(ErrorReason::kFieldMissing, kField, "is required");
  }
  if (subject_public_key_info.size() > kMaxDeviceKeySize) {
    return Error(ErrorReason::kRequestMalformed, kField,
                 absl::StrCat("is larger than ", kMaxDeviceKeySize, " octets"));
  }
  const absl::StatusOr<ca::PublicKey> key =
      ca::ReadPublicKey(subject_public_key_info, ca::KeyPolicy());
  if (!key.ok()) return OfDeviceKey(key.status());
  return OfDeviceKey(ca::CheckKeyStrength(*key));
}

std::string DeviceKeyId(absl::string_view subject_public_key_info) {
  return absl::BytesToHexString(ca::Sha256(subject_public_key_info));
}

absl::Status CheckDeviceSignature(absl::string_view subject_public_key_info,
                                  absl::string_view message, absl::string_view signature,
                                  absl::string_view field) {
  const absl::StatusOr<ca::PublicKey> key =
      ca::ReadPublicKey(subject_public_key_info, ca::KeyPolicy());
  if (!key.ok()) {
    return Error(ErrorReason::kInternalError, "", "a device key on record cannot be read");
  }
  const absl::Status status = ca::CheckSignature(*key, AlgorithmOf(key->kind), message, signature);
  if (ReasonOf(status) == ErrorReason::kInternalError || status.ok()) return status;
  return Error(ErrorReason::kDeviceProofRefused, field,
               "is not the device key's over what is asked for");
}

}  // namespace hourglass::issuance
