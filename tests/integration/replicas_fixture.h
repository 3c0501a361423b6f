// docs/replicas.md on one machine: PostgreSQL, and replicas of hourglassd on it.
#ifndef HOURGLASS_TESTS_INTEGRATION_REPLICAS_FIXTURE_H_
#define HOURGLASS_TESTS_INTEGRATION_REPLICAS_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "issuance/store/postgresql/engine/connection_parameters.h"
#include "tests/support/daemon.h"
#include "tests/support/document_commands.h"
#include "tests/support/document_shell.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

// Whether a broker asks again, under the same request id.
bool IsWorthAnotherTry(const grpc::Status& status);

// A PostgreSQL server without the database and its roles, and the files of replicas, which share
// one token as they would a network HSM. What the documents call /etc/hourglass/hourglassd.yaml is
// the configuration of berlin-1. The BUILD rule must name //docs:replicas.md, //tools/hourglass and
// //tools/hourglassd in `data`, and the test must not be in the sandbox.
class ReplicasFixture : public testing::Test {
 protected:
  static constexpr char kHourglass[] = "tools/hourglass/hourglass";
  static constexpr char kFirst[] = "berlin-1";
  static constexpr char kDatabase[] = "hourglass";

  struct Replica {
    std::unique_ptr<BackgroundProcess> process;
    std::string address;
    std::string metrics_address;  // empty without metrics
  };

  void SetUp() override;

  // Runs the block of this name, which must succeed; what it says.
  std::string Run(const std::string& name) { return Run(replicas_page_, name); }
  std::string Run(DocumentCommands& document, const std::string& name);
  DocumentShell& shell() { return shell_; }
  DocumentCommands& replicas_page() { return replicas_page_; }

  std::string ConfigFile(const std::string& replica) const;
  // The configuration of one machine, on SQLite.
  void WriteConfigOfOneMachine(const std::string& data_directory);
  // The same with what the document adds for replicas.
  void WriteConfig(const std::string& replica);

  // Starts it, and waits until it serves.
  void StartReplica(const std::string& name);
  // SIGTERM; it must end well.
  void StopReplica(const std::string& name);
  Replica& replica(const std::string& name) { return replicas_[name]; }

  // Who is asked from now on: by `cli.yaml`, and by daemon().
  void PointClientAt(const std::string& address);
  ServiceClient& client() { return daemon_; }
  const Daemon& daemon() const { return daemon_; }
  // As a broker: again, under the same request id, until it is issued.
  v1::IssueCertificateResponse IssueAtLast(const v1::IssueCertificateRequest& request);

  // As the role that owns the tables.
  issuance::postgresql::ConnectionParameters OwnersConnection() const;
  const TemporaryDirectory& files() const { return files_; }

 private:
  // Its files and callers; the program itself runs as the replicas.
  class Files final : public Daemon {
   public:
    using ServiceClient::Connect;
  };

  void WriteSecret(const std::string& name, const std::string& secret);
  std::string BaseOf(const std::string& replica) const;
  void Systemctl(const std::string& arguments);

  DocumentCommands replicas_page_{"docs/replicas.md"};
  DocumentShell shell_{[this](const std::string& arguments) { Systemctl(arguments); }};
  TemporaryDirectory files_;
  Files daemon_;
  std::string base_, client_lines_;
  std::unique_ptr<PostgresqlCluster> cluster_;
  std::map<std::string, Replica> replicas_;
  int starts_ = 0;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_INTEGRATION_REPLICAS_FIXTURE_H_
