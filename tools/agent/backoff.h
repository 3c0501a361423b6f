// How long to wait before the service is asked again: pure functions on values.
#ifndef HOURGLASS_TOOLS_AGENT_BACKOFF_H_
#define HOURGLASS_TOOLS_AGENT_BACKOFF_H_

#include <functional>

#include "absl/time/time.h"

namespace hourglass::agent {

// Uniform in [0, 1).
using Random = std::function<double()>;

// The bounds of Backoff and Stretched, jitter included.
inline constexpr absl::Duration kFirstBackoff = absl::Seconds(1);
inline constexpr absl::Duration kLongestBackoff = absl::Seconds(60);
inline constexpr absl::Duration kLongestRetryDelay = absl::Hours(1);

// The pause after `failures` failures in a row, of which the first is 1: it doubles from 1 s to
// 60 s, each between half and all of it by `random`, which is uniform in [0, 1). Late enough to
// help the service, spread enough not to come back as a wave.
absl::Duration Backoff(int failures, double random);

// The delay that the service asked for, an hour at most, stretched by up to a quarter so that a
// fleet does not come back together. Never earlier than it asked for, and zero for less than zero.
absl::Duration Stretched(absl::Duration retry_delay, double random);

}  // namespace hourglass::agent

#endif  // HOURGLASS_TOOLS_AGENT_BACKOFF_H_
