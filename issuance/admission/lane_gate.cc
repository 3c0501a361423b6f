#include "issuance/admission/lane_gate.h"

namespace hourglass::issuance {
namespace {

// Some times what a batch costs beyond its signatures. With less, lanes took each other's time: at
// half of saturation a certificate cost a fifth more. With more, batches grew, and p99 with them.
constexpr double kSecondsWorthALane = 0.0025;
constexpr double kWeightOfTheLatest = 1.0 / 8;

}  // namespace

void LaneGate::Served(std::size_t tasks, std::chrono::steady_clock::duration took) {
  seconds_ += (std::chrono::duration<double>(took).count() - seconds_) * kWeightOfTheLatest;
  tasks_ += (static_cast<double>(tasks) - tasks_) * kWeightOfTheLatest;
}

bool LaneGate::IsOpen(std::size_t waiting, std::size_t busy) const {
  if (waiting == 0 || busy == 0) return waiting > 0;
  return static_cast<double>(waiting) * seconds_ >=
         static_cast<double>(busy) * kSecondsWorthALane * tasks_;
}

}  // namespace hourglass::issuance
