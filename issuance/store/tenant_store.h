// The role of the store that keeps tenants and their roots.
#ifndef HOURGLASS_ISSUANCE_STORE_TENANT_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_TENANT_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/records.h"
#include "issuance/store/tenant_changes.h"

namespace hourglass::issuance {

struct RootStateChange {
  std::string root_id;
  ca::RootState from;
  ca::RootState to;
};

// How states are changed, by whom and why.
struct RootChangeOrder {
  Timestamp now;
  std::string caller = "";  // for the administrative journal
  std::string reason = "";  // likewise
  // A STAGED root becomes PRIMARY only where the tenant has relying parties, and each has
  // acknowledged a version of the trust bundle with the root (CheckAcknowledged,
  // issuance/store/store_rules.h).
  bool awaits_acknowledgements = false;
  // With that: where the tenant has none, nobody is awaited.
  bool without_relying_parties = false;
  // Recorded with the promotion: what was in the way of it did not hold it up.
  bool overrides = false;
};

// The contract that all roles share stands at Store (issuance/store/store.h).
class TenantStore {
 public:
  virtual ~TenantStore() = default;
  TenantStore(const TenantStore&) = delete;
  TenantStore& operator=(const TenantStore&) = delete;

  // Tells of every tenant of which AddRoot added a root, ChangeRootStates changed a state or
  // ChangePolicies a policy through this object, or may have (JOURNAL_UNAVAILABLE), once that is
  // committed and before the call returns; and of every tenant of which a write through this
  // object, in any role, was refused with PRIMARY_CHANGED, before that refusal is returned: whoever
  // missed a change is told of it then at the latest. Nothing else that was refused is told of. No
  // lock of the store is held meanwhile. A store that several processes share may tell of changes
  // through others, and of some for nothing.
  virtual TenantChanges& changes() = 0;

  // With epoch 0 and revisions 0, whatever `tenant` says. Errors: TENANT_EXISTS; DISPLAY_NAME_TAKEN
  // with field `display_name` where another tenant's roots have the same name (ca::RootNameKey).
  virtual absl::Status CreateTenant(const TenantRecord& tenant) = 0;
  // Errors: TENANT_UNKNOWN.
  virtual absl::StatusOr<TenantRecord> GetTenant(absl::string_view tenant_id) = 0;
  // By tenant id.
  virtual absl::StatusOr<std::vector<TenantRecord>> ListTenants() = 0;

  // Adds a STAGED root, raises the revision, which is its `bundle_version` and `state_revision`,
  // takes the plan of its key, and records `root_created`, as of `created_at` by `created_by`, in
  // one transaction. Errors: INTERNAL_ERROR for another state; TENANT_UNKNOWN; REQUEST_ID_REUSED
  // with field `request_id` for a non-empty one that a root of the tenant has already; KEY_EXISTS
  // with field `key_uri` for a key URI that any root has; INTERNAL_ERROR for an id or generation
  // that a root of the tenant has; KEY_DESTROYED with field `key_uri` for a key that is condemned
  // (RootKeyStore::CondemnPlannedKey), by its URI or by the public key in the certificate, or that
  // was made for the root and is not planned for its tenant. Of several, the first of these.
  virtual absl::Status AddRoot(const RootRecord& root) = 0;
  // Errors: ROOT_UNKNOWN.
  virtual absl::StatusOr<RootRecord> GetRoot(absl::string_view tenant_id,
                                             absl::string_view root_id) = 0;
  // By generation.
  virtual absl::StatusOr<std::vector<RootRecord>> ListRoots(absl::string_view tenant_id) = 0;

  // Makes all changes or none, and raises the revision, which is the `state_revision` of each root
  // that is changed, and the epoch if PRIMARY is left or entered. The promise of one primary is the
  // store's: a change that would make a second one fails. Records each change: `root_promoted` from
  // STAGED and `root_rolled_back` from RETIRING to PRIMARY, `root_demoted`, `root_retired`,
  // `root_discarded`. Errors: PRIMARY_CHANGED if the revision is not `expected_revision` any more;
  // ROOT_UNKNOWN; ROOT_MOVE_ILLEGAL if a root is not in its `from` state or there would be two
  // primaries; TENANT_UNKNOWN; PROMOTION_BLOCKED where the order awaits acknowledgements that are
  // not there.
  virtual absl::Status ChangeRootStates(absl::string_view tenant_id,
                                        std::uint64_t expected_revision,
                                        absl::Span<const RootStateChange> changes,
                                        const RootChangeOrder& order) = 0;

 protected:
  TenantStore() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TENANT_STORE_H_
