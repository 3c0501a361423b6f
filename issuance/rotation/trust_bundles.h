// The trust bundle of each tenant, as the store has its roots, and signed by those that can.
#ifndef HOURGLASS_ISSUANCE_ROTATION_TRUST_BUNDLES_H_
#define HOURGLASS_ISSUANCE_ROTATION_TRUST_BUNDLES_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ca/bundle/trust_bundle.h"
#include "hsm/base/mutex.h"
#include "hsm/store/key_store.h"
#include "issuance/log/event_log.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

struct SignedTrustBundle {
  std::string tenant_id;
  std::uint64_t version = 0;
  std::vector<std::string> roots;  // DER, oldest first
  // ca::EncodeTrustBundle. Empty, as the digest is, with version 0: of a tenant that never had a
  // root.
  std::string document;
  std::string document_sha256;  // 32 octets
  // By the primary first, then by retiring roots, the newest first: of those whose key can be had.
  // Empty for a tenant without a primary.
  std::vector<ca::BundleSignature> signatures;
  // Whether all of these have signed.
  bool is_complete = true;
};

// The bundle of a tenant with these roots, all of them and by generation. Version: the tenant's
// revision. Changed: when the newest root was made or a state was entered last, cut to seconds.
// Removed: the roots that are RETIRED or DISCARDED. Pure.
ca::TrustBundle TrustBundleOf(const TenantRecord& tenant, absl::Span<const RootRecord> roots);

// Safe to call from several threads.
class TrustBundles {
 public:
  // Of so many tenants bundles are kept: of those that were asked for last.
  static constexpr std::size_t kMostKept = 1024;

  // How long a bundle is kept that not all could sign.
  static constexpr std::chrono::seconds kRetry{30};

  // All must outlive this object. `most_kept` is at least 1.
  TrustBundles(TenantStore* tenants, hsm::KeyStore* keys, EventLog log,
               std::size_t most_kept = kMostKept, std::chrono::seconds retry = kRetry)
      : tenants_(tenants),
        keys_(keys),
        log_(std::move(log)),
        most_kept_(most_kept),
        retry_(retry) {}

  // The tenant's bundle as the store has it now. The document is a function of what the store holds
  // alone, so that every process makes the same for a version; its version is the tenant's
  // revision. Signed when a version is first asked for, and kept until there is a newer one: each
  // key signs once a version. Who asks while it is being signed waits for that, and has the same
  // outcome. A root that cannot sign is left out, and logged as `bundle_signature_missing`, once a
  // version: what the roots are can be asked while a token is away, and a bundle that nobody has
  // signed is for a follower to refuse. Who asks when `retry` has passed has it tried again; where
  // more sign it then, TenantStore::changes is told of the tenant. May wait for a token.
  // Errors: TENANT_UNKNOWN; JOURNAL_UNAVAILABLE, also where the roots change faster than they can
  // be read; what ca::EncodeTrustBundle says.
  absl::StatusOr<std::shared_ptr<const SignedTrustBundle>> Get(absl::string_view tenant_id);

  // As if somebody asked for each kept bundle that not all could sign and whose `retry` has passed,
  // so that whoever waits for the feed is told when more have signed it. Begins with no other
  // tenant once `stopping` is set. May wait for tokens, one tenant after the other.
  void TryAgain(const std::atomic<bool>& stopping);

 private:
  using Bundle = std::shared_ptr<const SignedTrustBundle>;

  struct Kept {
    Bundle bundle;
    std::uint64_t last_used = 0;
    std::chrono::steady_clock::time_point made_at = {};
  };
  // One caller makes a bundle; others wait until the outcome is there.
  struct Making {
    std::optional<absl::StatusOr<Bundle>> outcome;  // guarded by mutex_
  };

  // Null where none of this version or a newer one is kept.
  Bundle FindKept(absl::string_view tenant_id, std::uint64_t version)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsDue(const Kept& kept) const;
  std::vector<std::string> Due();
  // The newest that is kept, however old; may be null.
  Bundle LastKept(absl::string_view tenant_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Keep(const Bundle& bundle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `before`, which may be null, was made before.
  absl::StatusOr<Bundle> Make(absl::string_view tenant_id, const SignedTrustBundle* before) const;
  void Sign(absl::Span<const RootRecord> roots, const SignedTrustBundle* before,
            SignedTrustBundle* bundle) const;
  absl::StatusOr<ca::BundleSignature> SignatureBy(const RootRecord& root,
                                                  absl::string_view document) const;

  TenantStore* const tenants_;
  hsm::KeyStore* const keys_;
  const EventLog log_;
  const std::size_t most_kept_;
  const std::chrono::seconds retry_;
  Mutex mutex_;
  ConditionVariable made_;
  std::uint64_t uses_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, Kept> newest_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::shared_ptr<Making>> makings_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_TRUST_BUNDLES_H_
