#include "tests/support/postgresql_standby.h"

#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "tests/support/as_account.h"
#include "tests/support/postgresql_programs.h"

namespace hourglass {
namespace {

using issuance::postgresql::Connection;

constexpr char kName[] = "standby";
constexpr char kReady[] = "database system is ready to accept read-only connections";
constexpr int kPatienceSeconds = 60;

absl::Status Failed(const std::string& what) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat("PostgresqlStandby: ", what));
}

// That every COMMIT waits for it. ALTER SYSTEM stands in no transaction with other statements.
absl::Status BeWaitedFor(const PostgresqlCluster& cluster) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> superuser,
                   Connection::Open(cluster.SuperuserOf("postgres")));
  RETURN_IF_ERROR(superuser->Execute(
      absl::StrCat("ALTER SYSTEM SET synchronous_standby_names = '", kName, "'")));
  RETURN_IF_ERROR(superuser->Execute("SELECT pg_reload_conf()"));
  return WaitUntilTrue(*superuser, absl::StrCat("SELECT count(*) FROM pg_stat_replication WHERE "
                                                "application_name = '",
                                                kName, "' AND sync_state = 'sync'"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresqlStandby>> PostgresqlStandby::Start(
    const PostgresqlCluster& cluster, const std::string& parent) {
  std::unique_ptr<PostgresqlStandby> standby(new PostgresqlStandby);
  std::string folder = parent + "/hourglass-pg.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    return Failed(absl::StrCat("no folder can be made in ", parent));
  }
  standby->folder_ = folder;
  RETURN_IF_ERROR(GiveToNobody(folder));
  RETURN_IF_ERROR(standby->Copy(cluster));
  RETURN_IF_ERROR(standby->Follow());
  RETURN_IF_ERROR(BeWaitedFor(cluster));
  return standby;
}

PostgresqlStandby::~PostgresqlStandby() {
  if (process_ != nullptr) process_->Stop(SIGQUIT);
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

absl::Status PostgresqlStandby::Copy(const PostgresqlCluster& cluster) {
  const auto superuser = cluster.SuperuserOf("postgres");
  // --no-sync: of the copy alone. The server that runs on it syncs.
  const CommandResult copied = RunCommand(PostgresqlCommand(
      "pg_basebackup",
      {"--pgdata", folder_ + "/data", "--write-recovery-conf", "--wal-method", "stream",
       "--checkpoint", "fast", "--no-sync", "--dbname",
       absl::StrCat("host=", superuser.servers.front().host,
                    " port=", superuser.servers.front().port, " user=", superuser.user,
                    " password=", superuser.password, " application_name=", kName)}));
  if (copied.exit_code == 0) return absl::OkStatus();
  return Failed(absl::StrCat("pg_basebackup failed: ", copied.output));
}

absl::Status PostgresqlStandby::Follow() {
  // The port is the cluster's, so this one listens on its socket alone.
  process_ = std::make_unique<BackgroundProcess>(
      PostgresqlCommand("postgres", {"-D", folder_ + "/data", "-c", "listen_addresses=", "-c",
                                     absl::StrCat("unix_socket_directories=", folder_)}),
      folder_ + "/log");
  if (process_->WaitForLog(kReady, kPatienceSeconds)) return absl::OkStatus();
  return Failed(absl::StrCat("it does not start: ", process_->Log()));
}

}  // namespace hourglass
