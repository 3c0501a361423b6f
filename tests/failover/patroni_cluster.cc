#include "tests/failover/patroni_cluster.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/engine/schema.h"
#include "tests/failover/patroni_files.h"
#include "tests/failover/process_tree.h"
#include "tests/support/as_account.h"
#include "tests/support/document_commands.h"
#include "tests/support/loopback.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::failover {
namespace {

using issuance::postgresql::Connection;
using issuance::postgresql::ConnectionParameters;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kDocument[] = "docs/fail-over.md";
constexpr char kEndTogether[] = "tests/failover/end_together";
// As the document has it.
constexpr char kSuperuserPassword[] = "of the superuser";
constexpr char kOwnerPassword[] = "of the owner";
// Machines that run tests may be busy.
constexpr std::chrono::minutes kPatience(3);
constexpr milliseconds kPause(100);
constexpr std::size_t kEndOfLog = 3000;
// A base backup streams, too.
constexpr char kStandbys[] =
    "SELECT FROM pg_stat_replication WHERE state = 'streaming' AND application_name LIKE 'db_'";

absl::Status Failed(absl::string_view what) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat("PatroniCluster: ", what));
}

// Whether `is_so()` became true.
template <typename Predicate>
bool WaitUntil(const Predicate& is_so) {
  for (const auto end = steady_clock::now() + kPatience; steady_clock::now() < end;) {
    if (is_so()) return true;
    std::this_thread::sleep_for(kPause);
  }
  return false;
}

std::string EndOf(const std::string& path) {
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) return "";
  const std::string all = ReadFileOrDie(path);
  return all.size() <= kEndOfLog ? all : all.substr(all.size() - kEndOfLog);
}

}  // namespace

std::string PatroniCluster::NameOf(int node) { return absl::StrCat("db", node + 1); }

absl::StatusOr<std::unique_ptr<PatroniCluster>> PatroniCluster::Start(Replication replication) {
  for (const char* program : {"/usr/bin/patroni", "/usr/bin/etcd", "/usr/bin/etcdctl",
                              "/usr/lib/postgresql/15/bin/postgres"}) {
    if (access(program, X_OK) != 0) return Failed(absl::StrCat(program, " is not installed"));
  }
  std::unique_ptr<PatroniCluster> cluster(new PatroniCluster(replication));
  RETURN_IF_ERROR(cluster->Make());
  return cluster;
}

PatroniCluster::~PatroniCluster() {
  for (int node = 0; node < kNodes; ++node) Kill(node);
  if (etcd_process_ != nullptr) etcd_process_->Stop(SIGTERM);
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

absl::Status PatroniCluster::Make() {
  RETURN_IF_ERROR(MakeFolder());
  RETURN_IF_ERROR(MakeNetwork());
  DocumentCommands document(kDocument);
  RETURN_IF_ERROR(StartEtcd(document.Take("etcd.yml")));
  const std::string configuration = document.Take("patroni.yml");
  for (int node = 0; node < kNodes; ++node) {
    const std::string name = NameOf(node);
    RETURN_IF_ERROR(WriteForAccount(name + ".yml", ConfigurationOf(node, configuration)).status());
    StartNode(node);
  }
  ASSIGN_OR_RETURN(const int leader, WaitUntilWhole());
  return MakeDatabase(leader);
}

absl::Status PatroniCluster::MakeFolder() {
  // Not under TEST_TMPDIR: a socket's path may have at most 107 characters, and the other account
  // must reach it.
  std::string folder = "/tmp/hourglass-patroni.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return Failed("no folder can be made in /tmp");
  folder_ = folder;
  RETURN_IF_ERROR(GiveToNobody(folder_));
  for (int node = 0; node < kNodes; ++node) {
    const std::string of_node = absl::StrCat(folder_, "/", NameOf(node));
    if (mkdir(of_node.c_str(), S_IRWXU) != 0) return Failed(of_node);
    RETURN_IF_ERROR(GiveToNobody(of_node));
  }
  return absl::OkStatus();
}

absl::Status PatroniCluster::MakeNetwork() {
  std::random_device random;
  std::uniform_int_distribution<int> octet(1, 254);
  network_ = absl::StrCat("127.", octet(random), ".", octet(random), ".");
  const std::string of_etcd = network_ + "4";
  etcd_ = {of_etcd, FreePort(of_etcd)};
  etcd_peers_ = {of_etcd, FreePort(of_etcd)};
  std::string names = absl::StrCat("IP:", of_etcd);
  for (int i = 0; i < kNodes; ++i) {
    Node& node = nodes_[static_cast<std::size_t>(i)];
    const std::string address = absl::StrCat(network_, i + 1);
    const std::string to_etcd = absl::StrCat(network_, i + 11);
    const std::string to_postgresql = absl::StrCat(network_, i + 21);
    node.postgresql = {address, FreePort(address)};
    node.rest = {address, FreePort(address)};
    ASSIGN_OR_RETURN(node.to_etcd, Gate::Make(to_etcd, etcd_));
    ASSIGN_OR_RETURN(node.to_postgresql, Gate::Make(to_postgresql, node.postgresql));
    servers_.push_back(node.to_postgresql->endpoint());
    absl::StrAppend(&names, ",IP:", address, ",IP:", to_etcd, ",IP:", to_postgresql);
  }
  const TlsCredential credential = tls_.PeerFor(names);
  for (const auto& [name, file] : {std::pair("node.pem", credential.certificate_file),
                                   std::pair("node.key", credential.private_key_file),
                                   std::pair("ca.pem", tls_.trusted_roots_file())}) {
    RETURN_IF_ERROR(WriteForAccount(name, ReadFileOrDie(file)).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> PatroniCluster::WriteForAccount(const std::string& name,
                                                            const std::string& content) {
  return WriteForNobody(absl::StrCat(folder_, "/", name), content);
}

std::unique_ptr<BackgroundProcess> PatroniCluster::RunAsAccount(
    const std::vector<std::string>& command, const std::string& log) const {
  std::vector<std::string> whole = {kEndTogether};
  if (IsRoot()) {
    whole.insert(whole.end(), {"setpriv", absl::StrCat("--reuid=", kNobody),
                               absl::StrCat("--regid=", kNobody), "--clear-groups"});
  }
  // Nothing of the test's environment: a PGPASSWORD would be taken for that of standbys. Nor its
  // folder, where Patroni starts no server if the account may not enter it.
  whole.insert(whole.end(), {"env", "-i", "-C", folder_, "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8",
                             absl::StrCat("HOME=", folder_)});
  whole.insert(whole.end(), command.begin(), command.end());
  return std::make_unique<BackgroundProcess>(whole, log);
}

absl::Status PatroniCluster::StartEtcd(const std::string& configuration) {
  ASSIGN_OR_RETURN(
      const std::string file,
      WriteForAccount("etcd.yml", EtcdConfiguration(configuration, {etcd_, etcd_peers_, folder_})));
  etcd_process_ = RunAsAccount({"etcd", "--config-file", file}, Log("etcd"));
  const bool answers = WaitUntil(
      [this] { return !etcd_process_->Running() || AskEtcd({"cluster-health"}).exit_code == 0; });
  if (answers && etcd_process_->Running()) return absl::OkStatus();
  return Failed(absl::StrCat("etcd does not start:\n", EndsOfLogs()));
}

std::string PatroniCluster::ConfigurationOf(int index, const std::string& configuration) const {
  const Node& node = nodes_[static_cast<std::size_t>(index)];
  const PatroniPlace place = {NameOf(index), node.postgresql, node.rest, node.to_etcd->endpoint(),
                              folder_};
  const std::string text = PatroniConfiguration(configuration, place);
  return replication_ == Replication::kSynchronous ? text : Asynchronous(text);
}

absl::Status PatroniCluster::MakeDatabase(int leader) {
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<Connection> superuser,
                     Connection::Open(SuperuserOf(leader, "postgres")));
    RETURN_IF_ERROR(superuser->Execute(
        absl::StrCat("CREATE ROLE owner LOGIN PASSWORD '", kOwnerPassword, "'; CREATE ROLE ",
                     service_user(), " LOGIN PASSWORD '", service_password(), "'")));
    RETURN_IF_ERROR(
        superuser->Execute(absl::StrCat("CREATE DATABASE ", kDatabase, " OWNER owner")));
  }
  ConnectionParameters parameters = SuperuserOf(leader, kDatabase);
  parameters.user = "owner";
  parameters.password = kOwnerPassword;
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> owner, Connection::Open(parameters));
  return issuance::postgresql::PrepareSchema(*owner, service_user(),
                                             issuance::postgresql::Migrations());
}

ConnectionParameters PatroniCluster::ServiceOf(const std::string& database) const {
  ConnectionParameters parameters;
  for (const Endpoint& server : servers_) {
    parameters.servers.push_back({server.address, server.port});
  }
  parameters.database = database;
  parameters.user = service_user();
  parameters.password = service_password();
  parameters.ca_file = ca_file();
  parameters.operation_timeout = std::chrono::seconds(30);
  return parameters;
}

ConnectionParameters PatroniCluster::SuperuserOf(int node, const std::string& database) const {
  ConnectionParameters parameters = ServiceOf(database);
  const Endpoint& server = nodes_[static_cast<std::size_t>(node)].postgresql;
  parameters.servers = {{server.address, server.port}};
  parameters.user = "postgres";
  parameters.password = kSuperuserPassword;
  return parameters;
}

CommandResult PatroniCluster::AskEtcd(const std::vector<std::string>& question) const {
  std::vector<std::string> command = {"etcdctl",
                                      "--endpoints",
                                      absl::StrCat("https://", etcd_.InWords()),
                                      "--ca-file",
                                      folder_ + "/ca.pem",
                                      "--cert-file",
                                      folder_ + "/node.pem",
                                      "--key-file",
                                      folder_ + "/node.key"};
  command.insert(command.end(), question.begin(), question.end());
  return RunCommand(command, "", {"ETCDCTL_API=2"});
}

std::optional<int> PatroniCluster::Leader() {
  const CommandResult said = AskEtcd({"get", "/service/hourglass/leader"});
  for (int node = 0; node < kNodes; ++node) {
    if (said.exit_code == 0 && said.output == NameOf(node) + "\n") return node;
  }
  return std::nullopt;
}

bool PatroniCluster::Leads(int node, int standbys) const {
  const auto superuser = Connection::Open(SuperuserOf(node, "postgres"));
  if (!superuser.ok()) return false;
  const std::string is_named =
      replication_ == Replication::kSynchronous
          ? absl::StrCat(
                "current_setting('synchronous_standby_names') NOT IN ('', '*') AND EXISTS (",
                kStandbys, " AND sync_state = 'sync')")
          : "true";
  const auto answer = (*superuser)
                          ->QueryInteger(absl::StrCat("SELECT NOT pg_is_in_recovery() AND ",
                                                      is_named, " AND (SELECT count(*) FROM (",
                                                      kStandbys, ") AS standbys) >= ", standbys));
  return answer.ok() && *answer != 0;
}

bool PatroniCluster::HasSuccessor(int leader) const {
  if (replication_ == Replication::kAsynchronous) return true;
  const std::string said = AskEtcd({"get", "/service/hourglass/sync"}).output;
  return absl::StrContains(said, absl::StrCat("\"leader\":\"", NameOf(leader), "\"")) &&
         absl::StrContains(said, "\"sync_standby\":\"db");
}

absl::StatusOr<int> PatroniCluster::WaitFor(std::optional<int> other_than, int standbys) {
  std::optional<int> leader;
  const bool found = WaitUntil([&] {
    leader = Leader();
    return leader.has_value() && leader != other_than && Leads(*leader, standbys) &&
           HasSuccessor(*leader);
  });
  if (found) return *leader;
  return Failed(absl::StrCat("no server leads with ", standbys, " standbys:\n", EndsOfLogs()));
}

absl::StatusOr<int> PatroniCluster::WaitForLeader(std::optional<int> other_than) {
  return WaitFor(other_than, 1);
}

absl::StatusOr<int> PatroniCluster::WaitUntilWhole() { return WaitFor(std::nullopt, kNodes - 1); }

void PatroniCluster::StartNode(int index) {
  Node& node = nodes_[static_cast<std::size_t>(index)];
  const std::string name = NameOf(index);
  node.process = RunAsAccount({"patroni", ConfigurationFile(index)}, Log(name));
}

void PatroniCluster::Kill(int index) {
  Node& node = nodes_[static_cast<std::size_t>(index)];
  if (node.process == nullptr) return;
  node.process->Stop(SIGTERM);
  node.process.reset();
}

void PatroniCluster::Pause(int node) {
  StopDescendants(nodes_[static_cast<std::size_t>(node)].process->pid());
}

void PatroniCluster::Resume(int node) {
  ContinueDescendants(nodes_[static_cast<std::size_t>(node)].process->pid());
}

void PatroniCluster::Isolate(int index, Clients clients) {
  Node& node = nodes_[static_cast<std::size_t>(index)];
  std::vector<RunningProcess> processes = DescendantsOf(node.process->pid());
  std::erase_if(processes, [&](const RunningProcess& process) {
    return process.parent != node.process->pid() ||
           !absl::StrContains(process.title, "bin/patroni ");
  });
  node.to_etcd->Shut();
  if (clients == Clients::kAreCutOff) node.to_postgresql->Shut();
  Stop(processes);
}

void PatroniCluster::Rejoin(int index) {
  Node& node = nodes_[static_cast<std::size_t>(index)];
  node.to_etcd->Open();
  node.to_postgresql->Open();
  ContinueDescendants(node.process->pid());
}

absl::Status PatroniCluster::StopSending(int node) {
  std::vector<RunningProcess> processes =
      DescendantsOf(nodes_[static_cast<std::size_t>(node)].process->pid());
  std::erase_if(processes, [](const RunningProcess& process) {
    return !absl::StrContains(process.title, "walsender");
  });
  if (processes.empty()) return Failed(absl::StrCat(NameOf(node), " sends to nobody"));
  Stop(processes);
  return absl::OkStatus();
}

CommandResult PatroniCluster::LookAt(int node) const {
  DocumentCommands document(kDocument);
  const std::string script = absl::StrReplaceAll(
      document.Take("look at the cluster"), {{"/etc/patroni/config.yml", ConfigurationFile(node)}});
  return RunCommand({"env", "-i", "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "bash", "-ec", script});
}

std::string PatroniCluster::EndsOfLogs() const {
  std::string ends;
  for (const std::string name : {"etcd", "db1", "db2", "db3"}) {
    absl::StrAppend(&ends, "--- ", name, "\n", EndOf(Log(name)), "\n");
  }
  return ends;
}

}  // namespace hourglass::failover
