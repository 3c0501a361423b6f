// What a process holds of the machine.
#ifndef HOURGLASS_TESTS_ABUSE_MIXED_FOOTPRINT_H_
#define HOURGLASS_TESTS_ABUSE_MIXED_FOOTPRINT_H_

namespace hourglass {

struct Footprint {
  double megabytes = 0;       // resident, VmRSS of proc(5)
  double peak_megabytes = 0;  // VmHWM
  int sockets = 0;            // descriptors of them
  // Descriptors of files below a folder `data`: the store has more of them the longer its journal
  // is, up to some for each of the segments' readers that it keeps.
  int data_files = 0;
  int other_descriptors = 0;
  int threads = 0;
};

// All 0 where the process is gone.
Footprint FootprintOf(int pid);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_ABUSE_MIXED_FOOTPRINT_H_
