#include "tests/support/postgresql_cluster.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/engine/schema.h"
#include "tests/support/as_account.h"
#include "tests/support/loopback.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/postgresql_programs.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using issuance::postgresql::Connection;
using issuance::postgresql::ConnectionParameters;

constexpr char kReady[] = "database system is ready to accept connections";
constexpr char kReadyToRead[] = "database system is ready to accept read-only connections";
constexpr char kSuperuserPassword[] = "superuser-secret";
constexpr char kOwnerPassword[] = "owner-secret";
constexpr char kServicePassword[] = "service-secret";

absl::Status Failed(absl::string_view what) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat("PostgresqlCluster: ", what));
}

// What follows `(name) ` in /proc/PID/stat: the state, the parent; empty where there is no process.
std::vector<std::string> StateOf(const std::string& pid) {
  std::ifstream in(absl::StrCat("/proc/", pid, "/stat"));
  const std::string line((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const std::size_t end_of_name = line.rfind(") ");
  if (end_of_name == std::string::npos) return {};
  return absl::StrSplit(line.substr(end_of_name + 2), ' ');
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    int pid = 0;
    if (!absl::SimpleAtoi(name, &pid)) continue;
    const std::vector<std::string> state = StateOf(name);
    if (state.size() > 1 && state[1] == absl::StrCat(parent)) children.push_back(pid);
  }
  return children;
}

void Stop(pid_t pid) {
  kill(pid, SIGSTOP);
  // Until it is off the processor: a signal to another process takes effect a little later.
  for (;;) {
    const std::vector<std::string> state = StateOf(absl::StrCat(pid));
    if (state.empty() || state[0] == "T" || state[0] == "Z" || state[0] == "X") return;
    const timespec a_millisecond = {0, 1'000'000};
    nanosleep(&a_millisecond, nullptr);
  }
}

class RunningCluster final : public PostgresqlCluster {
 public:
  explicit RunningCluster(const PostgresqlClusterOptions& options) : options_(options) {}
  ~RunningCluster() override {
    if (process_ != nullptr) Crash().IgnoreError();
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  absl::Status Make();

  absl::StatusOr<std::string> CreateDatabase() override;
  absl::StatusOr<std::string> CreatePreparedDatabase() override;
  ConnectionParameters OwnerOf(const std::string& database) const override {
    return OverSocket(database, "owner", kOwnerPassword);
  }
  ConnectionParameters ServiceOf(const std::string& database) const override {
    return OverSocket(database, "service", kServicePassword);
  }
  ConnectionParameters TlsServiceOf(const std::string& database) const override;
  ConnectionParameters SuperuserOf(const std::string& database) const override {
    return OverSocket(database, "postgres", kSuperuserPassword);
  }

  pid_t pid() const override { return process_->pid(); }
  absl::Status Crash() override { return End(SIGQUIT); }
  absl::Status ShutDown() override { return End(SIGINT); }
  absl::Status Run() override;
  absl::Status RunPromoted() override;
  void Pause() override;
  void Resume() override;

 private:
  // By a signal that pg_ctl would send.
  absl::Status End(int signal);
  ConnectionParameters OverSocket(const std::string& database, const std::string& user,
                                  const std::string& password) const;
  absl::Status Initialize();
  absl::Status WriteConfiguration();
  absl::StatusOr<std::string> WriteForAccount(const std::string& name, const std::string& content);
  // False where somebody else has the port. Ready where the log says so.
  absl::StatusOr<bool> RunOnPort(const std::string& ready = kReady);
  absl::Status ExecuteAsSuperuser(const std::string& sql);

  const PostgresqlClusterOptions options_;
  MutualTls tls_;
  // Not under TEST_TMPDIR: a socket's path may have at most 107 characters, and the other account
  // must reach it.
  std::string folder_;
  int port_ = 0;
  int runs_ = 0;
  std::unique_ptr<BackgroundProcess> process_;
  std::vector<pid_t> paused_;
  std::atomic<int> databases_ = 0;
};

absl::Status RunningCluster::Make() {
  RETURN_IF_ERROR(CheckPostgresqlPrograms());
  RETURN_IF_ERROR(Initialize());
  // The port may be taken between the look and the start.
  for (int tries = 0; tries < 10; ++tries) {
    port_ = FreePort("127.0.0.1");
    RETURN_IF_ERROR(WriteConfiguration());
    ASSIGN_OR_RETURN(const bool runs, RunOnPort());
    if (!runs) continue;
    return ExecuteAsSuperuser(absl::StrCat("CREATE ROLE owner LOGIN PASSWORD '", kOwnerPassword,
                                           "'; CREATE ROLE service LOGIN PASSWORD '",
                                           kServicePassword, "'"));
  }
  return Failed("no free port");
}

absl::StatusOr<std::string> RunningCluster::WriteForAccount(const std::string& name,
                                                            const std::string& content) {
  return WriteForNobody(absl::StrCat(folder_, "/", name), content);
}

absl::Status RunningCluster::Initialize() {
  std::string folder = options_.parent + "/hourglass-pg.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    return Failed(absl::StrCat("no folder can be made in ", options_.parent));
  }
  folder_ = folder;
  RETURN_IF_ERROR(GiveToNobody(folder_));
  ASSIGN_OR_RETURN(const std::string password_file,
                   WriteForAccount("password", kSuperuserPassword));
  // --no-sync: of initdb alone. The server that runs on it syncs.
  const CommandResult made = RunCommand(PostgresqlCommand(
      "initdb", {"--pgdata", absl::StrCat(folder_, "/data"), "--username", "postgres", "--auth",
                 "scram-sha-256", "--pwfile", password_file, "--encoding", "UTF8", "--locale", "C",
                 "--data-checksums", "--no-instructions", "--no-sync"}));
  if (made.exit_code != 0) return Failed(absl::StrCat("initdb failed: ", made.output));
  const TlsCredential server = tls_.ServerFor("DNS:db.test,IP:127.0.0.1");
  for (const auto& [name, file] : {std::pair("server.pem", server.certificate_file),
                                   std::pair("server.key", server.private_key_file)}) {
    RETURN_IF_ERROR(WriteForAccount(name, ReadFileOrDie(file)).status());
  }
  return WriteForAccount("data/pg_hba.conf",
                         "local all all scram-sha-256\n"
                         "local replication postgres scram-sha-256\n"
                         "hostssl all all 127.0.0.0/8 scram-sha-256\n")
      .status();
}

absl::Status RunningCluster::WriteConfiguration() {
  return WriteForAccount(
             "data/postgresql.conf",
             absl::StrCat("listen_addresses = '127.0.0.1'\nport = ", port_,
                          "\nunix_socket_directories = '", folder_,
                          "'\nssl = on\nssl_cert_file = '", folder_,
                          "/server.pem'\nssl_key_file = '", folder_,
                          "/server.key'\nmax_connections = 100\nshared_buffers = 16MB\n"
                          "log_checkpoints = off\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n",
                          options_.settings))
      .status();
}

absl::StatusOr<bool> RunningCluster::RunOnPort(const std::string& ready) {
  // A log for each run, so that the last one does not say that this one is ready.
  const std::string log = absl::StrCat(folder_, "/log", ++runs_);
  process_ = std::make_unique<BackgroundProcess>(
      PostgresqlCommand("postgres", {"-D", absl::StrCat(folder_, "/data")}), log);
  if (process_->WaitForLog(ready, 60)) return true;
  const std::string said = process_->Log();
  process_.reset();
  if (absl::StrContains(said, "Address already in use")) return false;
  return Failed(absl::StrCat("the server does not start: ", said));
}

absl::Status RunningCluster::ExecuteAsSuperuser(const std::string& sql) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> superuser,
                   Connection::Open(SuperuserOf("postgres")));
  return superuser->Execute(sql);
}

absl::StatusOr<std::string> RunningCluster::CreateDatabase() {
  const std::string name = absl::StrCat("test", ++databases_);
  RETURN_IF_ERROR(ExecuteAsSuperuser(absl::StrCat("CREATE DATABASE ", name, " OWNER owner")));
  return name;
}

absl::StatusOr<std::string> RunningCluster::CreatePreparedDatabase() {
  ASSIGN_OR_RETURN(const std::string name, CreateDatabase());
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> owner, Connection::Open(OwnerOf(name)));
  RETURN_IF_ERROR(
      issuance::postgresql::PrepareSchema(*owner, "service", issuance::postgresql::Migrations()));
  return name;
}

ConnectionParameters RunningCluster::OverSocket(const std::string& database,
                                                const std::string& user,
                                                const std::string& password) const {
  ConnectionParameters parameters;
  parameters.servers = {{folder_, port_}};
  parameters.database = database;
  parameters.user = user;
  parameters.password = password;
  parameters.transport = issuance::postgresql::Transport::kPlain;
  // Machines that run tests may be busy.
  parameters.connect_timeout = std::chrono::seconds(30);
  parameters.operation_timeout = std::chrono::seconds(30);
  return parameters;
}

ConnectionParameters RunningCluster::TlsServiceOf(const std::string& database) const {
  ConnectionParameters parameters = ServiceOf(database);
  parameters.servers = {{"db.test", port_, "127.0.0.1"}};
  parameters.transport = issuance::postgresql::Transport::kTls;
  parameters.ca_file = tls_.trusted_roots_file();
  return parameters;
}

absl::Status RunningCluster::End(int signal) {
  if (process_ == nullptr) return Failed("the server does not run");
  Resume();
  process_->Stop(signal);
  process_.reset();
  return absl::OkStatus();
}

absl::Status RunningCluster::Run() {
  if (process_ != nullptr) return Failed("the server runs already");
  ASSIGN_OR_RETURN(const bool runs, RunOnPort());
  return runs ? absl::OkStatus() : Failed("somebody else has taken the server's port");
}

absl::Status RunningCluster::RunPromoted() {
  if (process_ != nullptr) RETURN_IF_ERROR(Crash());
  RETURN_IF_ERROR(WriteForAccount("data/standby.signal", "").status());
  ASSIGN_OR_RETURN(const bool runs, RunOnPort(kReadyToRead));
  if (!runs) return Failed("somebody else has taken the server's port");
  const CommandResult promoted =
      RunCommand(PostgresqlCommand("pg_ctl", {"promote", "-D", absl::StrCat(folder_, "/data")}));
  if (promoted.exit_code != 0) return Failed(absl::StrCat("pg_ctl promote: ", promoted.output));
  return process_->WaitForLog(kReady, 60) ? absl::OkStatus() : Failed("it is not promoted");
}

void RunningCluster::Pause() {
  // The first starts no more of the others then.
  Stop(process_->pid());
  paused_ = {process_->pid()};
  for (const pid_t child : ChildrenOf(process_->pid())) {
    Stop(child);
    paused_.push_back(child);
  }
}

void RunningCluster::Resume() {
  for (const pid_t pid : paused_) kill(pid, SIGCONT);
  paused_.clear();
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresqlCluster>> PostgresqlCluster::Start(
    const PostgresqlClusterOptions& options) {
  auto cluster = std::make_unique<RunningCluster>(options);
  RETURN_IF_ERROR(cluster->Make());
  return cluster;
}

PostgresqlCluster& PostgresqlCluster::Shared() {
  static const std::unique_ptr<PostgresqlCluster> shared = [] {
    absl::StatusOr<std::unique_ptr<PostgresqlCluster>> started = Start();
    if (started.ok()) return *std::move(started);
    std::fprintf(stderr, "%s\n", started.status().ToString().c_str());
    std::abort();
  }();
  return *shared;
}

absl::Status WaitUntilTrue(Connection& connection, absl::string_view sql,
                           absl::Span<const issuance::postgresql::Value> values) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < end) {
    ASSIGN_OR_RETURN(const std::int64_t is_true, connection.QueryInteger(sql, values));
    if (is_true != 0) return absl::OkStatus();
  }
  return Failed(absl::StrCat("it never became true: ", sql));
}

}  // namespace hourglass
