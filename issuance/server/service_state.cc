#include "issuance/server/service_state.h"

#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/authorities/open_tenants.h"
#include "issuance/server/store_connection.h"
#include "issuance/store/postgresql/postgresql_store.h"
#include "issuance/store/postgresql/postgresql_time_records.h"
#include "issuance/store/postgresql/replicas.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/sqlite/sqlite_time_records.h"

namespace hourglass::issuance {
namespace {

SqliteStoreOptions SqliteOptions(const EventLog& log) {
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

absl::StatusOr<ReplicaRecord> OwnRecord(const Config& config,
                                        const ServiceState::Machine& machine) {
  constexpr std::size_t kRunIdSize = 16;
  ReplicaRecord own;
  if (config.store.postgresql.has_value()) own.name = config.store.postgresql->replica;
  ASSIGN_OR_RETURN(const std::string random, machine.entropy->Take(kRunIdSize));
  own.run_id = absl::BytesToHexString(random);
  own.program_version = config.program_version;
  own.address = config.listen;
  own.started_at = machine.wall->Now();
  return own;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServiceState>> ServiceState::Start(const Config& config,
                                                                  const Machine& machine,
                                                                  const EventLog* log) {
  std::unique_ptr<ServiceState> state = absl::WrapUnique(new ServiceState(log));
  ASSIGN_OR_RETURN(state->own_, OwnRecord(config, machine));
  const std::optional<PostgresqlConfig>& postgresql = config.store.postgresql;
  RETURN_IF_ERROR(postgresql.has_value()
                      ? state->OpenPostgresql(*postgresql, config.journal.retention)
                      : state->OpenSqlite(config));
  if (config.program == Program::kHourglassd) {
    RETURN_IF_ERROR(TellOpenTenants(config, *state->store_, *log));
  }
  ASSIGN_OR_RETURN(state->guard_,
                   TimeGuard::Create(state->records_.get(), machine.wall, machine.kernel, *log));
  state->guard_->Watch();
  if (postgresql.has_value()) RETURN_IF_ERROR(state->JoinReplicas(*postgresql, machine));
  return state;
}

absl::Status ServiceState::OpenSqlite(const Config& config) {
  const std::string path = SqliteStorePath(config.data_directory);
  ASSIGN_OR_RETURN(store_, OpenSqliteStore(path, SqliteOptions(log_)));
  log_.Info("store_opened", {{"kind", "sqlite"}, {"file", path}});
  ASSIGN_OR_RETURN(records_, OpenSqliteTimeRecords(path));
  return absl::OkStatus();
}

absl::Status ServiceState::OpenPostgresql(const PostgresqlConfig& config,
                                          std::optional<std::chrono::seconds> retention) {
  PostgresqlStoreOptions options;
  ASSIGN_OR_RETURN(options.connection, ConnectionOf(config));
  options.demands = DemandsOf(config);
  options.pool = {config.connections, config.connections};
  options.partition_span = PartitionSpanFor(retention);
  options.upkeep_observer = [this](const absl::Status& status) { health_.Report(status); };
  options.timeline_observer = [this](const std::string& message) {
    health_.ReportTimeline(message);
  };
  ASSIGN_OR_RETURN(store_, OpenPostgresqlStore(options));
  ASSIGN_OR_RETURN(aside_,
                   postgresql::ConnectionPool::Open(options.connection, options.demands, {1, 1}));
  records_ = MakePostgresqlTimeRecords(aside_.get(), config.replica);
  replicas_ = std::make_unique<Replicas>(aside_.get());
  return TellOfDatabase(config);
}

absl::Status ServiceState::TellOfDatabase(const PostgresqlConfig& config) const {
  ASSIGN_OR_RETURN(const DatabaseRecord database, replicas_->Describe());
  log_.Info("store_opened", {{"kind", "postgresql"},
                             {"replica", config.replica},
                             {"server", database.address},
                             {"version", database.version},
                             {"system_identifier", database.system_identifier},
                             {"timeline", absl::StrCat(database.timeline)},
                             {"synchronous_standby_names", database.synchronous_standby_names}});
  if (config.demands_standby()) return absl::OkStatus();
  log_.Warning("synchronous_standby_waived",
               {{"reason", config.waiver_reason},
                {"message",
                 "certificates may be forgotten with the database's server: store.postgresql."
                 "synchronous_standby"}});
  return absl::OkStatus();
}

absl::Status ServiceState::JoinReplicas(const PostgresqlConfig& config, const Machine& machine) {
  compared_.emplace(guard_.get(), machine.kernel, config.largest_clock_difference, log_);
  ASSIGN_OR_RETURN(watch_, ReplicaWatch::Start(own_, {.directory = replicas_.get(),
                                                      .clock = &*compared_,
                                                      .wall = machine.wall,
                                                      .kernel = machine.kernel,
                                                      .log = &log_,
                                                      .wait = [](std::chrono::seconds length) {
                                                        std::this_thread::sleep_for(length);
                                                      }}));
  watch_->Watch();
  return absl::OkStatus();
}

const DoubtfulClock* ServiceState::clock() const {
  if (compared_.has_value()) return &*compared_;
  return guard_.get();
}

bool ServiceState::IsServing() const {
  return clock()->TrustedNow().ok() && (watch_ == nullptr || !watch_->IsCutOff());
}

}  // namespace hourglass::issuance
