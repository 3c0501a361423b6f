// What processes cost, as the kernel counts it (proc(5)).
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_PROCESS_USAGE_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_PROCESS_USAGE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace hourglass::bench {

// CPU time of all threads there are and were, in microseconds; 0 for a process that is gone.
double CpuMicroseconds(pid_t process);
double CpuMicroseconds(const std::vector<pid_t>& processes);

// The processes that this one has started and that still run.
std::vector<pid_t> ChildrenOf(pid_t process);

// Of the process, of its children that run, and, to a hundredth of a second, of those that ended
// and that it waited for.
double CpuMicrosecondsWithChildren(pid_t process);

// Resident memory in MB (10^6 octets); 0 for a process that is gone.
double ResidentMegabytes(pid_t process);
double ResidentMegabytes(const std::vector<pid_t>& processes);

struct Written {
  double by_calls = 0;  // octets given to write(2) and its kin, not to sockets by sendmsg(2)
  double to_disk = 0;   // octets of pages made dirty
};
// Nothing where the kernel does not tell this user.
std::optional<Written> WrittenBy(pid_t process);

// CPU time of the whole machine that was not idle, in microseconds, to a hundredth of a second.
double MachineBusyMicroseconds();

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_PROCESS_USAGE_H_
