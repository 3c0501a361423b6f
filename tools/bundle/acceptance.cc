#include "tools/bundle/acceptance.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/encoding/file_forms.h"
#include "ca/encoding/pem.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/certificate.h"
#include "tools/client/files.h"

namespace hourglass::bundle {
namespace {

absl::Status Refused(absl::string_view why) { return Error(ErrorReason::kBundleInvalid, "", why); }

// Who trusts the message without its document must not come to another end than who reads that.
absl::Status CheckMessage(const v1::TrustBundle& message, const ca::TrustBundle& bundle,
                          absl::string_view tenant) {
  if (bundle.tenant_id != tenant || message.tenant_id() != tenant) {
    return Refused(absl::StrCat("it is of the tenant ", bundle.tenant_id, ", sent as one of ",
                                message.tenant_id(), "; asked for was that of ", tenant));
  }
  if (bundle.version != message.version()) {
    return Refused(
        absl::StrCat("it is version ", bundle.version, ", sent as version ", message.version()));
  }
  return absl::OkStatus();
}

std::vector<ca::BundleSignature> SignaturesOf(const v1::TrustBundle& message) {
  std::vector<ca::BundleSignature> signatures;
  for (const v1::BundleSignature& signature : message.signatures()) {
    signatures.push_back({signature.root_sha256(), signature.signature()});
  }
  return signatures;
}

absl::Status TrustError(absl::string_view what) {
  return Error(ErrorReason::kFieldInvalid, "--trust", what);
}

}  // namespace

absl::StatusOr<Accepted> Accept(const v1::TrustBundle& message, absl::string_view tenant,
                                const FollowState* known, absl::Span<const std::string> trusted) {
  Accepted accepted;
  FollowState& state = accepted.state;
  state.document = message.document();
  state.signatures = SignaturesOf(message);
  ASSIGN_OR_RETURN(state.bundle, ca::ParseTrustBundle(state.document));
  RETURN_IF_ERROR(CheckMessage(message, state.bundle, tenant));
  ASSIGN_OR_RETURN(accepted.signed_by,
                   ca::SignerOfTrustBundle(state.document, state.signatures,
                                           known != nullptr ? RootsOf(known->bundle)
                                                            : std::vector<std::string>(
                                                                  trusted.begin(), trusted.end())));
  // What is kept must be found whole again (ParseState).
  RETURN_IF_ERROR(CheckSigned(state));
  if (known != nullptr) {
    RETURN_IF_ERROR(ca::CheckBundleFollows(known->bundle, state.bundle));
  }
  return accepted;
}

absl::StatusOr<std::vector<std::string>> TrustedCertificates(const std::string& path) {
  const absl::StatusOr<std::string> octets = client::ReadWholeFile(path);
  if (!octets.ok()) return TrustError(octets.status().message());
  const auto blocks = ca::PemBlocks(ca::AsText(*octets));
  if (!blocks.ok()) return TrustError(absl::StrCat(path, ": ", blocks.status().message()));
  std::vector<std::string> certificates;
  for (const ca::PemBlock& block : *blocks) {
    if (block.label != ca::kCertificateLabel) continue;
    const auto facts = client::ReadCertificate(block.octets);
    if (!facts.ok()) return TrustError(absl::StrCat(path, ": ", facts.status().message()));
    certificates.push_back(block.octets);
  }
  if (certificates.empty()) {
    return TrustError(
        absl::StrCat(path, " holds no PEM certificate, but ", ca::WhatItHolds(*octets)));
  }
  return certificates;
}

}  // namespace hourglass::bundle
