#include "tests/failover/judgement.h"

#include <algorithm>
#include <memory>

#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/postgresql_store.h"
#include "tests/history/checker.h"
#include "tests/history/history_folder.h"
#include "tests/history/service/store_history.h"

namespace hourglass::failover {

int Judgement::Broken(history::Rule rule) const {
  return static_cast<int>(
      std::count_if(violations.begin(), violations.end(),
                    [rule](const history::Violation& one) { return one.rule == rule; }));
}

absl::StatusOr<Judgement> Judge(const PatroniCluster& cluster, Standby standby,
                                const std::string& folder) {
  issuance::PostgresqlStoreOptions options;
  options.connection = cluster.ServiceOf(PatroniCluster::kDatabase);
  options.demands.synchronous_standby = standby == Standby::kRequired;
  ASSIGN_OR_RETURN(const std::unique_ptr<issuance::Store> store,
                   issuance::OpenPostgresqlStore(options));
  ASSIGN_OR_RETURN(const history::TenantHistory tenant,
                   history::ReadTenantHistory(*store, kTenant));
  RETURN_IF_ERROR(history::WriteJournal(folder, {tenant}));
  ASSIGN_OR_RETURN(const history::History history, history::ReadHistory(folder));
  Judgement judgement;
  judgement.violations = history::Check(history);
  judgement.summary = history::Summarize(history, judgement.violations);
  return judgement;
}

}  // namespace hourglass::failover
