// Replicas of hourglassd on a cluster that fails over.
#ifndef HOURGLASS_TESTS_FAILOVER_REPLICAS_H_
#define HOURGLASS_TESTS_FAILOVER_REPLICAS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/failover/patroni_cluster.h"
#include "tests/support/daemon.h"
#include "tests/support/subprocess.h"

namespace hourglass::failover {

inline constexpr char kTenant[] = "contoso";

// What the configuration says of a synchronous standby: nothing, which demands one, or that there
// is none.
enum class Standby { kRequired, kWaived };

// Two replicas, which share one token as they would a network HSM. For one thread at a time. They
// end with the thread that started them.
//
// The BUILD rule must name //tools/hourglassd in `data`.
class Replicas {
 public:
  static constexpr int kCount = 2;

  // Writes the configurations; starts nothing yet. `cluster` must outlive this.
  Replicas(const PatroniCluster& cluster, Standby standby);

  // Starts all. False where one ends instead of serving.
  bool Start();
  // SIGTERM to all; whether all ended with exit code 0.
  bool Stop();
  // `hourglassd` with this option, such as `--check-database`, and the configuration of the first.
  CommandResult Try(const std::string& option) const;

  // Their addresses, `host:port`, once they were started.
  const std::vector<std::string>& addresses() const { return addresses_; }
  // What speaks to this one from now on.
  ServiceClient& client(int replica);
  // The callers' credentials and requests, also without a replica.
  ServiceClient& callers() { return files_; }

  std::string LogOf(int replica) const;
  // Whether it says so within two minutes.
  bool WaitForLog(int replica, const std::string& text);

 private:
  // Their files, keys and policies; the program itself runs as the replicas.
  class Files final : public Daemon {
   public:
    using ServiceClient::Connect;
  };

  std::string ConfigFile(int replica) const;

  Files files_;
  std::vector<std::unique_ptr<BackgroundProcess>> processes_;
  std::vector<std::string> addresses_;
};

}  // namespace hourglass::failover

#endif  // HOURGLASS_TESTS_FAILOVER_REPLICAS_H_
