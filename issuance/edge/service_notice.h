// What systemd is told of the service (sd_notify(3)).
#ifndef HOURGLASS_ISSUANCE_EDGE_SERVICE_NOTICE_H_
#define HOURGLASS_ISSUANCE_EDGE_SERVICE_NOTICE_H_

#include <chrono>
#include <optional>

namespace hourglass::issuance {

// `READY=1`, `STOPPING=1`, `WATCHDOG=1`. Nothing where no service manager wants to know. Safe to
// call from several threads.
void NotifyServiceManager(const char* state);

// Within how much time the service manager expects each WATCHDOG=1 (`WatchdogSec=`); nullopt where
// it expects none.
std::optional<std::chrono::microseconds> WatchdogInterval();

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_SERVICE_NOTICE_H_
