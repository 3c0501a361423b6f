// hourglass-keyholder itself, asked by a test.
#ifndef HOURGLASS_TESTS_SUPPORT_KEYHOLDER_H_
#define HOURGLASS_TESTS_SUPPORT_KEYHOLDER_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "hsm/keyholder/process/worker_process.h"

namespace hourglass {

// The test's BUILD rule must name //tools/keyholder:hourglass-keyholder in `data`.
inline constexpr char kKeyholderProgram[] = "tools/keyholder/hourglass-keyholder";

// Sends the request and waits for one reply, a minute at most. Errors: those of
// WorkerProcess::Receive; DEADLINE_EXCEEDED.
absl::StatusOr<keyholder::Reply> Ask(hsm::WorkerProcess& worker, const keyholder::Request& request);
absl::StatusOr<keyholder::Reply> NextReply(hsm::WorkerProcess& worker);

// Waits until the process has ended by itself, and leaves it to be reaped.
void AwaitEnd(pid_t pid);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_KEYHOLDER_H_
