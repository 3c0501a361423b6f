#include "issuance/server/service_state.h"

#include <set>
#include <string>
#include <vector>

#include "absl/memory/memory.h"
#include "hsm/base/status_macros.h"
#include "issuance/authorities/open_tenants.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/sqlite/sqlite_time_records.h"

namespace hourglass::issuance {
namespace {

SqliteStoreOptions StoreOptions(const EventLog& log) {
  SqliteStoreOptions options;
  options.upkeep_observer = [log](const absl::Status& status) {
    if (status.ok()) {
      log.Info("journal_upkeep_recovered", {});
    } else {
      log.Failure("journal_upkeep_failed", {{"message", status.message()}});
    }
  };
  options.set_aside_observer = [log](const std::string& path) {
    log.Warning("journal_segment_set_aside", {{"file", path}});
  };
  return options;
}

// A tenant without upn_domains may speak for the users of any other.
absl::Status TellOpenTenants(const Config& config, Store& store, const EventLog& log) {
  ASSIGN_OR_RETURN(const std::vector<TenantRecord> tenants, store.ListTenants());
  std::set<std::string> ids;
  for (const TenantRecord& tenant : tenants) ids.insert(tenant.tenant_id);
  const std::vector<std::string> open = TenantsOfAnyDomain(config, ids);
  if (open.empty()) return absl::OkStatus();
  log.Warning("upn_domains_missing",
              {{"tenants", TenantsInWords(open)}, {"count", std::to_string(open.size())}});
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServiceState>> ServiceState::Start(const Config& config,
                                                                  const Clock* wall,
                                                                  const KernelTime* kernel,
                                                                  const EventLog& log) {
  std::unique_ptr<ServiceState> state = absl::WrapUnique(new ServiceState());
  const std::string path = SqliteStorePath(config.data_directory);
  ASSIGN_OR_RETURN(state->store_, OpenSqliteStore(path, StoreOptions(log)));
  RETURN_IF_ERROR(TellOpenTenants(config, *state->store_, log));
  ASSIGN_OR_RETURN(state->records_, OpenSqliteTimeRecords(path));
  ASSIGN_OR_RETURN(state->clock_, TimeGuard::Create(state->records_.get(), wall, kernel, log));
  state->clock_->Watch();
  return state;
}

}  // namespace hourglass::issuance
