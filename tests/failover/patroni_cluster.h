// A PostgreSQL cluster of the test's own with fail-over: three servers under Patroni, and etcd.
#ifndef HOURGLASS_TESTS_FAILOVER_PATRONI_CLUSTER_H_
#define HOURGLASS_TESTS_FAILOVER_PATRONI_CLUSTER_H_

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/engine/connection_parameters.h"
#include "tests/failover/gate.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/subprocess.h"

namespace hourglass::failover {

enum class Replication {
  kSynchronous,   // as docs/fail-over.md has it
  kAsynchronous,  // the same without synchronous_mode: what was acknowledged may be lost
};

// Runs the files of docs/fail-over.md, with addresses, ports, folders and certificates of its own
// and one etcd, in a temporary folder that goes with this object. Each cluster has addresses of
// loopback by chance, and free ports. Run by root its programs run as `nobody`, for which a test
// must not be in the sandbox (tag no-sandbox). Clients, and each Patroni with etcd, speak through
// gates; the servers with each other directly. What is started ends with this object, and with the
// thread that started it, also when that is killed. For one thread at a time.
//
// The BUILD rule must name //docs:fail-over.md and //tests/failover:end_together in `data`.
class PatroniCluster {
 public:
  static constexpr int kNodes = 3;
  static constexpr char kDatabase[] = "hourglass";

  // With a leader, both standbys following, and the database with the schema prepared. Errors:
  // INTERNAL_ERROR with what is missing, or the ends of the logs.
  static absl::StatusOr<std::unique_ptr<PatroniCluster>> Start(Replication replication);
  ~PatroniCluster();
  PatroniCluster(const PatroniCluster&) = delete;
  PatroniCluster& operator=(const PatroniCluster&) = delete;

  // `db1` for node 0.
  static std::string NameOf(int node);

  // The node that etcd says leads now; nothing where none does, or etcd does not answer.
  std::optional<int> Leader();
  // Waits until one that is not `other_than` leads, takes writes and has a standby, with
  // kSynchronous a named synchronous one. Errors: INTERNAL_ERROR after three minutes.
  absl::StatusOr<int> WaitForLeader(std::optional<int> other_than = std::nullopt);
  // The same, and both others follow it.
  absl::StatusOr<int> WaitUntilWhole();

  // SIGKILL to all of the node's processes at once. Start again: StartNode.
  void Kill(int node);
  void StartNode(int node);
  // SIGSTOP and SIGCONT to all of them. They stand when Pause returns.
  void Pause(int node);
  void Resume(int node);
  // Its Patroni stands still, and etcd does not reach it any more, nor, if so, clients. Its
  // PostgreSQL runs, and standbys stay connected to it.
  enum class Clients { kStay, kAreCutOff };
  void Isolate(int node, Clients clients);
  void Rejoin(int node);
  // Its processes that send its log to standbys stand: whatever it commits now is known to nobody
  // else. The error is of one that has none.
  absl::Status StopSending(int node);

  // Where clients find the servers: the gates.
  const std::vector<Endpoint>& servers() const { return servers_; }
  const std::string& ca_file() const { return tls_.trusted_roots_file(); }
  // To whichever of them leads, through the gates.
  issuance::postgresql::ConnectionParameters ServiceOf(const std::string& database) const;
  static std::string service_user() { return "service"; }
  static std::string service_password() { return "of the service"; }

  // What the document says to look at the cluster with, in the place of this node.
  CommandResult LookAt(int node) const;
  // The last lines of all logs: of etcd, and of each Patroni with its PostgreSQL.
  std::string EndsOfLogs() const;

 private:
  struct Node {
    Endpoint postgresql;
    Endpoint rest;
    std::unique_ptr<Gate> to_etcd;
    std::unique_ptr<Gate> to_postgresql;
    std::unique_ptr<BackgroundProcess> process;
  };

  explicit PatroniCluster(Replication replication) : replication_(replication) {}
  absl::Status Make();
  absl::Status MakeFolder();
  absl::Status MakeNetwork();
  absl::Status StartEtcd(const std::string& configuration);
  absl::Status MakeDatabase(int leader);
  std::string ConfigurationOf(int node, const std::string& configuration) const;
  std::string ConfigurationFile(int node) const {
    return absl::StrCat(folder_, "/", NameOf(node), ".yml");
  }
  absl::StatusOr<std::string> WriteForAccount(const std::string& name, const std::string& content);
  std::unique_ptr<BackgroundProcess> RunAsAccount(const std::vector<std::string>& command,
                                                  const std::string& log) const;
  CommandResult AskEtcd(const std::vector<std::string>& question) const;  // by etcdctl
  // Whether it takes writes, and so many standbys follow.
  bool Leads(int node, int standbys) const;
  // Whether etcd says who may take over, which Patroni writes there some seconds after the server
  // has the standby's name. Until then nobody takes over.
  bool HasSuccessor(int leader) const;
  absl::StatusOr<int> WaitFor(std::optional<int> other_than, int standbys);
  issuance::postgresql::ConnectionParameters SuperuserOf(int node,
                                                         const std::string& database) const;
  std::string Log(const std::string& name) const { return folder_ + "/" + name + ".log"; }

  const Replication replication_;
  MutualTls tls_;
  std::string folder_;
  std::string network_;  // `127.1.2.`
  Endpoint etcd_;
  Endpoint etcd_peers_;
  std::unique_ptr<BackgroundProcess> etcd_process_;
  std::array<Node, kNodes> nodes_;
  std::vector<Endpoint> servers_;
};

}  // namespace hourglass::failover

#endif  // HOURGLASS_TESTS_FAILOVER_PATRONI_CLUSTER_H_
