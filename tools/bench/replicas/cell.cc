#include "tools/bench/replicas/cell.h"

#include <sys/stat.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tools/bench/service/process_usage.h"

namespace hourglass::bench {
namespace {

using issuance::postgresql::Connection;
using issuance::postgresql::Rows;

constexpr char kPasswordFile[] = "db.password";

}  // namespace

absl::StatusOr<std::unique_ptr<Cell>> Cell::Start(const CellOptions& options) {
  std::unique_ptr<Cell> cell(new Cell(options));
  if (options.cluster != nullptr) RETURN_IF_ERROR(cell->MakeDatabase());
  RETURN_IF_ERROR(cell->StartReplicas());
  return cell;
}

absl::Status Cell::MakeDatabase() {
  ASSIGN_OR_RETURN(database_, options_.cluster->CreatePreparedDatabase());
  ASSIGN_OR_RETURN(superuser_, Connection::Open(options_.cluster->SuperuserOf(database_)));
  const std::string password = options_.cluster->TlsServiceOf(database_).password;
  chmod(directory_.Write(kPasswordFile, absl::StrCat(password, "\n")).c_str(), S_IRUSR | S_IWUSR);
  return absl::OkStatus();
}

absl::Status Cell::StartReplicas() {
  const std::string keys = directory_.File("keys");
  mkdir(keys.c_str(), S_IRWXU);
  ServiceOptions options = {.program = options_.program,
                            .keys = absl::StrCat("{software_directory: ", keys, "}"),
                            .policies = options_.policies};
  if (options_.cluster != nullptr) options.store = StoreOf(0);
  ASSIGN_OR_RETURN(first_, StartService(options, v1::EC_P256, options_.tenants));
  options.tenant_ids = TenantIds(options_.tenants);
  for (int i = 1; i < options_.replicas; ++i) {
    options.store = StoreOf(i);
    others_.push_back(std::make_unique<ServiceProcess>(options));
    RETURN_IF_ERROR(others_.back()->Start());
  }
  for (const auto& other : others_) other->WaitUntilSettled();
  return absl::OkStatus();
}

std::string Cell::StoreOf(int replica) const {
  const auto service = options_.cluster->TlsServiceOf(database_);
  std::string store = absl::StrCat("{postgresql: {replica: berlin-", replica + 1,
                                   ", servers: [\"127.0.0.1:", service.servers.front().port,
                                   "\"], database: ", database_, ", user: ", service.user,
                                   ", password_file: ", directory_.File(kPasswordFile),
                                   ", ca_file: ", service.ca_file);
  if (options_.standby == nullptr) {
    absl::StrAppend(&store,
                    ", synchronous_standby: waived, waiver_reason: a benchmark with one server");
  }
  return store + "}}";
}

std::vector<ServiceProcess*> Cell::Processes() const {
  std::vector<ServiceProcess*> processes = {first_.process.get()};
  for (const auto& other : others_) processes.push_back(other.get());
  return processes;
}

absl::Status Cell::CountInDatabase(CellCounters& counters) {
  ASSIGN_OR_RETURN(Rows rows,
                   superuser_->Query("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, "
                                     "(SELECT xact_commit FROM pg_stat_database WHERE datname = "
                                     "current_database()), "
                                     "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"));
  rows.Next();
  counters.log_octets = static_cast<double>(rows.TakeInteger());
  counters.commits = static_cast<double>(rows.TakeInteger());
  counters.writes = static_cast<double>(rows.TakeInteger());
  return absl::OkStatus();
}

absl::StatusOr<CellCounters> Cell::Count() {
  CellCounters counters;
  if (options_.cluster != nullptr) {
    RETURN_IF_ERROR(CountInDatabase(counters));
    counters.postgresql = CpuMicrosecondsWithChildren(options_.cluster->pid());
  }
  if (options_.standby != nullptr) {
    counters.standby = CpuMicrosecondsWithChildren(options_.standby->pid());
  }
  for (const ServiceProcess* process : Processes()) {
    counters.hourglassd += CpuMicroseconds(process->pid());
  }
  counters.generator = CpuMicroseconds(getpid());
  counters.machine = MachineBusyMicroseconds();
  return counters;
}

absl::StatusOr<CellCost> Cell::Measure(const LoadOptions& load, const LoadWindow& window) {
  std::vector<LoadTarget> targets;
  for (ServiceProcess* process : Processes()) targets.push_back(process->Target());
  ASSIGN_OR_RETURN(const auto generator, StartLoad(targets, first_.pool, load));
  std::this_thread::sleep_for(window.warm_up);
  generator->Begin();
  ASSIGN_OR_RETURN(const CellCounters before, Count());
  std::this_thread::sleep_for(window.duration);
  WaitForACertificate(*generator);
  ASSIGN_OR_RETURN(const CellCounters after, Count());
  LoadResult result = generator->End();
  RETURN_IF_ERROR(CheckLoad(first_, result));
  return CostOf(std::move(result), before, after, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
}

absl::Status Cell::Stop() {
  absl::Status status;
  for (ServiceProcess* process : Processes()) status.Update(process->Stop());
  if (options_.cluster != nullptr) status.Update(DropDatabase());
  return status;
}

absl::Status Cell::DropDatabase() {
  superuser_.reset();
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> superuser,
                   Connection::Open(options_.cluster->SuperuserOf("postgres")));
  return superuser->Execute(absl::StrCat("DROP DATABASE ", database_, " WITH (FORCE)"));
}

}  // namespace hourglass::bench
