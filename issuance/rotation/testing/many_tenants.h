// Many tenants with their roots and keys, for tests and benchmarks of a large installation.
#ifndef HOURGLASS_ISSUANCE_ROTATION_TESTING_MANY_TENANTS_H_
#define HOURGLASS_ISSUANCE_ROTATION_TESTING_MANY_TENANTS_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/key/signing_key.h"
#include "hsm/store/key_store.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

struct TenantsToMake {
  int tenants = 1;
  // 1 to 3 each. The first is the PRIMARY of a tenant with one or two; of three the first is
  // RETIRING, the second PRIMARY, the third STAGED.
  int roots_per_tenant = 3;
  hsm::KeyType key_type = hsm::KeyType::kEcP256;
  std::chrono::seconds duration = std::chrono::hours(24 * 365);
};

// `t00000`, `t00001`, …: the id of the tenant of this number, from 0 up.
std::string TenantIdOf(int number);

// Writes to `store` and to the default place of `keys` what the administration would have written,
// call by call, had an administrator made each tenant and root and promoted the primary: the same
// rows, ids, epochs and key files. Returns the tenants' ids, in order. It is quick because several
// threads make keys and certificates at once, and no key is opened again to be tried.
//
// Each of some 30 calls a tenant flushes to the disk: 10 000 tenants with 3 roots take a few
// minutes on a disk, and half a minute on a tmpfs (/dev/shm). Whoever does not measure the disk
// itself makes the data directory there.
//
// Errors: TENANT_EXISTS where one of the ids is taken, and what Store, KeyStore and ca::IssueRoot
// say; some tenants are made then and some are not.
absl::StatusOr<std::vector<std::string>> MakeTenants(const TenantsToMake& order, Store* store,
                                                     hsm::KeyStore* keys, Entropy* entropy,
                                                     const Clock* clock);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_TESTING_MANY_TENANTS_H_
