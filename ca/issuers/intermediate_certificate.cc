#include "ca/issuers/intermediate_certificate.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate.h"
#include "ca/certificate/profile.h"
#include "ca/encoding/der.h"
#include "ca/encoding/oids.h"
#include "ca/encoding/utf8.h"
#include "ca/issuers/intermediate_lint.h"
#include "ca/names/name.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"

namespace hourglass::ca {
namespace {

constexpr char kField[] = "intermediate.certificate";

// Extension values (RFC 5280 section 4.2.1): cA with pathLenConstraint 0; keyCertSign; clientAuth
// and 1.3.6.1.4.1.311.87.
constexpr absl::string_view kCaForLeaves("\x30\x06\x01\x01\xff\x02\x01\x00", 8);
constexpr absl::string_view kKeyCertSign("\x03\x02\x02\x04", 4);
constexpr absl::string_view kPurposes(
    "\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02\x06\x08\x2b\x06\x01\x04\x01\x82\x37\x57", 22);

constexpr std::size_t kIdSize = 8;

absl::Status Invalid(absl::string_view field, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, field, message);
}

absl::Status Broken(const std::vector<LintFinding>& findings) {
  if (findings.empty()) return absl::OkStatus();
  return Error(ErrorReason::kInternalError, kField,
               absl::StrCat("breaks ", FormatFindings(findings)));
}

absl::Status CheckSpecification(const IntermediateSpecification& specification) {
  const std::optional<Utf8Text> name = DecodeUtf8(specification.display_name);
  if (!name.has_value() || name->has_controls || name->characters == 0) {
    return Invalid("display_name", "must be UTF-8 text without control characters");
  }
  if (specification.generation < 1) return Invalid("generation", "must be at least 1");
  if (specification.lifetime < kMinIntermediateLifetime ||
      specification.lifetime > kMaxIntermediateLifetime) {
    return Invalid("lifetime", "must be one hour to 30 days");
  }
  // The root's own bounds are encodable, and the sums below do not overflow between them.
  if (!IsEncodable(specification.now)) return Invalid("now", "must be from 1950 to 9999");
  if (specification.serial_entropy.size() != kSerialSize) {
    return Invalid("serial_entropy", "must have 16 octets");
  }
  return absl::OkStatus();
}

absl::Status CheckRoot(const RootCertificate& root, Time now) {
  RETURN_IF_ERROR(CheckAllowsSubKeys(root));
  if (now < root.not_before()) {
    return Error(ErrorReason::kRootNotYetValid, "root.certificate",
                 absl::StrCat("is valid from ", FormatTime(root.not_before()), " and it is ",
                              FormatTime(now)));
  }
  if (now >= root.not_after()) {
    return Error(ErrorReason::kRootExpiring, "root.certificate",
                 absl::StrCat("expired at ", FormatTime(root.not_after())));
  }
  return absl::OkStatus();
}

std::string CommonName(const IntermediateSpecification& specification,
                       absl::string_view serial_number) {
  const std::string suffix = absl::StrCat(" VPN issuing CA gen ", specification.generation, " ",
                                          absl::BytesToHexString(serial_number.substr(0, kIdSize)));
  return absl::StrCat(
      FirstCharacters(specification.display_name, kMaxCommonNameCharacters - suffix.size()),
      suffix);
}

std::string EncodeExtensions(absl::string_view key_identifier, const RootCertificate& root) {
  return absl::StrCat(
      EncodeExtension(oids::kBasicConstraints, true, kCaForLeaves),
      EncodeExtension(oids::kKeyUsage, true, kKeyCertSign),
      EncodeExtension(oids::kExtendedKeyUsage, false, kPurposes),
      EncodeExtension(oids::kSubjectKeyIdentifier, false,
                      der::Encode(der::kOctetString, {key_identifier})),
      EncodeExtension(
          oids::kAuthorityKeyIdentifier, false,
          der::Encode(der::kSequence, {der::Encode(der::Primitive(0), {root.key_identifier()})})));
}

}  // namespace

absl::StatusOr<IntermediateCertificate> IntermediateCertificate::Parse(
    absl::string_view der, const RootCertificate& root) {
  RETURN_IF_ERROR(Broken(LintIntermediate(der, root)));
  const CertificateView view = *ReadCertificate(der);
  IntermediateCertificate intermediate;
  if (const absl::Status taken = intermediate.Take(der, view); !taken.ok()) {
    return Error(ErrorReason::kInternalError, kField, taken.message());
  }
  if (!hsm::VerifySignature(root.public_key(), root.key_type(), view.to_be_signed, view.signature)
           .ok()) {
    return Error(ErrorReason::kInternalError, kField, "is not signed by the root's key");
  }
  return intermediate;
}

absl::Status CheckAllowsSubKeys(const RootCertificate& root) {
  if (root.allows_issuing_sub_keys()) return absl::OkStatus();
  return Error(ErrorReason::kSubKeyNotAllowed, "root.certificate",
               "has pathLenConstraint 0, so relying parties would refuse what an issuing sub-key "
               "signs: promote a root that was created with --issuing-sub-keys, or turn "
               "issuing.sub_key off for this tenant");
}

absl::StatusOr<TbsIntermediate> PrepareIntermediate(const IntermediateSpecification& specification,
                                                    const RootCertificate& root,
                                                    absl::string_view public_key) {
  RETURN_IF_ERROR(CheckSpecification(specification));
  RETURN_IF_ERROR(CheckRoot(root, specification.now));
  ASSIGN_OR_RETURN(const EvpPkeyPtr key, hsm::ParsePublicKey(public_key));
  RETURN_IF_ERROR(hsm::KeyTypeOf(*key).status());
  const std::string key_identifier = *KeyIdentifierOf(public_key);
  TbsIntermediate tbs;
  tbs.root_ = root.der();
  tbs.serial_number_ = SerialFromEntropy(specification.serial_entropy);
  tbs.not_before_ = std::max(root.not_before(), specification.now - kMaxBackdate);
  tbs.not_after_ = std::min(root.not_after(), specification.now + specification.lifetime);
  const std::string common_name = CommonName(specification, tbs.serial_number_);
  tbs.der_ = EncodeIssuer({.serial_number = tbs.serial_number_,
                           .signer = root.key_type(),
                           .issuer = root.subject(),
                           .not_before = tbs.not_before_,
                           .not_after = tbs.not_after_,
                           .subject = EncodeCommonName(common_name),
                           .public_key = public_key,
                           .extensions = EncodeExtensions(key_identifier, root)});
  // Stands where the signature will; a lint does not verify it.
  const std::string specimen = AssembleCertificate(tbs.der_, root.key_type(), std::string(8, '\0'));
  RETURN_IF_ERROR(Broken(LintIntermediate(specimen, root)));
  RETURN_IF_ERROR(Broken(
      LintIntermediateWithBotan({specimen, root, common_name, tbs.serial_number_, tbs.not_before_,
                                 tbs.not_after_, public_key, key_identifier})));
  return tbs;
}

absl::StatusOr<IntermediateCertificate> SignIntermediate(TbsIntermediate tbs,
                                                         const RootCertificate& root,
                                                         hsm::SigningKey& root_key) {
  if (tbs.root_.empty() || tbs.root_ != root.der()) {
    return Error(ErrorReason::kInternalError, kField, "was prepared for another root");
  }
  ASSIGN_OR_RETURN(const std::string signature, root_key.Sign(tbs.der_));
  const absl::Status verified =
      hsm::VerifySignature(root.public_key(), root.key_type(), tbs.der_, signature);
  if (ReasonOf(verified) == ErrorReason::kKeyMismatch) root_key.TakeOutOfService();
  RETURN_IF_ERROR(verified);
  return IntermediateCertificate::Parse(AssembleCertificate(tbs.der_, root.key_type(), signature),
                                        root);
}

}  // namespace hourglass::ca
