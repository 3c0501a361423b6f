#include "ca/authority.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate_rules.h"
#include "ca/specimens.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::ca {
namespace {

// Signed once to see that key and certificate belong together; it is text, so never the beginning
// of a certificate.
constexpr absl::string_view kProbe = "hourglass: does this key belong to this certificate";

absl::Status CheckKey(const IssuerCertificate& issuer, absl::string_view name, hsm::SigningKey& key,
                      const hsm::VerifyingKey& verifier) {
  if (key.type() != issuer.key_type() || key.public_key() != issuer.public_key()) {
    return Error(ErrorReason::kKeyMismatch, absl::StrCat(name, ".key"),
                 absl::StrCat("the key is not the one in the ", name, " certificate"));
  }
  ASSIGN_OR_RETURN(const std::string signature, key.Sign(kProbe));
  return verifier.Verify(kProbe, signature);
}

absl::Status CheckValidity(const IssuerCertificate& issuer, absl::string_view name, Time now,
                           const Validity& leaf) {
  const std::string field = absl::StrCat(name, ".certificate");
  if (leaf.not_before < issuer.not_before()) {
    return Error(ErrorReason::kRootNotYetValid, field,
                 absl::StrCat("is valid from ", FormatTime(issuer.not_before()), " and it is ",
                              FormatTime(now)));
  }
  if (leaf.not_after > issuer.not_after()) {
    return Error(
        ErrorReason::kRootExpiring, field,
        absl::StrCat("expires at ", FormatTime(issuer.not_after()),
                     ", before a certificate issued now would, at ", FormatTime(leaf.not_after)));
  }
  return absl::OkStatus();
}

// When a leaf for `request` is valid, if there can be one.
absl::StatusOr<Validity> ValidityOf(const IssuerCertificate& issuer, absl::string_view name,
                                    const LeafProfile& profile, const LeafRequest& request) {
  if (request.serial_entropy.size() != kSerialSize) {
    return Error(ErrorReason::kFieldInvalid, "serial_entropy", "must have 16 octets");
  }
  // The first two keep the sums from overflowing.
  if (!IsEncodable(request.now) || !IsEncodable(request.now - profile.backdate()) ||
      !IsEncodable(request.now + profile.lifetime())) {
    return Error(ErrorReason::kFieldInvalid, "now",
                 "a certificate cannot begin before 1950 or end after 9999");
  }
  const Validity validity{request.now - profile.backdate(), request.now + profile.lifetime()};
  RETURN_IF_ERROR(CheckValidity(issuer, name, request.now, validity));
  return validity;
}

std::string Fill(const CertificateTemplate& leaf, const LeafRequest& request,
                 absl::string_view serial_number, const Validity& validity) {
  return leaf.Fill({serial_number, validity.not_before, validity.not_after,
                    request.subject.common_name(), request.subject.upn(), request.subject.sid(),
                    request.key.subject_public_key_info(), request.key.key_identifier()});
}

absl::Status IsNoRoot() {
  return Error(ErrorReason::kInternalError, "intermediate.certificate",
               "an issuing sub-key can have none under it");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Authority>> Authority::Create(RootCertificate root,
                                                             std::unique_ptr<hsm::SigningKey> key,
                                                             const LeafProfile& profile) {
  return Make(std::move(root), std::nullopt, std::move(key), profile);
}

absl::StatusOr<std::unique_ptr<Authority>> Authority::CreateForSubKey(
    RootCertificate root, const IntermediateCertificate& intermediate,
    std::unique_ptr<hsm::SigningKey> key, const LeafProfile& profile) {
  ASSIGN_OR_RETURN(IntermediateCertificate of_this_root,
                   IntermediateCertificate::Parse(intermediate.der(), root));
  return Make(std::move(root), std::move(of_this_root), std::move(key), profile);
}

absl::StatusOr<std::unique_ptr<Authority>> Authority::Make(
    RootCertificate root, std::optional<IntermediateCertificate> intermediate,
    std::unique_ptr<hsm::SigningKey> key, const LeafProfile& profile) {
  const IssuerCertificate& issuer =
      intermediate.has_value() ? static_cast<const IssuerCertificate&>(*intermediate) : root;
  ASSIGN_OR_RETURN(hsm::VerifyingKey verifier,
                   hsm::VerifyingKey::FromPublicKey(issuer.public_key()));
  RETURN_IF_ERROR(
      CheckKey(issuer, intermediate.has_value() ? "intermediate" : "root", *key, verifier));
  std::unique_ptr<Authority> authority(new Authority(std::move(root), std::move(intermediate),
                                                     std::move(key), std::move(verifier), profile));
  RETURN_IF_ERROR(LintTemplate(authority->leaf_, authority->issuer(), profile).status());
  return authority;
}

Authority::Authority(RootCertificate root, std::optional<IntermediateCertificate> intermediate,
                     std::unique_ptr<hsm::SigningKey> key, hsm::VerifyingKey verifier,
                     const LeafProfile& profile)
    : root_(std::move(root)),
      intermediate_(std::move(intermediate)),
      key_(std::move(key)),
      verifier_(std::move(verifier)),
      profile_(profile),
      leaf_(CertificateTemplate::Compile(issuer(), profile_)),
      identity_(std::make_shared<const Preparer>()) {}

const IssuerCertificate& Authority::issuer() const {
  if (intermediate_.has_value()) return *intermediate_;
  return root_;
}

std::vector<std::string> Authority::chain() const {
  if (intermediate_.has_value()) return {intermediate_->der(), root_.der()};
  return {root_.der()};
}

absl::StatusOr<TbsCertificate> Authority::Prepare(const LeafRequest& request) const {
  ASSIGN_OR_RETURN(
      const Validity validity,
      ValidityOf(issuer(), intermediate_.has_value() ? "intermediate" : "root", profile_, request));
  TbsCertificate tbs;
  tbs.not_before_ = validity.not_before;
  tbs.not_after_ = validity.not_after;
  tbs.serial_number_ = SerialFromEntropy(request.serial_entropy);
  tbs.der_ = Fill(leaf_, request, tbs.serial_number_, validity);
  tbs.prepared_by_ = identity_;
  return tbs;
}

absl::StatusOr<std::string> Authority::ToBeSignedBy(const IssuerCertificate& issuer,
                                                    const LeafProfile& profile,
                                                    const LeafRequest& request) {
  ASSIGN_OR_RETURN(const Validity validity, ValidityOf(issuer, "issuer", profile, request));
  return Fill(CertificateTemplate::Compile(issuer, profile), request,
              SerialFromEntropy(request.serial_entropy), validity);
}

absl::StatusOr<TbsIntermediate> Authority::PrepareIntermediate(
    const IntermediateSpecification& specification, absl::string_view public_key) const {
  if (intermediate_.has_value()) return IsNoRoot();
  return ca::PrepareIntermediate(specification, root_, public_key);
}

absl::StatusOr<IntermediateCertificate> Authority::SignIntermediate(TbsIntermediate tbs) const {
  if (intermediate_.has_value()) return IsNoRoot();
  return ca::SignIntermediate(std::move(tbs), root_, *key_);
}

std::vector<absl::StatusOr<std::string>> Authority::SignAndVerify(
    absl::Span<const absl::string_view> messages) const {
  if (messages.empty()) return {};
  std::vector<absl::StatusOr<std::string>> signatures = key_->SignAll(messages);
  if (signatures.size() != messages.size()) {
    return {messages.size(), Error(ErrorReason::kInternalError, "",
                                   "the key gave another number of signatures than was asked for")};
  }
  // Whether it verifies; if not, the error takes its place.
  const auto verifies = [&](std::size_t i) {
    const absl::Status verified = verifier_.Verify(messages[i], *signatures[i]);
    if (verified.ok()) return true;
    // What signed wrong once must not get another chance.
    if (ReasonOf(verified) == ErrorReason::kKeyMismatch) key_->TakeOutOfService();
    signatures[i] = verified;
    return false;
  };
  bool sample_suffices = key_->signs_in_process();
  for (std::size_t i = 0; sample_suffices && i < signatures.size(); ++i) {
    if (signatures[i].ok() && IsNextToVerify()) sample_suffices = verifies(i);
  }
  for (std::size_t i = 0; !sample_suffices && i < signatures.size(); ++i) {
    if (signatures[i].ok()) verifies(i);
  }
  return signatures;
}

// Takes them, so that nobody has one to sign again.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
std::vector<absl::StatusOr<std::string>> Authority::SignAll(std::vector<TbsCertificate> tbs) const {
  std::vector<absl::string_view> messages;
  messages.reserve(tbs.size());
  for (const TbsCertificate& one : tbs) {
    if (one.prepared_by_ == identity_) messages.push_back(one.der_);
  }
  const std::vector<absl::StatusOr<std::string>> signatures = SignAndVerify(messages);
  auto signature = signatures.begin();
  std::vector<absl::StatusOr<std::string>> certificates;
  certificates.reserve(tbs.size());
  for (const TbsCertificate& one : tbs) {
    if (one.prepared_by_ != identity_) {
      certificates.push_back(Error(ErrorReason::kInternalError, "",
                                   "what is to be signed was prepared by another authority"));
    } else if (const auto& made = *signature++; made.ok()) {
      certificates.push_back(AssembleCertificate(one.der_, issuer().key_type(), *made));
    } else {
      certificates.push_back(made.status());
    }
  }
  return certificates;
}

absl::StatusOr<std::string> Authority::Sign(TbsCertificate tbs) const {
  std::vector<TbsCertificate> one;
  one.push_back(std::move(tbs));
  return std::move(SignAll(std::move(one)).front());
}

}  // namespace hourglass::ca
