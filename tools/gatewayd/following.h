// Follows the decisions of a tenant, and carries them out on its gateways.
#ifndef HOURGLASS_TOOLS_GATEWAYD_FOLLOWING_H_
#define HOURGLASS_TOOLS_GATEWAYD_FOLLOWING_H_

#include "absl/status/status.h"
#include "tools/agent/backoff.h"
#include "tools/agent/waiter.h"
#include "tools/gatewayd/gateway_config.h"

namespace hourglass::gatewayd {

// Until told to stop. Goes on after the last event that was carried out on every gateway, which
// `config.state` keeps; beside that, looks once through all events that are kept up to that one,
// for tunnels that came since (Task::is_again). A cursor that the service does not know begins
// anew. Tells what happens on standard output, failures in words on standard error. Errors: those
// of LoadState, which forbid to begin.
absl::Status Follow(const GatewayConfig& config, bool json, agent::Waiter& waiter,
                    const agent::Random& random);

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_FOLLOWING_H_
