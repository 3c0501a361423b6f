// The two ways to follow a tenant's bundle.
#ifndef HOURGLASS_TOOLS_BUNDLE_FOLLOWING_H_
#define HOURGLASS_TOOLS_BUNDLE_FOLLOWING_H_

#include "absl/status/status.h"
#include "tools/agent/backoff.h"
#include "tools/agent/waiter.h"
#include "tools/bundle/options.h"
#include "tools/client/connection.h"

namespace hourglass::bundle {

// Gets the bundle once, and settles it (KeptBundle::Settle). What was accepted before and is not in
// place is put in place though the service is away. Tells on standard output what happens. Errors:
// those of KeptBundle and GetBundle, CANCELLED when told to stop.
absl::Status FollowOnce(const Options& options, const client::ConnectionConfig& config,
                        agent::Waiter& waiter);

// Follows every change until told to stop, and tells what happens; refusals and failures in words
// on standard error. Errors: those of KeptBundle::Load, which forbid to begin.
absl::Status Follow(const Options& options, const client::ConnectionConfig& config,
                    agent::Waiter& waiter, const agent::Random& random);

}  // namespace hourglass::bundle

#endif  // HOURGLASS_TOOLS_BUNDLE_FOLLOWING_H_
