#include "tests/failover/fail_overs.h"

#include "absl/status/statusor.h"
#include "hsm/base/status_macros.h"

namespace hourglass::failover {
namespace {

// From each replica, before and after.
constexpr int kCertificates = 10;

void TakeAway(FailOverKind kind, PatroniCluster& cluster, int leader) {
  switch (kind) {
    case FailOverKind::kKilled:
      return cluster.Kill(leader);
    case FailOverKind::kIsolated:
      return cluster.Isolate(leader, PatroniCluster::Clients::kAreCutOff);
    case FailOverKind::kIsolatedFromEtcd:
      return cluster.Isolate(leader, PatroniCluster::Clients::kStay);
    case FailOverKind::kPaused:
      return cluster.Pause(leader);
  }
}

void BringBack(FailOverKind kind, PatroniCluster& cluster, int node) {
  switch (kind) {
    case FailOverKind::kKilled:
      return cluster.StartNode(node);
    case FailOverKind::kIsolated:
    case FailOverKind::kIsolatedFromEtcd:
      return cluster.Rejoin(node);
    case FailOverKind::kPaused:
      return cluster.Resume(node);
  }
}

}  // namespace

std::vector<FailOverKind> AllFailOverKinds() {
  return {FailOverKind::kKilled, FailOverKind::kIsolated, FailOverKind::kIsolatedFromEtcd,
          FailOverKind::kPaused};
}

std::string FailOverName(FailOverKind kind) {
  switch (kind) {
    case FailOverKind::kKilled:
      return "leader killed";
    case FailOverKind::kIsolated:
      return "leader isolated, its standbys still connected";
    case FailOverKind::kIsolatedFromEtcd:
      return "leader isolated from etcd, its standbys and clients still connected";
    case FailOverKind::kPaused:
      return "leader paused";
  }
  return "";
}

absl::Status DoFailOver(FailOverKind kind, PatroniCluster& cluster, Brokers& brokers) {
  ASSIGN_OR_RETURN(const int leader, cluster.WaitUntilWhole());
  RETURN_IF_ERROR(brokers.WaitForCertificates(kCertificates));
  TakeAway(kind, cluster, leader);
  RETURN_IF_ERROR(cluster.WaitForLeader(leader).status());
  RETURN_IF_ERROR(brokers.WaitForCertificates(kCertificates));
  RETURN_IF_ERROR(brokers.Promote());
  BringBack(kind, cluster, leader);
  return cluster.WaitUntilWhole().status();
}

}  // namespace hourglass::failover
