// What a certificate costs in all processes of a cell: replicas, database, standby.
#ifndef HOURGLASS_TOOLS_BENCH_REPLICAS_CELL_COST_H_
#define HOURGLASS_TOOLS_BENCH_REPLICAS_CELL_COST_H_

#include <optional>
#include <string>

#include "tools/bench/load/load_tally.h"

namespace hourglass::bench {

// Sums since the start, of a moment; or what a certificate took of each. CPU times are
// microseconds. 0 where there is no such process.
struct CellCounters {
  double hourglassd = 0;  // of all replicas
  double postgresql = 0;  // of all its processes, also of those that ended
  double standby = 0;     // the same, of the standby
  double generator = 0;
  double machine = 0;     // all that was not idle, whoever took it
  double log_octets = 0;  // of the write-ahead log
  // Transactions that were committed, also those that only read. PostgreSQL's processes tell of
  // theirs once a second, and later where they have nothing more to do.
  double commits = 0;
  double writes = 0;  // transactions that wrote something, known at once

  // The load generator, too.
  double AllProcesses() const { return hourglassd + postgresql + standby + generator; }
};

// Of a window in which there were certificates.
struct CellCost {
  LoadResult load;
  CellCounters each;  // certificate
  double busy = 0;    // the share of all processors' time in which they were not idle
};

// What `load` cost on a machine of so many processors.
CellCost CostOf(LoadResult load, const CellCounters& before, const CellCounters& after,
                int processors);

// An intent and a release for each certificate: how many of both one transaction writes, on
// average. 0 where none wrote.
double RecordsPerWrite(const CellCounters& each);

// The CPU of PostgreSQL as so much for each transaction that writes and so much for each
// certificate, microseconds.
struct WriteCost {
  double write = 0;
  double certificate = 0;
};

// The one that gives both measurements exactly. Nothing where they have nearly as many transactions
// for a certificate.
std::optional<WriteCost> WriteCostOf(const CellCounters& alone, const CellCounters& saturated);

// One cell, measured.
struct MeasuredCell {
  std::string name = {};  // `PostgreSQL, 2 replicas`
  int replicas = 1;
  bool has_postgresql = false;
  bool has_standby = false;
  CellCost alone = {};  // one request at a time
  int outstanding = 0;
  CellCost saturated = {};
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REPLICAS_CELL_COST_H_
