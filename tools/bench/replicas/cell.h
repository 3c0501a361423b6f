// Services that issue together, as processes of their own, and what load costs them.
#ifndef HOURGLASS_TOOLS_BENCH_REPLICAS_CELL_H_
#define HOURGLASS_TOOLS_BENCH_REPLICAS_CELL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/postgresql_standby.h"
#include "tests/support/temporary_directory.h"
#include "tools/bench/replicas/cell_cost.h"
#include "tools/bench/service/service_cost.h"

namespace hourglass::bench {

struct CellOptions {
  std::string program = {};  // hourglassd, absolute
  int tenants = 1;           // those of TenantIds
  // Theirs; null: each replica's own.
  std::shared_ptr<const TenantPolicies> policies = {};
  int replicas = 1;  // more than one only with a cluster
  // What they share; null: SQLite, of one service.
  PostgresqlCluster* cluster = nullptr;
  // The cluster's, which the configuration then demands; null: waived there.
  const PostgresqlStandby* standby = nullptr;
};

// Replicas of hourglassd on an empty database of their own, with software P-256 keys in one folder,
// each with the rest of what ServiceProcess has. For one thread at a time.
class Cell {
 public:
  // With its tenants, and settled. Cluster and standby must outlive it. Errors: as StartService and
  // PostgresqlCluster.
  static absl::StatusOr<std::unique_ptr<Cell>> Start(const CellOptions& options);

  // The load goes to the replicas in turn, on so many connections to each. A window lasts longer
  // where no certificate would have come back in it. Errors: as service_cost.h's MeasureCost, and
  // of the database.
  absl::StatusOr<CellCost> Measure(const LoadOptions& load, const LoadWindow& window);

  // SIGTERM to all, and the database is dropped, so that a standby has not to copy it. Errors:
  // INTERNAL where one does not end well, and of the database.
  absl::Status Stop();

 private:
  explicit Cell(const CellOptions& options) : options_(options) {}
  absl::Status MakeDatabase();
  absl::Status DropDatabase();
  absl::Status StartReplicas();
  std::string StoreOf(int replica) const;
  std::vector<ServiceProcess*> Processes() const;
  absl::StatusOr<CellCounters> Count();
  absl::Status CountInDatabase(CellCounters& counters);

  const CellOptions options_;
  TemporaryDirectory directory_;
  std::string database_;
  std::unique_ptr<issuance::postgresql::Connection> superuser_;
  LoadedService first_;
  std::vector<std::unique_ptr<ServiceProcess>> others_;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REPLICAS_CELL_H_
