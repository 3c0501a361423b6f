// Whatever a document says, it is read as a bundle that is written in just those octets, and whose
// certificates every reader of PEM finds in it; or it is refused by the number of a line. No bundle
// follows one that it does not hold to.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "ca/bundle/trust_bundle.h"
#include "ca/encoding/digest.h"
#include "ca/encoding/pem.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/error.h"

namespace hourglass::ca {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckContent(const TrustBundle& bundle) {
  std::set<std::string> names, digests;
  int primaries = 0;
  for (const BundleRoot& root : bundle.roots) {
    Require(names.insert(root.root_id).second && digests.insert(Sha256(root.certificate)).second);
    Require(InTrustBundle(root.state));
    primaries += root.state == RootState::kPrimary ? 1 : 0;
  }
  for (const RemovedRoot& removed : bundle.removed) {
    Require(names.insert(removed.root_id).second && digests.insert(removed.sha256).second);
    Require(removed.sha256.size() == 32);
  }
  Require(primaries <= 1 && bundle.version > 0 && !bundle.tenant_id.empty());
}

// By a reader that looks for blocks anywhere in a text.
void CheckBlocks(absl::string_view document, const TrustBundle& bundle) {
  const absl::StatusOr<std::vector<PemBlock>> blocks = PemBlocks(document);
  Require(blocks.ok() && blocks->size() == bundle.roots.size());
  for (std::size_t i = 0; i < blocks->size(); ++i) {
    Require((*blocks)[i].label == kCertificateLabel);
    Require((*blocks)[i].octets == bundle.roots[i].certificate);
  }
}

void CheckFollowing(const TrustBundle& bundle) {
  Require(CheckBundleFollows(bundle, bundle).ok());
  TrustBundle next = bundle;
  if (++next.version == 0) return;
  Require(CheckBundleFollows(bundle, next).ok());
  Require(!CheckBundleFollows(next, bundle).ok());
  if (bundle.roots.empty()) return;
  next.roots.pop_back();
  Require(!CheckBundleFollows(bundle, next).ok());
  next.removed.push_back({bundle.roots.back().root_id, Sha256(bundle.roots.back().certificate)});
  Require(CheckBundleFollows(bundle, next).ok());
  TrustBundle back = bundle;
  back.version = next.version;
  Require(!CheckBundleFollows(next, back).ok());
}

void CheckDocument(absl::string_view document) {
  const absl::StatusOr<TrustBundle> bundle = ParseTrustBundle(document);
  if (!bundle.ok()) {
    Require(ReasonOf(bundle.status()) == ErrorReason::kBundleInvalid);
    Require(absl::StartsWith(bundle.status().message(), "line "));
    return;
  }
  const absl::StatusOr<std::string> again = EncodeTrustBundle(*bundle);
  Require(again.ok() && *again == document);
  CheckContent(*bundle);
  CheckBlocks(document, *bundle);
  CheckFollowing(*bundle);
}

}  // namespace
}  // namespace hourglass::ca

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hourglass::ca::CheckDocument({reinterpret_cast<const char*>(data), size});
  return 0;
}
