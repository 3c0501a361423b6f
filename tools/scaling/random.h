// Random numbers that are the same in every run of the same seed.
#ifndef HOURGLASS_TOOLS_SCALING_RANDOM_H_
#define HOURGLASS_TOOLS_SCALING_RANDOM_H_

#include <cmath>
#include <cstdint>
#include <random>

#include "tools/scaling/simulation.h"

namespace hourglass::scaling {

// The standard's engines are the same everywhere, its distributions are not: so these are our own.
// Not safe to call from several threads.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // From 0 up to, not including, 1.
  double Share() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  // Below `bound`, which is positive.
  int Below(int bound) { return static_cast<int>(Share() * bound); }
  // Exponential: between arrivals of which so many come a second, each whenever it likes.
  Time Gap(double per_second) { return Microseconds(-std::log1p(-Share()) / per_second * 1e6); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace hourglass::scaling

#endif  // HOURGLASS_TOOLS_SCALING_RANDOM_H_
