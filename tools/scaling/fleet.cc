#include "tools/scaling/fleet.h"

#include <algorithm>

namespace hourglass::scaling {

double SteadyRate(double devices) { return devices / kRenewalPeriod.count(); }

double MorningRate(double devices, std::chrono::duration<double> window) {
  const double back = std::max(0.0, 1 - kEarliestRenewal / window);
  return std::max(devices / window.count() + SteadyRate(devices) * back, SteadyRate(devices));
}

}  // namespace hourglass::scaling
