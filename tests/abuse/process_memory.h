// How much memory a process takes.
#ifndef HOURGLASS_TESTS_ABUSE_PROCESS_MEMORY_H_
#define HOURGLASS_TESTS_ABUSE_PROCESS_MEMORY_H_

namespace hourglass {

// Resident memory of a process in MB, now and at its peak (VmRSS and VmHWM of proc(5)); 0 where it
// is gone.
double ResidentMegabytes(int pid);
double PeakMegabytes(int pid);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_ABUSE_PROCESS_MEMORY_H_
