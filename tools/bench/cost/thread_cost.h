// What a piece of work costs the thread that does it, beside what it could not cost less than.
#ifndef HOURGLASS_TOOLS_BENCH_COST_THREAD_COST_H_
#define HOURGLASS_TOOLS_BENCH_COST_THREAD_COST_H_

#include <chrono>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/status_macros.h"

namespace hourglass::bench {

// CPU time of the calling thread until now.
double ThreadMicroseconds();

// Of at least one value; of an even number of them the upper one of the two in the middle.
double Median(std::vector<double> values);

struct TimedCalls {
  double microseconds = 0;  // of CPU, for each call
  int calls = 0;
};

// Calls `work`, which returns a Status, until the slice is over; at least `calls_at_once` times.
// Between two looks at the clock there are so many calls, which should take some microseconds, or
// looking costs as much as they do. Errors: the first of `work`.
template <typename Work>
absl::StatusOr<TimedCalls> TimeCalls(std::chrono::milliseconds slice, int calls_at_once,
                                     const Work& work) {
  const double begin = ThreadMicroseconds();
  const double end = begin + 1e3 * static_cast<double>(slice.count());
  double now = begin;
  int calls = 0;
  do {
    for (int i = 0; i < calls_at_once; ++i) RETURN_IF_ERROR(work());
    calls += calls_at_once;
    now = ThreadMicroseconds();
  } while (now < end);
  return TimedCalls{(now - begin) / calls, calls};
}

struct CostEffort {
  int rounds = 1;                        // of which the median counts
  std::chrono::milliseconds slice = {};  // CPU time of each measurement of a round
  int calls_at_once = 8;
};

// Microseconds of a call.
struct CostBesideFloor {
  double cost = 0;
  double floor = 0;
};

// Both in turns, so that they meet the same noise, after a round that fills caches and is not
// counted. Errors: as TimeCalls.
template <typename Work, typename Floor>
absl::StatusOr<CostBesideFloor> MeasureBesideFloor(const CostEffort& effort, const Work& work,
                                                   const Floor& floor) {
  std::vector<double> costs, floors;
  for (int round = 0; round <= effort.rounds; ++round) {
    ASSIGN_OR_RETURN(const TimedCalls cost, TimeCalls(effort.slice, effort.calls_at_once, work));
    ASSIGN_OR_RETURN(const TimedCalls below, TimeCalls(effort.slice, effort.calls_at_once, floor));
    if (round == 0) continue;
    costs.push_back(cost.microseconds);
    floors.push_back(below.microseconds);
  }
  return CostBesideFloor{Median(costs), Median(floors)};
}

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_COST_THREAD_COST_H_
