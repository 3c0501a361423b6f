// What every part of the benchmark is told.
#ifndef HOURGLASS_TOOLS_BENCH_REPORT_OPTIONS_H_
#define HOURGLASS_TOOLS_BENCH_REPORT_OPTIONS_H_

#include <string>

namespace hourglass::bench {

struct Options {
  // Only shows that everything works: a few seconds a part, on two cores and in a build without
  // optimisation too. Its figures are judged by nobody.
  bool quick = false;
  // An empty directory on the disk that is to be measured, absolute; removed afterwards with what
  // the parts leave in it.
  std::string scratch_directory = {};
  // Absolute paths of the programs.
  std::string hourglassd = {};
  std::string keyholder = {};
};

// A line on standard error for whoever waits: what is measured now.
void Progress(const std::string& line);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REPORT_OPTIONS_H_
