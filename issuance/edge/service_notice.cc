#include "issuance/edge/service_notice.h"

#include <systemd/sd-daemon.h>

#include <cstdint>

namespace hourglass::issuance {

// A manager that is not there, or does not listen, is no reason to do anything else.
void NotifyServiceManager(const char* state) { static_cast<void>(sd_notify(0, state)); }

std::optional<std::chrono::microseconds> WatchdogInterval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds);
}

}  // namespace hourglass::issuance
