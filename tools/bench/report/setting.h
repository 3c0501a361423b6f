// Where and how a benchmark ran.
#ifndef HOURGLASS_TOOLS_BENCH_REPORT_SETTING_H_
#define HOURGLASS_TOOLS_BENCH_REPORT_SETTING_H_

#include <string>
#include <vector>

namespace hourglass::bench {

struct Setting {
  std::string date = {};       // of the start: `2026-11-20T16:00:00Z`
  std::string processor = {};  // as the kernel names it
  int cores = 0;
  double load = 0;  // of the last minute, in processors, when the run began
  std::string kernel = {};
  bool optimised = true;
  bool quick = false;

  // Why its figures are not to be trusted, a line each.
  std::vector<std::string> Warnings() const;
};

// Of this process, now.
Setting ObserveSetting(bool quick);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REPORT_SETTING_H_
