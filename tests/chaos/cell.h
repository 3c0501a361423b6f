// A cell: a PostgreSQL server, the replicas of hourglassd on it, their keys, and proxies between
// replicas and database.
#ifndef HOURGLASS_TESTS_CHAOS_CELL_H_
#define HOURGLASS_TESTS_CHAOS_CELL_H_

#include <grpcpp/grpcpp.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/chaos/proxy.h"
#include "tests/chaos/replica.h"
#include "tests/chaos/seeded_fault.h"
#include "tests/support/daemon.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::chaos {

inline constexpr int kReplicas = 3;

// Of the two tenants that are asked for certificates one has its leaves signed by its roots, the
// other by issuing sub-keys. Nobody asks the third for any, so that its roots can be retired at
// once.
inline constexpr char kTenant[] = "contoso";
inline constexpr char kSubKeyTenant[] = "northwind";
inline constexpr char kQuietTenant[] = "fabrikam";

// All keys are files in one folder, which every replica sees at once, as it would see those of a
// network HSM. One SoftHSM token will not do: of processes that make keys in it at the same moment
// one may not see another's until the next is made (a change of the token's generation file is
// missed by who changes it itself), and refuses with KEY_NOT_FOUND meanwhile.
//
// The test's BUILD rule must name //tools/hourglassd in `data`, and must not be in the sandbox.
class Cell {
 public:
  // With all replicas serving, and no tenant. The database notes when transactions commit. `seed`
  // is that of the proxies; `log_folder` takes what replicas write, a file for each start. Errors:
  // as PostgresqlCluster, Proxy and Replica.
  static absl::StatusOr<std::unique_ptr<Cell>> Start(std::uint64_t seed, SeededFault fault,
                                                     const std::string& log_folder);

  // Each of these for one thread at a time. Stopped or changed, the database is not asked.
  PostgresqlCluster& database() { return *database_; }
  Proxy& proxy(int replica) { return *proxies_[static_cast<std::size_t>(replica)]; }
  Replica& replica(int replica) { return *replicas_[static_cast<std::size_t>(replica)]; }

  // Safe to call from several threads, as is what follows.
  const Replica& replica(int replica) const {
    return *replicas_[static_cast<std::size_t>(replica)];
  }
  // Of the database that the replicas share.
  const std::string& database_name() const { return database_name_; }
  // What a caller of TestCallers() shows to the service: those that chaos has.
  const grpc::SslCredentialsOptions& CredentialsOf(absl::string_view caller) const;
  // A sound request of alice on laptop-1 for a key of its own; without tenant and request id.
  v1::IssueCertificateRequest MakeRequest();

 private:
  // Its files and callers; the program itself runs as the replicas.
  class Files final : public Daemon {};

  Cell() = default;
  absl::Status StartDatabase(SeededFault fault);
  absl::Status StartReplicas(std::uint64_t seed, SeededFault fault, const std::string& log_folder);
  std::string ConfigurationOf(int port) const;

  Files files_;
  std::map<std::string, grpc::SslCredentialsOptions> credentials_;
  std::unique_ptr<PostgresqlCluster> database_;
  std::string database_name_;
  std::vector<std::unique_ptr<Proxy>> proxies_;
  std::vector<std::unique_ptr<Replica>> replicas_;
};

// One client's connections to the replicas, each made anew when the replica has another address.
// For one thread at a time; the channels for several.
class Connections {
 public:
  Connections(const Cell* cell, std::string caller) : cell_(cell), caller_(std::move(caller)) {}

  std::shared_ptr<grpc::Channel> To(int replica);
  // As history::Call has it: which of the replicas, whatever its address is.
  const std::string& NameOf(int replica) const { return cell_->replica(replica).name(); }

 private:
  struct Connection {
    std::string address;
    std::shared_ptr<grpc::Channel> channel;
  };

  const Cell* const cell_;
  const std::string caller_;
  std::array<Connection, kReplicas> connections_;
};

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_CELL_H_
