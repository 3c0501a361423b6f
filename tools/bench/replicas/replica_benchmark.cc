#include "tools/bench/replicas/replica_benchmark.h"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/postgresql_standby.h"
#include "tools/bench/replicas/cell.h"
#include "tools/bench/replicas/cell_figures.h"
#include "tools/bench/service/saturation.h"
#include "tools/bench/service/scratch.h"

namespace hourglass::bench {
namespace {

// Memory as a server of its own would have at least, and room for the log of the whole run: no
// checkpoint falls into a window, but one that the clock calls for.
constexpr char kSettings[] = "shared_buffers = 256MB\nmax_wal_size = 4GB\n";

struct ReplicaEffort {
  LoadWindow alone;
  LoadWindow trial;
  LoadWindow window;
  std::vector<int> outstanding_levels;  // that are tried, where there are several
  std::vector<int> replicas;
  // Not a multiple of any number of replicas: each of these is asked for every tenant.
  int tenants;
};

ReplicaEffort ReplicaEffortOf(bool quick) {
  using std::chrono::milliseconds;
  if (quick) {
    const LoadWindow window = {milliseconds(200), milliseconds(400)};
    return {window, window, window, {32}, {1, 3}, 1};
  }
  return {{milliseconds(500), milliseconds(3000)},
          {milliseconds(500), milliseconds(1500)},
          {milliseconds(1000), milliseconds(8000)},
          {64, 128, 256, 512},
          {1, 2, 3},
          7};
}

absl::StatusOr<int> BestOutstanding(Cell& cell, const ReplicaEffort& effort) {
  int best = effort.outstanding_levels.front();
  if (effort.outstanding_levels.size() == 1) return best;
  double most = 0;
  for (const int outstanding : effort.outstanding_levels) {
    ASSIGN_OR_RETURN(const CellCost cost, cell.Measure(ClosedLoad(outstanding), effort.trial));
    if (cost.load.CertificatesPerSecond() <= most) continue;
    most = cost.load.CertificatesPerSecond();
    best = outstanding;
  }
  return best;
}

class Replicas {
 public:
  explicit Replicas(const Options& options)
      : options_(options), effort_(ReplicaEffortOf(options.quick)) {}

  absl::Status Measure() {
    // First, so that they have settled when they are needed.
    policies_ = std::make_shared<TenantPolicies>(TenantIds(effort_.tenants));
    // Before the first measurement, so that a program that is missing is told of at once.
    ASSIGN_OR_RETURN(
        const auto cluster,
        PostgresqlCluster::Start({.parent = options_.scratch_directory, .settings = kSettings}));
    RETURN_IF_ERROR(MeasureCell("SQLite", {}));
    for (const int replicas : effort_.replicas) {
      RETURN_IF_ERROR(MeasureCell(
          absl::StrCat("PostgreSQL, ", replicas, replicas == 1 ? " replica" : " replicas"),
          {.replicas = replicas, .cluster = cluster.get()}));
    }
    ASSIGN_OR_RETURN(const auto standby,
                     PostgresqlStandby::Start(*cluster, options_.scratch_directory));
    return MeasureCell("PostgreSQL and standby, 1 replica",
                       {.cluster = cluster.get(), .standby = standby.get()});
  }

  const std::vector<MeasuredCell>& measured() const { return measured_; }

 private:
  absl::Status MeasureCell(const std::string& name, CellOptions cell_options) {
    Progress(absl::StrCat("  ", name));
    cell_options.program = options_.hourglassd;
    cell_options.tenants = effort_.tenants;
    cell_options.policies = policies_;
    ASSIGN_OR_RETURN(const std::unique_ptr<Cell> cell, Cell::Start(cell_options));
    MeasuredCell measured = {.name = name,
                             .replicas = cell_options.replicas,
                             .has_postgresql = cell_options.cluster != nullptr,
                             .has_standby = cell_options.standby != nullptr};
    LoadOptions alone = ClosedLoad(1);
    alone.connections = 1;
    ASSIGN_OR_RETURN(measured.alone, cell->Measure(alone, effort_.alone));
    ASSIGN_OR_RETURN(measured.outstanding, BestOutstanding(*cell, effort_));
    ASSIGN_OR_RETURN(measured.saturated,
                     cell->Measure(ClosedLoad(measured.outstanding), effort_.window));
    measured_.push_back(std::move(measured));
    return cell->Stop();
  }

  const Options& options_;
  const ReplicaEffort effort_;
  std::shared_ptr<const TenantPolicies> policies_;
  std::vector<MeasuredCell> measured_;
};

}  // namespace

absl::Status MeasureReplicas(const Options& options, Report& report) {
  const TemporaryDirectoriesIn scratch(options.scratch_directory);
  Replicas replicas(options);
  const absl::Status status = replicas.Measure();
  ReportCells(replicas.measured(), static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)), report);
  return status;
}

}  // namespace hourglass::bench
