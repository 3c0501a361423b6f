// A call to the service that a signal to stop cuts short.
#ifndef HOURGLASS_TOOLS_AGENT_CALL_H_
#define HOURGLASS_TOOLS_AGENT_CALL_H_

#include <grpcpp/grpcpp.h>

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tools/agent/waiter.h"

namespace hourglass::agent {

// Starts a call of a generated stub's async() with this context; whoever is given is called with
// the call's end.
using StartCall = std::function<void(grpc::ClientContext*, std::function<void(grpc::Status)>)>;

// Makes the call in gRPC's threads, so that this one can hear a signal meanwhile, and waits for its
// end, at most `timeout`. Where `waiter` is told to stop, the call is cancelled. Nothing that the
// call uses is used any more when this returns.
grpc::Status CallUnlessStopped(Waiter& waiter, absl::Duration timeout, const StartCall& start);

// How long the service asks to wait before the next call, by the error of a call
// (client::CallError); zero where it does not.
absl::Duration RetryDelayOf(const absl::Status& status);

}  // namespace hourglass::agent

#endif  // HOURGLASS_TOOLS_AGENT_CALL_H_
