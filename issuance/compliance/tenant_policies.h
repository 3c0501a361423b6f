// A tenant's policies of the store, made ready for decisions.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_TENANT_POLICIES_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_TENANT_POLICIES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/access/compliance/compliance_policy.h"
#include "issuance/access/evaluation.h"
#include "issuance/config/access_config.h"
#include "issuance/store/access_store.h"

namespace hourglass::issuance {

// Immutable.
struct TenantPolicies {
  std::uint64_t revision = 0;
  std::shared_ptr<const access::PreparedPolicies> access;
  std::vector<access::CompliancePolicy> compliance;
  // Whether a conditional access policy is enabled: only then they decide.
  bool enforces_access = false;

  // Whether there is anything that decides. Report-only policies do not.
  bool decide() const { return enforces_access || !compliance.empty(); }
};

// Errors: those of access::ParseGraphExport, with the id of the policy as the field, and of
// access::PreparedPolicies::Make. A pure function.
absl::StatusOr<std::shared_ptr<const TenantPolicies>> PrepareTenantPolicies(
    const PolicySet& set, const access::AccessOptions& options);

// The policies of tenants, read and prepared once for each revision. Safe to call from several
// threads: who asks while another prepares the same tenant's waits for him, and nobody waits for
// another tenant's.
class TenantPolicyCache {
 public:
  // `store` may be null: then only tenants that never had policies have an answer. It must outlive
  // this object. Of a tenant that `access` does not have the defaults count.
  TenantPolicyCache(PolicyStore* store, std::map<std::string, AccessConfig> access)
      : store_(store), access_(std::move(access)) {}

  const AccessConfig& ConfigOf(absl::string_view tenant_id) const;

  struct Result {
    // OK with policies; COMPLIANCE_UNAVAILABLE where the store could not be read or is behind what
    // it had said; any other error for policies that cannot be prepared, which are not tried again
    // until they change.
    absl::Status status;
    std::shared_ptr<const TenantPolicies> policies;
    bool read_anew = false;  // and not known from before
  };

  // As of `revision`, which the store has said, or a later one. What it costs to read and prepare
  // them is paid by the first who asks for a revision.
  Result Get(absl::string_view tenant_id, std::uint64_t revision);

 private:
  // Held while it is filled, so that one thread does so.
  struct Entry {
    Mutex mutex;
    bool filled ABSL_GUARDED_BY(mutex) = false;
    std::uint64_t revision ABSL_GUARDED_BY(mutex) = 0;
    Result result ABSL_GUARDED_BY(mutex);
  };

  std::shared_ptr<Entry> EntryOf(absl::string_view tenant_id);
  Result Fill(absl::string_view tenant_id, std::uint64_t revision, Entry& entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(entry.mutex);

  PolicyStore* const store_;
  const std::map<std::string, AccessConfig> access_;
  const AccessConfig defaults_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_TENANT_POLICIES_H_
