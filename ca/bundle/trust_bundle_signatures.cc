#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/bundle/bundle_text.h"
#include "ca/bundle/trust_bundle.h"
#include "ca/encoding/digest.h"
#include "ca/issuers/root_certificate.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/signature.h"

namespace hourglass::ca {
namespace {

absl::Status Refused(absl::string_view why) { return Error(ErrorReason::kBundleInvalid, "", why); }

absl::Status VerifyByCertificate(absl::string_view document, absl::string_view signature,
                                 absl::string_view certificate) {
  ASSIGN_OR_RETURN(const RootCertificate root, RootCertificate::Parse(certificate));
  return hsm::VerifySignature(root.public_key(), root.key_type(), document, signature);
}

}  // namespace

absl::StatusOr<BundleSignature> SignTrustBundle(absl::string_view document,
                                                absl::string_view certificate,
                                                hsm::SigningKey& key) {
  // A root's key would make a certificate of whatever octets are one.
  RETURN_IF_ERROR(ParseTrustBundle(document).status());
  ASSIGN_OR_RETURN(const RootCertificate root, RootCertificate::Parse(certificate));
  if (key.type() != root.key_type() || key.public_key() != root.public_key()) {
    return Error(ErrorReason::kKeyMismatch, "root.key",
                 "the key is not the one in the root certificate");
  }
  ASSIGN_OR_RETURN(std::string signature, key.Sign(document));
  const absl::Status verified =
      hsm::VerifySignature(root.public_key(), root.key_type(), document, signature);
  // What signed wrong once must not get another chance.
  if (ReasonOf(verified) == ErrorReason::kKeyMismatch) key.TakeOutOfService();
  RETURN_IF_ERROR(verified);
  return BundleSignature{Sha256(certificate), std::move(signature)};
}

absl::StatusOr<std::string> SignerOfTrustBundle(absl::string_view document,
                                                absl::Span<const BundleSignature> signatures,
                                                absl::Span<const std::string> trusted) {
  // What else a root signs, certificates, is no bundle, however well it is signed.
  if (!absl::StartsWith(document, kFirstLine) || document.size() > kMaxBundleSize) {
    return Refused("is no trust bundle");
  }
  std::vector<std::string> digests;
  digests.reserve(trusted.size());
  for (const std::string& certificate : trusted) digests.push_back(Sha256(certificate));
  std::optional<std::string> signer;
  for (const BundleSignature& signature : signatures) {
    const auto digest = std::find(digests.begin(), digests.end(), signature.root_sha256);
    if (digest == digests.end()) continue;
    const std::string& certificate = trusted[static_cast<std::size_t>(digest - digests.begin())];
    const absl::Status verified = VerifyByCertificate(document, signature.signature, certificate);
    if (!verified.ok()) {
      return Refused(
          absl::StrCat("the signature by the trusted root sha256:", absl::BytesToHexString(*digest),
                       " does not verify: ", verified.message()));
    }
    if (!signer.has_value()) signer = certificate;
  }
  if (!signer.has_value()) return Refused("no root that is trusted has signed the trust bundle");
  return *std::move(signer);
}

}  // namespace hourglass::ca
