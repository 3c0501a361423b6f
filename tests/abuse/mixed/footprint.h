// What a process holds of the machine.
#ifndef HOURGLASS_TESTS_ABUSE_MIXED_FOOTPRINT_H_
#define HOURGLASS_TESTS_ABUSE_MIXED_FOOTPRINT_H_

namespace hourglass {

struct Footprint {
  double megabytes = 0;       // resident, VmRSS of proc(5)
  double peak_megabytes = 0;  // VmHWM
  int sockets = 0;            // descriptors of them
  int other_descriptors = 0;  // files of the journal among them, which grow in number
  int threads = 0;
};

// All 0 where the process is gone.
Footprint FootprintOf(int pid);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_ABUSE_MIXED_FOOTPRINT_H_
