// A process with all that it has started.
#ifndef HOURGLASS_TESTS_FAILOVER_PROCESS_TREE_H_
#define HOURGLASS_TESTS_FAILOVER_PROCESS_TREE_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace hourglass::failover {

struct RunningProcess {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = 0;     // as proc(5): 'T' where it stands
  std::string title;  // what its command line says, which PostgreSQL writes what it does to
};

// Those below `root`, without itself and without those that have ended; parents before children.
std::vector<RunningProcess> DescendantsOf(pid_t root);

// SIGSTOP to all of these. They stand when it returns, or have ended.
void Stop(const std::vector<RunningProcess>& processes);

// SIGSTOP to all below `root`, and to those that these start meanwhile.
void StopDescendants(pid_t root);
void ContinueDescendants(pid_t root);

}  // namespace hourglass::failover

#endif  // HOURGLASS_TESTS_FAILOVER_PROCESS_TREE_H_
