#include "tools/bench/replicas/cell_cost.h"

#include <utility>

namespace hourglass::bench {
namespace {

constexpr double kRecordsPerCertificate = 2;
// Transactions for a certificate. With fewer between them the noise of both is all that is seen.
constexpr double kLeastDifference = 0.5;

}  // namespace

CellCost CostOf(LoadResult load, const CellCounters& before, const CellCounters& after,
                int processors) {
  const auto certificates = static_cast<double>(load.certificates);
  CellCost cost;
  for (double CellCounters::*const counter :
       {&CellCounters::hourglassd, &CellCounters::postgresql, &CellCounters::standby,
        &CellCounters::generator, &CellCounters::machine, &CellCounters::log_octets,
        &CellCounters::commits, &CellCounters::writes}) {
    cost.each.*counter = (after.*counter - before.*counter) / certificates;
  }
  cost.busy = (after.machine - before.machine) / 1e6 / load.seconds / processors;
  cost.load = std::move(load);
  return cost;
}

double RecordsPerWrite(const CellCounters& each) {
  return each.writes == 0 ? 0 : kRecordsPerCertificate / each.writes;
}

std::optional<WriteCost> WriteCostOf(const CellCounters& alone, const CellCounters& saturated) {
  const double writes = alone.writes - saturated.writes;
  if (writes < kLeastDifference) return std::nullopt;
  WriteCost cost;
  cost.write = (alone.postgresql - saturated.postgresql) / writes;
  cost.certificate = saturated.postgresql - cost.write * saturated.writes;
  return cost;
}

}  // namespace hourglass::bench
