// What a process that serves does from its start to its end, whatever it serves.
#ifndef HOURGLASS_TOOLS_HOURGLASSD_SERVICE_PROCESS_H_
#define HOURGLASS_TOOLS_HOURGLASSD_SERVICE_PROCESS_H_

#include <signal.h>

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/config/config.h"
#include "issuance/log/event_log.h"
#include "issuance/server/server.h"

namespace hourglass {

// Before any thread is made, so that all of them leave the signals to ServeUntilAsked: blocks those
// that end the process, and others that would by accident. Those that it awaits.
sigset_t PrepareProcess();

// For people, before there is a log; and to nobody, where nobody takes it for a second: whoever
// waits for the exit code must get it. Returns 1.
int Fail(const absl::Status& status);

// Runs `serve` with the log that the configuration wants, on standard error. From here on all that
// is said is a line of the log, so that whoever reads standard error need understand nothing else,
// and whoever does not stops nothing. The exit code: that of `serve`, or 1 where it fails, which is
// logged as `start_failed`.
int ServeWithLog(const issuance::Config& config,
                 const std::function<absl::StatusOr<int>(const issuance::EventLog& log)>& serve);

// Writes the address file, says that it serves, to the service manager, too, and stops the server
// gracefully when it is asked to (SIGINT, SIGTERM), or when key holders cannot be started any more.
// The exit code.
absl::StatusOr<int> ServeUntilAsked(issuance::Server& server, const issuance::Config& config,
                                    const sigset_t& awaited, const issuance::EventLog& log);

}  // namespace hourglass

#endif  // HOURGLASS_TOOLS_HOURGLASSD_SERVICE_PROCESS_H_
