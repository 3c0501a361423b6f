// The trust bundle of each tenant, as the store has its roots, and signed by those that can.
#ifndef HOURGLASS_ISSUANCE_ROTATION_TRUST_BUNDLES_H_
#define HOURGLASS_ISSUANCE_ROTATION_TRUST_BUNDLES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
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
  std::string document;            // ca::EncodeTrustBundle
  std::string document_sha256;     // 32 octets
  // By the primary first, then by retiring roots whose key can be had, the newest first; empty for
  // a tenant without a primary.
  std::vector<ca::BundleSignature> signatures;
};

// Safe to call from several threads.
class TrustBundles {
 public:
  // All must outlive this object.
  TrustBundles(TenantStore* tenants, hsm::KeyStore* keys, EventLog log)
      : tenants_(tenants), keys_(keys), log_(std::move(log)) {}

  // The tenant's bundle as the store has it now. The document is a function of what the store holds
  // alone, so that every process makes the same for a version; its version is the tenant's
  // revision. Signed when a version is first asked for, and kept until there is a newer one: each
  // key signs once a version. A primary that cannot sign is an error; a retiring root that cannot
  // is left out, and logged. Errors: TENANT_UNKNOWN, JOURNAL_UNAVAILABLE, what KeyStore::Open and
  // ca::SignTrustBundle say.
  absl::StatusOr<std::shared_ptr<const SignedTrustBundle>> Get(absl::string_view tenant_id);

 private:
  TenantStore* const tenants_;
  hsm::KeyStore* const keys_;
  const EventLog log_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<const SignedTrustBundle>> newest_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_TRUST_BUNDLES_H_
