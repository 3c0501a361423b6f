#include "ca/bundle/bundle_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "ca/encoding/digest.h"
#include "ca/encoding/pem.h"
#include "ca/issuers/root_certificate.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::ca {
namespace {

constexpr std::size_t kMaxRootIdSize = 63;
constexpr std::size_t kMaxTenantIdSize = 64;
constexpr std::size_t kSha256Size = 32;

absl::Status Invalid(absl::string_view field, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, field, message);
}

// Readers of PEM look for the beginning of a block in different ways, some within a line.
bool IsId(absl::string_view text, std::size_t max_size) {
  return !text.empty() && text.size() <= max_size &&
         std::all_of(text.begin(), text.end(), absl::ascii_isgraph) &&
         !absl::StrContains(text, "-----BEGIN");
}

absl::Status NotAnId(absl::string_view field, std::size_t max_size) {
  return Invalid(field, absl::StrCat("must be 1 to ", max_size,
                                     " characters of printable ASCII without space or the "
                                     "beginning of a PEM block"));
}

}  // namespace

std::string TenantText(absl::string_view tenant_id) {
  return absl::StrCat(kTenantWord, tenant_id, "\n");
}

std::string VersionText(std::uint64_t version) { return absl::StrCat(kVersionWord, version, "\n"); }

std::string ChangedText(Time changed_at) {
  return absl::StrCat(kChangedWord,
                      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ",
                                       absl::FromUnixSeconds(changed_at.time_since_epoch().count()),
                                       absl::UTCTimeZone()),
                      "\n");
}

std::string RootText(const BundleRoot& root) {
  return absl::StrCat(
      kRootWord, root.root_id, " ", RootStateName(root.state),
      " sha256:", absl::BytesToHexString(Sha256(root.certificate)),
      // As Windows shows a thumbprint, so that an administrator can search for it.
      " sha1:", absl::AsciiStrToUpper(absl::BytesToHexString(Sha1(root.certificate))), "\n",
      EncodePem(kCertificateLabel, root.certificate));
}

std::string RemovedText(const RemovedRoot& removed) {
  return absl::StrCat(kRemovedWord, removed.root_id,
                      " sha256:", absl::BytesToHexString(removed.sha256), "\n");
}

absl::Status CheckTenant(absl::string_view tenant_id) {
  return IsId(tenant_id, kMaxTenantIdSize) ? absl::OkStatus()
                                           : NotAnId("tenant_id", kMaxTenantIdSize);
}

absl::Status CheckVersion(std::uint64_t version) {
  return version > 0 ? absl::OkStatus() : Invalid("version", "must be 1 or more");
}

absl::Status CheckChanged(Time changed_at) {
  return IsEncodable(changed_at) ? absl::OkStatus()
                                 : Invalid("changed_at", "must be from 1950 to 9999");
}

absl::Status BundleRules::AddRoot(const BundleRoot& root) {
  const std::string path = absl::StrCat("roots[", roots_++, "]");
  RETURN_IF_ERROR(AddNames(path, "certificate", root.root_id, Sha256(root.certificate)));
  const bool is_primary = root.state == RootState::kPrimary;
  if (!InTrustBundle(root.state)) {
    return Invalid(absl::StrCat(path, ".state"), "must be STAGED, PRIMARY or RETIRING");
  }
  if (is_primary && has_primary_) {
    return Invalid(absl::StrCat(path, ".state"), "another root is PRIMARY already");
  }
  has_primary_ = has_primary_ || is_primary;
  if (const absl::Status parsed = RootCertificate::Parse(root.certificate).status(); !parsed.ok()) {
    return Invalid(absl::StrCat(path, ".certificate"),
                   absl::StripPrefix(parsed.message(), "root.certificate: "));
  }
  return absl::OkStatus();
}

absl::Status BundleRules::AddRemoved(const RemovedRoot& removed) {
  const std::string path = absl::StrCat("removed[", removed_++, "]");
  if (removed.sha256.size() != kSha256Size) {
    return Invalid(absl::StrCat(path, ".sha256"), "must have 32 octets");
  }
  return AddNames(path, "sha256", removed.root_id, removed.sha256);
}

absl::Status BundleRules::AddNames(absl::string_view path, absl::string_view digest_field,
                                   absl::string_view root_id, absl::string_view sha256) {
  const std::string id_field = absl::StrCat(path, ".root_id");
  if (!IsId(root_id, kMaxRootIdSize)) return NotAnId(id_field, kMaxRootIdSize);
  if (!root_ids_.emplace(root_id).second) return Invalid(id_field, "another root has this name");
  if (!digests_.emplace(sha256).second) {
    return Invalid(absl::StrCat(path, ".", digest_field), "the certificate is here already");
  }
  return absl::OkStatus();
}

}  // namespace hourglass::ca
