// The faults of a cell.
#ifndef HOURGLASS_TESTS_CHAOS_FAULTS_H_
#define HOURGLASS_TESTS_CHAOS_FAULTS_H_

#include <string>
#include <vector>

#include "tests/chaos/cell.h"
#include "tests/chaos/fault_lane.h"

namespace hourglass::chaos {

// Kinds, as they are counted.
inline constexpr char kReplicaKilled[] = "replica killed";
inline constexpr char kReplicaStopped[] = "replica stopped";
inline constexpr char kReplicaPaused[] = "replica paused";
inline constexpr char kClockOffWithin[] = "clock off within the bound";
inline constexpr char kClockOffBeyond[] = "clock off beyond the bound";
inline constexpr char kConnectionsCut[] = "connections cut";
inline constexpr char kConnectionsHalfOpen[] = "connections half-open";
inline constexpr char kAnswersLost[] = "answers lost";
inline constexpr char kConnectionsHeld[] = "connections held";
inline constexpr char kConnectionsDelayed[] = "connections delayed";
inline constexpr char kDatabaseCrashed[] = "database crashed";
inline constexpr char kDatabaseRestarted[] = "database restarted";
inline constexpr char kDatabasePaused[] = "database paused";

// All of these.
std::vector<std::string> AllFaultKinds();

// Lanes that run at once, so that it happens to several parts together: what happens to replicas,
// and to their connections to the database; `cell` must outlive them.
std::vector<FaultLane> FaultLanesOfReplicas(Cell& cell);
// What happens to the database. Its server ends when the thread ends that runs this lane.
FaultLane FaultLaneOfDatabase(Cell& cell);

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_FAULTS_H_
