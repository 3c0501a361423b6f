#include "ca/issuers/root_certificate.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate.h"
#include "ca/certificate/profile.h"
#include "ca/encoding/der.h"
#include "ca/encoding/oids.h"
#include "ca/encoding/utf8.h"
#include "ca/issuers/root_lint.h"
#include "ca/names/name.h"
#include "ca/names/root_name.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/signature.h"

namespace hourglass::ca {
namespace {

constexpr absl::string_view kVersion3("\x02", 1);
constexpr absl::string_view kZero("\x00", 1);
// basicConstraints: cA with pathLenConstraint 0, and with 1.
constexpr absl::string_view kCaWithoutIntermediates("\x30\x06\x01\x01\xff\x02\x01\x00", 8);
constexpr absl::string_view kCaWithIntermediates("\x30\x06\x01\x01\xff\x02\x01\x01", 8);
constexpr absl::string_view kKeyCertSign("\x03\x02\x02\x04", 4);
constexpr std::size_t kExtensionCount = 3;
constexpr std::size_t kMaxSerialSize = 20;
constexpr std::chrono::seconds kMinDuration = std::chrono::hours(24);
constexpr std::chrono::seconds kMaxDuration = std::chrono::days(30 * 366);

absl::Status NotARoot(absl::string_view why) {
  return Error(ErrorReason::kConfigurationInvalid, "root.certificate", why);
}

absl::Status Invalid(absl::string_view field, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, field, message);
}

bool IsExtension(const ExtensionView* extension, bool critical, absl::string_view value) {
  return extension != nullptr && extension->critical == critical && !extension->writes_default &&
         extension->value == value;
}

std::string EncodeKeyIdentifier(absl::string_view key_identifier) {
  return der::Encode(der::kOctetString, {key_identifier});
}

absl::Status CheckShape(const CertificateView& view) {
  if (view.version != kVersion3) return NotARoot("must be of version 3");
  if (!der::IsMinimalInteger(view.serial_number) || (view.serial_number[0] & 0x80) != 0 ||
      view.serial_number == kZero || view.serial_number.size() > kMaxSerialSize) {
    return NotARoot("the serial number must be positive and at most 20 octets long");
  }
  if (view.has_unique_identifiers) return NotARoot("must not have unique identifiers");
  if (view.issuer != view.subject || view.subject == der::Encode(der::kSequence, {})) {
    return NotARoot("must be issued to itself, by name");
  }
  return absl::OkStatus();
}

absl::Status CheckExtensions(const CertificateView& view, absl::string_view key_identifier) {
  const ExtensionView* constraints = view.Find(oids::kBasicConstraints);
  if (!IsExtension(constraints, true, kCaWithoutIntermediates) &&
      !IsExtension(constraints, true, kCaWithIntermediates)) {
    return NotARoot("basicConstraints must be critical, cA with pathlen 0 or 1");
  }
  if (!IsExtension(view.Find(oids::kKeyUsage), true, kKeyCertSign)) {
    return NotARoot("keyUsage must be critical, keyCertSign only");
  }
  if (!IsExtension(view.Find(oids::kSubjectKeyIdentifier), false,
                   EncodeKeyIdentifier(key_identifier))) {
    return NotARoot("subjectKeyIdentifier must be the SHA-1 of the key and not critical");
  }
  if (view.extensions.size() != kExtensionCount) {
    return NotARoot(
        "must have no extension beside basicConstraints, keyUsage and subjectKeyIdentifier");
  }
  return absl::OkStatus();
}

absl::Status CheckSpecification(const RootSpecification& specification) {
  const std::optional<Utf8Text> name = DecodeUtf8(specification.display_name);
  if (!name.has_value() || name->has_controls || name->characters == 0) {
    return Invalid("display_name", "must be UTF-8 text without control characters");
  }
  if (specification.generation < 1 || specification.generation > kMaxGeneration) {
    return Invalid("generation", absl::StrCat("must be 1 to ", kMaxGeneration));
  }
  RETURN_IF_ERROR(CheckRootDuration(specification.duration));
  if (!IsEncodable(specification.now) || !IsEncodable(specification.now - kMaxBackdate)) {
    return Invalid("now", "a certificate cannot begin before 1950");
  }
  if (!IsEncodable(specification.now + specification.duration)) {
    return Invalid("duration", "a certificate cannot end after 9999");
  }
  if (specification.serial_entropy.size() != kSerialSize) {
    return Invalid("serial_entropy", "must have 16 octets");
  }
  return absl::OkStatus();
}

std::string EncodeToBeSigned(const RootSpecification& specification, const hsm::SigningKey& key,
                             absl::string_view key_identifier) {
  const std::string name =
      EncodeCommonName(RootCommonName(specification.display_name, specification.generation));
  const std::string extensions = absl::StrCat(
      EncodeExtension(
          oids::kBasicConstraints, true,
          specification.issuing_sub_keys ? kCaWithIntermediates : kCaWithoutIntermediates),
      EncodeExtension(oids::kKeyUsage, true, kKeyCertSign),
      EncodeExtension(oids::kSubjectKeyIdentifier, false, EncodeKeyIdentifier(key_identifier)));
  return EncodeIssuer({.serial_number = SerialFromEntropy(specification.serial_entropy),
                       .signer = key.type(),
                       .issuer = name,
                       .not_before = specification.now - kMaxBackdate,
                       .not_after = specification.now + specification.duration,
                       .subject = name,
                       .public_key = key.public_key(),
                       .extensions = extensions});
}

}  // namespace

absl::StatusOr<RootCertificate> RootCertificate::Parse(absl::string_view der) {
  const std::optional<CertificateView> view = ReadCertificate(der);
  if (!view.has_value()) return NotARoot("is not a certificate in DER");
  RETURN_IF_ERROR(CheckShape(*view));
  RootCertificate root;
  if (const absl::Status taken = root.Take(der, *view); !taken.ok()) {
    return NotARoot(taken.message());
  }
  RETURN_IF_ERROR(CheckExtensions(*view, root.key_identifier()));
  root.allows_issuing_sub_keys_ =
      view->Find(oids::kBasicConstraints)->value == kCaWithIntermediates;
  if (view->signed_algorithm != SignatureAlgorithm(root.key_type()) ||
      view->algorithm != view->signed_algorithm) {
    return NotARoot("the signature algorithm is not the one of its key");
  }
  if (!hsm::VerifySignature(root.public_key(), root.key_type(), view->to_be_signed, view->signature)
           .ok()) {
    return NotARoot("is not signed by its own key");
  }
  return root;
}

absl::Status CheckRootDuration(std::chrono::seconds duration) {
  if (duration < kMinDuration || duration > kMaxDuration) {
    return Invalid("duration", "must be one day to 30 years");
  }
  return absl::OkStatus();
}

absl::StatusOr<RootCertificate> IssueRoot(const RootSpecification& specification,
                                          hsm::SigningKey& key) {
  RETURN_IF_ERROR(CheckSpecification(specification));
  const std::optional<std::string> key_identifier = KeyIdentifierOf(key.public_key());
  if (!key_identifier.has_value()) {
    return Error(ErrorReason::kKeyMismatch, "", "the key does not say its public key in DER");
  }
  const std::string to_be_signed = EncodeToBeSigned(specification, key, *key_identifier);
  ASSIGN_OR_RETURN(const std::string signature, key.Sign(to_be_signed));
  const absl::Status verified =
      hsm::VerifySignature(key.public_key(), key.type(), to_be_signed, signature);
  if (ReasonOf(verified) == ErrorReason::kKeyMismatch) key.TakeOutOfService();
  RETURN_IF_ERROR(verified);
  ASSIGN_OR_RETURN(RootCertificate root, RootCertificate::Parse(AssembleCertificate(
                                             to_be_signed, key.type(), signature)));
  const std::string common_name =
      RootCommonName(specification.display_name, specification.generation);
  RETURN_IF_ERROR(
      CheckRootWithBotan({root.der(), common_name, root.not_before(), root.not_after(),
                          root.key_identifier(), specification.issuing_sub_keys ? 1U : 0U}));
  return root;
}

}  // namespace hourglass::ca
