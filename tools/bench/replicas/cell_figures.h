// What is reported of measured cells.
#ifndef HOURGLASS_TOOLS_BENCH_REPLICAS_CELL_FIGURES_H_
#define HOURGLASS_TOOLS_BENCH_REPLICAS_CELL_FIGURES_H_

#include <vector>

#include "tools/bench/replicas/cell_cost.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {

// Adds the figures of each cell, in their order, and two charts: `replicas`, certificates a second
// by the number of replicas, and `replica-costs`, where the microseconds of a certificate go. A
// rate stands beside that of one replica where every replica, the database and the generator can
// have one of the `processors`: with fewer it would only say how they share, which is left out, and
// said.
void ReportCells(const std::vector<MeasuredCell>& cells, int processors, Report& report);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REPLICAS_CELL_FIGURES_H_
