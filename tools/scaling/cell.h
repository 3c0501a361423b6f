// A simulated cell: a database with its replicas, under load.
#ifndef HOURGLASS_TOOLS_SCALING_CELL_H_
#define HOURGLASS_TOOLS_SCALING_CELL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tools/scaling/model.h"
#include "tools/scaling/simulation.h"

namespace hourglass::scaling {

// The share of the time, or of what it can give, that a part was in use.
struct Use {
  double replica_cores = 0;
  double lanes = 0;
  double commits = 0;  // under way, of those that may be
  double database_cores = 0;
  double flushes = 0;   // one serves all that wait: 1 does not mean that no more can be given
  double log_disk = 0;  // of the octets that it takes
  double hsm = 0;
};

struct Outcome {
  double asked_per_second = 0;
  double issued_per_second = 0;
  double refused_share = 0;
  // From when a request was due to its certificate; NaN without any.
  double mean_us = 0;
  double median_us = 0;
  double p99_us = 0;
  Use use;
  double batch = 0;                    // requests, on average
  double commits_per_certificate = 0;  // of which one serves many
  double core_us_per_certificate = 0;  // of the replicas, the generator's included
};

struct Span {
  Time warm_up = std::chrono::seconds(1);
  Time measured = std::chrono::seconds(4);
};

// The same for the same arguments. `load.per_second` comes at random moments and goes to a replica
// at random: of devices that have moments of their own, no two of which depend on each other, none
// comes twice within a run, which is shorter than the time between two renewals.
Outcome Simulate(const CellModel& cell, const Load& load, std::uint64_t seed,
                 const Span& span = {});

// With as many requests under way as lanes hold and may wait: the most that the cell gives.
Outcome Saturate(const CellModel& cell, std::uint64_t seed, const Span& span = {});

// The part that keeps a saturated cell from giving more, in words.
std::string FirstLimit(const Use& saturated);

}  // namespace hourglass::scaling

#endif  // HOURGLASS_TOOLS_SCALING_CELL_H_
