#include "issuance/rotation/trust_bundles.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "ca/encoding/digest.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

// A tenant's roots change a few times a year.
constexpr int kMostReadings = 8;

struct TenantWithRoots {
  TenantRecord tenant;
  std::vector<RootRecord> roots;
};

// The tenant and its roots at one moment, which two readings of the store are not: the revision is
// looked at before and after.
absl::StatusOr<TenantWithRoots> ReadAtOnce(TenantStore& store, absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(TenantRecord tenant, store.GetTenant(tenant_id));
  for (int reading = 0; reading < kMostReadings; ++reading) {
    ASSIGN_OR_RETURN(std::vector<RootRecord> roots, store.ListRoots(tenant_id));
    ASSIGN_OR_RETURN(TenantRecord after, store.GetTenant(tenant_id));
    if (after.revision == tenant.revision) return TenantWithRoots{tenant, std::move(roots)};
    tenant = std::move(after);
  }
  return Error(ErrorReason::kJournalUnavailable, "",
               "the tenant's roots change faster than they can be read");
}

// Whether `before` is the same version, and lacks the root's signature as well.
bool IsKnownToLack(const SignedTrustBundle* before, const SignedTrustBundle& bundle,
                   const RootRecord& root) {
  if (before == nullptr || before->version != bundle.version) return false;
  const std::string digest = ca::Sha256(root.certificate);
  return std::none_of(
      before->signatures.begin(), before->signatures.end(),
      [&](const ca::BundleSignature& signature) { return signature.root_sha256 == digest; });
}

// Whether `bundle` is the same version as `before`, and more have signed it.
bool HasGained(const SignedTrustBundle* before, const SignedTrustBundle& bundle) {
  return before != nullptr && before->version == bundle.version &&
         bundle.signatures.size() > before->signatures.size();
}

}  // namespace

ca::TrustBundle TrustBundleOf(const TenantRecord& tenant, absl::Span<const RootRecord> roots) {
  ca::TrustBundle bundle;
  bundle.tenant_id = tenant.tenant_id;
  bundle.version = tenant.revision;
  for (const RootRecord& root : roots) {
    const Timestamp changed = std::max(root.created_at, root.state_since);
    bundle.changed_at =
        std::max(bundle.changed_at, std::chrono::floor<std::chrono::seconds>(changed));
    if (ca::InTrustBundle(root.state)) {
      bundle.roots.push_back({root.root_id, root.state, root.certificate});
    } else {
      bundle.removed.push_back({root.root_id, ca::Sha256(root.certificate)});
    }
  }
  return bundle;
}

absl::StatusOr<TrustBundles::Bundle> TrustBundles::Get(absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(const TenantRecord tenant, tenants_->GetTenant(tenant_id));
  MutexLock lock(mutex_);
  for (;;) {
    if (Bundle kept = FindKept(tenant_id, tenant.revision)) return kept;
    const auto found = makings_.find(tenant_id);
    if (found == makings_.end()) break;
    const std::shared_ptr<Making> making = found->second;
    made_.wait(lock, [&] { return making->outcome.has_value(); });
    // What began before the change that this caller has seen may be older than that. Its failure
    // counts all the same: another attempt of each who waits would take as long once more.
    const absl::StatusOr<Bundle>& outcome = *making->outcome;
    if (!outcome.ok() || (*outcome)->version >= tenant.revision) return outcome;
  }
  const auto making = std::make_shared<Making>();
  makings_.emplace(std::string(tenant_id), making);
  const Bundle before = LastKept(tenant_id);
  lock.unlock();
  absl::StatusOr<Bundle> made = Make(tenant_id, before.get());
  lock.lock();
  makings_.erase(tenant_id);
  if (made.ok()) Keep(*made);
  making->outcome = made;
  made_.notify_all();
  lock.unlock();
  // Only now: whoever is told looks here.
  if (made.ok() && HasGained(before.get(), **made)) tenants_->changes().Publish(tenant_id);
  return made;
}

void TrustBundles::TryAgain(const std::atomic<bool>& stopping) {
  for (const std::string& tenant_id : Due()) {
    if (stopping) return;
    // Of what fails nothing is sent, and the next pass comes.
    static_cast<void>(Get(tenant_id));
  }
}

bool TrustBundles::IsDue(const Kept& kept) const {
  return !kept.bundle->is_complete && std::chrono::steady_clock::now() - kept.made_at >= retry_;
}

std::vector<std::string> TrustBundles::Due() {
  const MutexLock lock(mutex_);
  std::vector<std::string> due;
  for (const auto& [tenant_id, kept] : newest_) {
    if (IsDue(kept)) due.push_back(tenant_id);
  }
  return due;
}

TrustBundles::Bundle TrustBundles::LastKept(absl::string_view tenant_id) {
  const auto found = newest_.find(tenant_id);
  return found == newest_.end() ? nullptr : found->second.bundle;
}

TrustBundles::Bundle TrustBundles::FindKept(absl::string_view tenant_id, std::uint64_t version) {
  const auto found = newest_.find(tenant_id);
  if (found == newest_.end() || found->second.bundle->version < version) return nullptr;
  if (IsDue(found->second)) return nullptr;
  found->second.last_used = ++uses_;
  return found->second.bundle;
}

void TrustBundles::Keep(const Bundle& bundle) {
  newest_.insert_or_assign(bundle->tenant_id,
                           Kept{bundle, ++uses_, std::chrono::steady_clock::now()});
  if (newest_.size() <= most_kept_) return;
  // Only after signatures, which cost more than to look at all.
  newest_.erase(std::min_element(newest_.begin(), newest_.end(), [](const auto& a, const auto& b) {
    return a.second.last_used < b.second.last_used;
  }));
}

absl::StatusOr<TrustBundles::Bundle> TrustBundles::Make(absl::string_view tenant_id,
                                                        const SignedTrustBundle* before) const {
  ASSIGN_OR_RETURN(const TenantWithRoots read, ReadAtOnce(*tenants_, tenant_id));
  auto bundle = std::make_shared<SignedTrustBundle>();
  bundle->tenant_id = read.tenant.tenant_id;
  bundle->version = read.tenant.revision;
  if (bundle->version == 0) return bundle;
  const ca::TrustBundle content = TrustBundleOf(read.tenant, read.roots);
  for (const ca::BundleRoot& root : content.roots) bundle->roots.push_back(root.certificate);
  ASSIGN_OR_RETURN(bundle->document, ca::EncodeTrustBundle(content));
  bundle->document_sha256 = ca::Sha256(bundle->document);
  Sign(read.roots, before, bundle.get());
  return bundle;
}

void TrustBundles::Sign(absl::Span<const RootRecord> roots, const SignedTrustBundle* before,
                        SignedTrustBundle* bundle) const {
  std::vector<const RootRecord*> signers;
  for (const RootRecord& root : roots) {
    if (root.state == ca::RootState::kPrimary) signers.push_back(&root);
  }
  if (signers.empty()) return;
  for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
    if (root->state == ca::RootState::kRetiring) signers.push_back(&*root);
  }
  for (const RootRecord* const root : signers) {
    absl::StatusOr<ca::BundleSignature> signature = SignatureBy(*root, bundle->document);
    if (signature.ok()) {
      bundle->signatures.push_back(*std::move(signature));
      continue;
    }
    bundle->is_complete = false;
    if (IsKnownToLack(before, *bundle, *root)) continue;
    log_.Warning("bundle_signature_missing",
                 {{"tenant", root->tenant_id},
                  {"root", root->root_id},
                  {"version", absl::StrCat(bundle->version)},
                  {"reason", ErrorReasonName(ReasonOf(signature.status()))},
                  {"message", signature.status().message()}});
  }
}

absl::StatusOr<ca::BundleSignature> TrustBundles::SignatureBy(const RootRecord& root,
                                                              absl::string_view document) const {
  ASSIGN_OR_RETURN(const std::unique_ptr<hsm::SigningKey> key, keys_->Open(root.key_uri));
  return ca::SignTrustBundle(document, root.certificate, *key);
}

}  // namespace hourglass::issuance
