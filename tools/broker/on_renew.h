// The command that hourglass-broker runs after each renewal.
#ifndef HOURGLASS_TOOLS_BROKER_ON_RENEW_H_
#define HOURGLASS_TOOLS_BROKER_ON_RENEW_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tools/broker/waiter.h"

namespace hourglass::broker {

// How long a command may take before it is ended.
inline constexpr absl::Duration kOnRenewLimit = absl::Minutes(1);

// Runs `sh -c COMMAND` with `environment` (`NAME=value`) added to this process's own, nothing on
// its standard input, in its own process group, and waits for its end. What takes longer than
// `limit`, or still runs when `waiter` is told to stop, gets SIGTERM with its whole group, and
// SIGKILL five seconds later. Errors: ABORTED that says how it ended, unless with exit code 0.
absl::Status RunOnRenew(const std::string& command, const std::vector<std::string>& environment,
                        Waiter& waiter, absl::Duration limit = kOnRenewLimit);

}  // namespace hourglass::broker

#endif  // HOURGLASS_TOOLS_BROKER_ON_RENEW_H_
