// Charts that compare figures of several measurements with each other.
#ifndef HOURGLASS_TOOLS_BENCH_REPORT_OVERVIEW_H_
#define HOURGLASS_TOOLS_BENCH_REPORT_OVERVIEW_H_

#include "tools/bench/report/report.h"

namespace hourglass::bench {

// Adds to `report` what can be drawn of its figures:
// - `budget`: where the microseconds of a certificate go, a bar for the library with P-256 and one
//   for each kind of keys of the service, keyholders included: the floor, what the library adds to
//   it with a root's key of that type, and what the service adds to the library.
// - `scale`: server CPU per certificate in each size of an installation: that of the smallest, and
//   what it costs more.
void AddOverview(Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REPORT_OVERVIEW_H_
