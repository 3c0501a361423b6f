// What clients hold, compared with what the leader knows.
#ifndef HOURGLASS_TESTS_FAILOVER_JUDGEMENT_H_
#define HOURGLASS_TESTS_FAILOVER_JUDGEMENT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/failover/patroni_cluster.h"
#include "tests/failover/replicas.h"
#include "tests/history/summary.h"
#include "tests/history/violation.h"

namespace hourglass::failover {

struct Judgement {
  history::Summary summary;
  std::vector<history::Violation> violations;

  // How often this rule was broken.
  int Broken(history::Rule rule) const;
};

// Reads what the cluster's leader has into `folder`/journal.jsonl, and judges it beside the logs of
// the brokers there (tests/history/checker.h). To be called once nobody writes any more. Errors:
// those of the store, and of files that cannot be read.
absl::StatusOr<Judgement> Judge(const PatroniCluster& cluster, Standby standby,
                                const std::string& folder);

}  // namespace hourglass::failover

#endif  // HOURGLASS_TESTS_FAILOVER_JUDGEMENT_H_
