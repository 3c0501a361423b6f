// The decisions of a tenant, as they come.
#ifndef HOURGLASS_TOOLS_GATEWAYD_DECISION_STREAM_H_
#define HOURGLASS_TOOLS_GATEWAYD_DECISION_STREAM_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "hourglass/v1/decisions.pb.h"
#include "tools/agent/message_stream.h"
#include "tools/client/connection.h"

namespace hourglass::gatewayd {

using DecisionStream = agent::MessageStream<v1::DecisionEvent>;

// A WatchDecisions call: every event after that of `cursor`, or all that are kept where it is
// empty. Errors: those of DecisionStream::Open.
absl::StatusOr<std::unique_ptr<DecisionStream>> WatchDecisions(
    const client::ConnectionConfig& config, const std::string& tenant, const std::string& cursor);

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_DECISION_STREAM_H_
