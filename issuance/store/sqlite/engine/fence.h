// What the fence of the journal is made of (promise 6), remembered between transactions.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_FENCE_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_FENCE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::sqlite {

// For one thread at a time, and always with the same connection to the main file. Nothing may be
// asked but between Renew and the end of the transaction in which it was called, which holds the
// file's write lock, so that the answers hold until then.
class Fence {
 public:
  // Forgets everything if anything in the file changed since the last call, through this connection
  // or another.
  absl::Status Renew(Connection& main);
  // Null without such a tenant. The answer lives until the next Renew.
  absl::StatusOr<const FencedTenant*> Find(Connection& main, absl::string_view tenant_id);
  // Whether the root has an intermediate of this serial number that was released.
  absl::StatusOr<bool> IsReleased(Connection& main, absl::string_view tenant_id,
                                  absl::string_view root_id, absl::string_view serial_number);

 private:
  std::int64_t changes_of_others_ = -1;
  std::int64_t own_changes_ = -1;
  // Of nodes, which stay where they are while others come.
  absl::node_hash_map<std::string, std::optional<FencedTenant>> tenants_;
  absl::flat_hash_set<std::string> released_;  // tenant, root and serial number
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_FENCE_H_
