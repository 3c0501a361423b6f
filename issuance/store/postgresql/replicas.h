// Who runs on a database, and how far their clocks are from it.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_REPLICAS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_REPLICAS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"
#include "issuance/store/postgresql/engine/connection_pool.h"
#include "issuance/store/replica_directory.h"

namespace hourglass::issuance {

// The directory of those who share a database, in that database.
class Replicas final : public ReplicaDirectory {
 public:
  // `pool` must outlive this object; it need not be the store's, so that nothing else makes a
  // question for the time wait.
  explicit Replicas(postgresql::ConnectionPool* pool) : pool_(*pool) {}

  absl::StatusOr<Timestamp> DatabaseTime() override;
  absl::StatusOr<ReplicaRecord> Announce(const ReplicaRecord& own) override;
  absl::Status Withdraw(absl::string_view name, absl::string_view run_id) override;
  absl::StatusOr<std::vector<ReplicaRecord>> List() override;
  absl::StatusOr<DatabaseRecord> Describe() override;

 private:
  postgresql::ConnectionPool& pool_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_REPLICAS_H_
