#include "ca/bundle/trust_bundle.h"

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "ca/bundle/bundle_text.h"
#include "ca/encoding/digest.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::ca {
namespace {

absl::Status DoesNotFollow(absl::string_view why) {
  return Error(ErrorReason::kBundleInvalid, "", why);
}

std::set<std::string> RemovedDigests(const TrustBundle& bundle) {
  std::set<std::string> digests;
  for (const RemovedRoot& removed : bundle.removed) digests.insert(removed.sha256);
  return digests;
}

std::set<std::string> RootDigests(const TrustBundle& bundle) {
  std::set<std::string> digests;
  for (const BundleRoot& root : bundle.roots) digests.insert(Sha256(root.certificate));
  return digests;
}

absl::Status CheckVersionFollows(const TrustBundle& known, const TrustBundle& next) {
  if (next.version < known.version) {
    return DoesNotFollow(absl::StrCat("version ", next.version, " is older than version ",
                                      known.version, ", which is known"));
  }
  if (next.version == known.version && next != known) {
    return DoesNotFollow(
        absl::StrCat("version ", known.version, " is known, and has another content"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> EncodeTrustBundle(const TrustBundle& bundle) {
  RETURN_IF_ERROR(CheckTenant(bundle.tenant_id));
  RETURN_IF_ERROR(CheckVersion(bundle.version));
  RETURN_IF_ERROR(CheckChanged(bundle.changed_at));
  std::string document = absl::StrCat(kFirstLine, TenantText(bundle.tenant_id),
                                      VersionText(bundle.version), ChangedText(bundle.changed_at));
  BundleRules rules;
  // In front of the roots: OSSL_STORE of OpenSSL 3.0 fails where much text is behind the last
  // block.
  for (const RemovedRoot& removed : bundle.removed) {
    RETURN_IF_ERROR(rules.AddRemoved(removed));
    absl::StrAppend(&document, RemovedText(removed));
  }
  for (const BundleRoot& root : bundle.roots) {
    RETURN_IF_ERROR(rules.AddRoot(root));
    absl::StrAppend(&document, RootText(root));
  }
  absl::StrAppend(&document, kLastLine);
  if (document.size() > kMaxBundleSize) {
    return Error(ErrorReason::kFieldInvalid, "roots",
                 absl::StrCat("are too many: the document would have ", document.size(),
                              " octets, and may have ", kMaxBundleSize));
  }
  return document;
}

absl::Status CheckBundleFollows(const TrustBundle& known, const TrustBundle& next) {
  if (next.tenant_id != known.tenant_id) {
    return DoesNotFollow(
        absl::StrCat("is of tenant ", next.tenant_id, ", and known is one of ", known.tenant_id));
  }
  RETURN_IF_ERROR(CheckVersionFollows(known, next));
  const std::set<std::string> roots = RootDigests(next), removed = RemovedDigests(next);
  for (const BundleRoot& root : known.roots) {
    const std::string digest = Sha256(root.certificate);
    if (roots.count(digest) == 0 && removed.count(digest) == 0) {
      return DoesNotFollow(
          absl::StrCat("root ", root.root_id, " is gone, and not among the removed ones"));
    }
  }
  for (const RemovedRoot& root : known.removed) {
    if (roots.count(root.sha256) != 0) {
      return DoesNotFollow(absl::StrCat("root ", root.root_id, " was removed, and is back"));
    }
    if (removed.count(root.sha256) == 0) {
      return DoesNotFollow(
          absl::StrCat("root ", root.root_id, " was removed, and is not among the removed ones"));
    }
  }
  return absl::OkStatus();
}

}  // namespace hourglass::ca
