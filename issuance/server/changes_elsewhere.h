// What other processes on the same store change.
#ifndef HOURGLASS_ISSUANCE_SERVER_CHANGES_ELSEWHERE_H_
#define HOURGLASS_ISSUANCE_SERVER_CHANGES_ELSEWHERE_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "hsm/base/mutex.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// A store tells of what is changed through it, and of what another process changed only when
// something is refused for it (TenantStore::changes). Whoever waits for a change, and writes
// nothing, would wait for ever: here the feed is told of every tenant whose revision has moved
// between two looks, whoever moved it. Safe to call from several threads.
class ChangesElsewhere {
 public:
  // `tenants` must outlive this object.
  explicit ChangesElsewhere(TenantStore* tenants) : tenants_(tenants) {}

  // Reads all tenants once. The first look that succeeds tells of none; one that fails is as none.
  void Look();

 private:
  TenantStore* const tenants_;
  Mutex mutex_;  // held by a look, and not while the feed is told
  bool looked_ ABSL_GUARDED_BY(mutex_) = false;
  // Of each tenant, of its roots and its policies together.
  absl::flat_hash_map<std::string, std::uint64_t> revisions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_CHANGES_ELSEWHERE_H_
