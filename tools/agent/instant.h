// The time by which agents wait.
#ifndef HOURGLASS_TOOLS_AGENT_INSTANT_H_
#define HOURGLASS_TOOLS_AGENT_INSTANT_H_

#include "absl/time/time.h"

namespace hourglass::agent {

// Since an arbitrary start, by a clock that never jumps (Waiter::Now).
using Instant = absl::Duration;

}  // namespace hourglass::agent

#endif  // HOURGLASS_TOOLS_AGENT_INSTANT_H_
