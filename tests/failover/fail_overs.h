// The ways to lose a leader.
#ifndef HOURGLASS_TESTS_FAILOVER_FAIL_OVERS_H_
#define HOURGLASS_TESTS_FAILOVER_FAIL_OVERS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/failover/brokers.h"
#include "tests/failover/patroni_cluster.h"

namespace hourglass::failover {

enum class FailOverKind {
  // All its processes are killed; then its machine comes back.
  kKilled,
  // etcd and clients do not reach it any more, and its Patroni stands still; its standbys stay
  // connected to it.
  kIsolated,
  // The same, but that clients go on to write to it.
  kIsolatedFromEtcd,
  // All its processes stand, and go on where they were when another leads.
  kPaused,
};

std::vector<FailOverKind> AllFailOverKinds();
// For people.
std::string FailOverName(FailOverKind kind);

// Takes the leader away, waits until another leads and each replica issues certificates again,
// promotes a root, brings the old leader back, and waits until it follows. Errors: those of the
// cluster and the brokers.
absl::Status DoFailOver(FailOverKind kind, PatroniCluster& cluster, Brokers& brokers);

}  // namespace hourglass::failover

#endif  // HOURGLASS_TESTS_FAILOVER_FAIL_OVERS_H_
