#include "ca/certificate/issuer_certificate.h"

#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate_rules.h"
#include "ca/encoding/der.h"
#include "ca/encoding/digest.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"

namespace hourglass::ca {
namespace {

constexpr absl::string_view kVersion3("\x02", 1);

absl::StatusOr<hsm::KeyType> KeyTypeOf(absl::string_view public_key) {
  ASSIGN_OR_RETURN(const EvpPkeyPtr key, hsm::ParsePublicKey(public_key));
  return hsm::KeyTypeOf(*key);
}

}  // namespace

absl::Status IssuerCertificate::Take(absl::string_view der, const CertificateView& view) {
  const std::optional<Validity> validity = ReadValidity(view);
  if (!validity.has_value() || validity->not_before > validity->not_after) {
    return Error(ErrorReason::kFieldInvalid, "",
                 "the validity is not two times in order, as RFC 5280 writes them");
  }
  const absl::StatusOr<hsm::KeyType> type = KeyTypeOf(view.subject_public_key_info);
  if (!type.ok()) {
    return Error(ReasonOf(type.status()), "",
                 absl::StrCat("the key is unfit: ", type.status().message()));
  }
  der_ = std::string(der);
  subject_ = std::string(view.subject);
  public_key_ = std::string(view.subject_public_key_info);
  key_identifier_ = *KeyIdentifierOf(view.subject_public_key_info);
  serial_number_ = std::string(view.serial_number);
  key_type_ = *type;
  not_before_ = validity->not_before;
  not_after_ = validity->not_after;
  return absl::OkStatus();
}

std::optional<std::string> KeyIdentifierOf(absl::string_view public_key) {
  const std::optional<absl::string_view> bits = ReadKeyBits(public_key);
  if (!bits.has_value()) return std::nullopt;
  return Sha1(*bits);
}

std::string EncodeValidity(Time not_before, Time not_after) {
  std::string times;
  AppendTime(not_before, &times);
  AppendTime(not_after, &times);
  return der::Encode(der::kSequence, {times});
}

std::string EncodeIssuer(const IssuerFields& fields) {
  return der::Encode(
      der::kSequence,
      {der::Encode(der::Constructed(0), {der::Encode(der::kInteger, {kVersion3})}),
       der::Encode(der::kInteger, {fields.serial_number}), SignatureAlgorithm(fields.signer),
       fields.issuer, EncodeValidity(fields.not_before, fields.not_after), fields.subject,
       fields.public_key,
       der::Encode(der::Constructed(3), {der::Encode(der::kSequence, {fields.extensions})})});
}

}  // namespace hourglass::ca
