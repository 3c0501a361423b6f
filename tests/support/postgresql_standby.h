// A standby of a PostgreSQL server of the test's own, on the same machine.
#ifndef HOURGLASS_TESTS_SUPPORT_POSTGRESQL_STANDBY_H_
#define HOURGLASS_TESTS_SUPPORT_POSTGRESQL_STANDBY_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/subprocess.h"

namespace hourglass {

// Follows the cluster over its socket, in a folder of its own beside the cluster's, and is the one
// synchronous standby that the cluster names: each COMMIT waits for it, for ever once this object
// has gone, which stops and deletes it. The rest is as of PostgresqlCluster. For one thread at a
// time.
class PostgresqlStandby {
 public:
  // Returns when the cluster waits for it. `parent` as in PostgresqlClusterOptions. Errors:
  // INTERNAL_ERROR.
  static absl::StatusOr<std::unique_ptr<PostgresqlStandby>> Start(const PostgresqlCluster& cluster,
                                                                  const std::string& parent);
  ~PostgresqlStandby();
  PostgresqlStandby(const PostgresqlStandby&) = delete;
  PostgresqlStandby& operator=(const PostgresqlStandby&) = delete;

  // Its first process, whose children do its work.
  pid_t pid() const { return process_->pid(); }

 private:
  PostgresqlStandby() = default;
  absl::Status Copy(const PostgresqlCluster& cluster);
  absl::Status Follow();

  std::string folder_;
  std::unique_ptr<BackgroundProcess> process_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_POSTGRESQL_STANDBY_H_
