// Whether what waits is worth another lane.
#ifndef HOURGLASS_ISSUANCE_ADMISSION_LANE_GATE_H_
#define HOURGLASS_ISSUANCE_ADMISSION_LANE_GATE_H_

#include <chrono>
#include <cstddef>

namespace hourglass::issuance {

// A batch costs its two commits and several switches between threads, however few tasks it has. So
// what comes while a lane is busy is better left to that lane, unless it would keep it for longer
// than that cost; then another lane takes it up. Where no lane is busy, one takes it up at once.
// Not safe to call from several threads.
class LaneGate {
 public:
  // A batch of `tasks` took so long. What the latest batches took for each task is what the next
  // ones are expected to take.
  void Served(std::size_t tasks, std::chrono::steady_clock::duration took);

  // Whether another lane shall take up what waits, beside `busy` ones.
  bool IsOpen(std::size_t waiting, std::size_t busy) const;

 private:
  // Of the latest batches, older ones counting less and less.
  double seconds_ = 0;
  double tasks_ = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ADMISSION_LANE_GATE_H_
