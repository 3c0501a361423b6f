// What the simulation found, as tables in Markdown.
#ifndef HOURGLASS_TOOLS_SCALING_TABLES_H_
#define HOURGLASS_TOOLS_SCALING_TABLES_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/scaling/cell.h"
#include "tools/scaling/model.h"

namespace hourglass::scaling {

struct Question {
  std::vector<double> devices;
  // The time within which all start in the morning.
  std::chrono::duration<double> start_within = std::chrono::minutes(30);
  CellModel cell;
  // 0: as many as it takes so that none is asked for more than `fill` of what it gives saturated.
  int cells = 0;
  double fill = 0.6;
  std::uint64_t seed = 1;
  Span span;
};

// What one cell gives saturated, and how the cells that `devices` need do, through the day and in
// the morning. The same for the same question.
std::string CellTable(const Question& question);

// What `devices` ask for, and what is kept of it: computed, not simulated.
std::string FleetTable(const Question& question);

// CompareWithMeasured.
std::string MeasuredTable(std::uint64_t seed);

}  // namespace hourglass::scaling

#endif  // HOURGLASS_TOOLS_SCALING_TABLES_H_
