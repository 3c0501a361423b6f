// The command that an agent runs after it has replaced its files.
#ifndef HOURGLASS_TOOLS_AGENT_HOOK_H_
#define HOURGLASS_TOOLS_AGENT_HOOK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/agent/waiter.h"

namespace hourglass::agent {

// How long a command may take before it is ended.
inline constexpr absl::Duration kHookLimit = absl::Minutes(1);

// Runs `sh -c COMMAND`, which `option` of the command line gave, with `environment` (`NAME=value`)
// added to this process's own, nothing on its standard input, in its own process group, and waits
// for its end. What takes longer than `limit`, or still runs when `waiter` is told to stop, gets
// SIGTERM with its whole group, and SIGKILL five seconds later. Errors: ABORTED that names `option`
// and says how it ended, unless with exit code 0.
absl::Status RunHook(absl::string_view option, const std::string& command,
                     const std::vector<std::string>& environment, Waiter& waiter,
                     absl::Duration limit = kHookLimit);

}  // namespace hourglass::agent

#endif  // HOURGLASS_TOOLS_AGENT_HOOK_H_
