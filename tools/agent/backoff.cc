#include "tools/agent/backoff.h"

#include <algorithm>

namespace hourglass::agent {

absl::Duration Backoff(int failures, double random) {
  absl::Duration longest = kFirstBackoff;
  for (int i = 1; i < failures && longest < kLongestBackoff; ++i) longest *= 2;
  longest = std::min(longest, kLongestBackoff);
  return longest * (0.5 + 0.5 * random);
}

absl::Duration Stretched(absl::Duration retry_delay, double random) {
  const absl::Duration bounded = std::clamp(retry_delay, absl::ZeroDuration(), kLongestRetryDelay);
  return bounded * (1.0 + 0.25 * random);
}

}  // namespace hourglass::agent
