#include "ca/authority.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/specimens.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::ca {
namespace {

// Signed once to see that key and certificate belong together; it is text, so never the beginning
// of a certificate.
constexpr absl::string_view kProbe = "hourglass: does this key belong to this root";

absl::Status Mismatch(absl::string_view message) {
  return Error(ErrorReason::kKeyMismatch, "root.key", message);
}

absl::Status CheckKey(const RootCertificate& root, hsm::SigningKey& key,
                      const hsm::VerifyingKey& verifier) {
  if (key.type() != root.key_type() || key.public_key() != root.public_key()) {
    return Mismatch("the key is not the one in the root certificate");
  }
  ASSIGN_OR_RETURN(const std::string signature, key.Sign(kProbe));
  return verifier.Verify(kProbe, signature);
}

absl::Status CheckValidity(const RootCertificate& root, Time now, Time not_before, Time not_after) {
  if (not_before < root.not_before()) {
    return Error(ErrorReason::kRootNotYetValid, "root.certificate",
                 absl::StrCat("is valid from ", FormatTime(root.not_before()), " and it is ",
                              FormatTime(now)));
  }
  if (not_after > root.not_after()) {
    return Error(
        ErrorReason::kRootExpiring, "root.certificate",
        absl::StrCat("expires at ", FormatTime(root.not_after()),
                     ", before a certificate issued now would, at ", FormatTime(not_after)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Authority>> Authority::Create(RootCertificate root,
                                                             std::unique_ptr<hsm::SigningKey> key,
                                                             const LeafProfile& profile) {
  ASSIGN_OR_RETURN(hsm::VerifyingKey verifier, hsm::VerifyingKey::FromPublicKey(root.public_key()));
  RETURN_IF_ERROR(CheckKey(root, *key, verifier));
  std::unique_ptr<Authority> authority(
      new Authority(std::move(root), std::move(key), std::move(verifier), profile));
  RETURN_IF_ERROR(LintTemplate(authority->leaf_, authority->root_, profile));
  return authority;
}

Authority::Authority(RootCertificate root, std::unique_ptr<hsm::SigningKey> key,
                     hsm::VerifyingKey verifier, const LeafProfile& profile)
    : root_(std::move(root)),
      key_(std::move(key)),
      verifier_(std::move(verifier)),
      profile_(profile),
      leaf_(CertificateTemplate::Compile(root_, profile_)),
      identity_(std::make_shared<const Preparer>()) {}

absl::StatusOr<TbsCertificate> Authority::Prepare(const LeafRequest& request) const {
  if (request.serial_entropy.size() != kSerialSize) {
    return Error(ErrorReason::kFieldInvalid, "serial_entropy", "must have 16 octets");
  }
  // The first two keep the sums from overflowing.
  if (!IsEncodable(request.now) || !IsEncodable(request.now - profile_.backdate()) ||
      !IsEncodable(request.now + profile_.lifetime())) {
    return Error(ErrorReason::kFieldInvalid, "now",
                 "a certificate cannot begin before 1950 or end after 9999");
  }
  TbsCertificate tbs;
  tbs.not_before_ = request.now - profile_.backdate();
  tbs.not_after_ = request.now + profile_.lifetime();
  RETURN_IF_ERROR(CheckValidity(root_, request.now, tbs.not_before_, tbs.not_after_));
  tbs.serial_number_ = SerialFromEntropy(request.serial_entropy);
  tbs.der_ =
      leaf_.Fill({tbs.serial_number_, tbs.not_before_, tbs.not_after_,
                  request.subject.common_name(), request.subject.upn(), request.subject.sid(),
                  request.key.subject_public_key_info(), request.key.key_identifier()});
  tbs.prepared_by_ = identity_;
  return tbs;
}

absl::StatusOr<std::string> Authority::Sign(TbsCertificate tbs) const {
  if (tbs.prepared_by_ != identity_) {
    return Error(ErrorReason::kInternalError, "",
                 "what is to be signed was prepared by another authority");
  }
  ASSIGN_OR_RETURN(const std::string signature, key_->Sign(tbs.der_));
  const absl::Status verified = verifier_.Verify(tbs.der_, signature);
  // What signed wrong once must not get another chance.
  if (ReasonOf(verified) == ErrorReason::kKeyMismatch) key_->TakeOutOfService();
  RETURN_IF_ERROR(verified);
  return AssembleCertificate(tbs.der_, root_.key_type(), signature);
}

}  // namespace hourglass::ca
