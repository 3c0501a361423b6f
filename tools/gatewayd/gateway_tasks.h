// What tests give gateways to do.
#ifndef HOURGLASS_TOOLS_GATEWAYD_GATEWAY_TASKS_H_
#define HOURGLASS_TOOLS_GATEWAYD_GATEWAY_TASKS_H_

#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/gatewayd/gateway.h"

namespace hourglass::gatewayd {

inline constexpr char kAlice[] = "alice@contoso.example";

// Of alice on laptop-1, with this certificate.
inline Task TaskOf(const std::string& user, const std::string& serial, bool is_again = false) {
  Task task;
  task.concern.words = "DEVICE_BLOCKED device laptop-1";
  task.concern.at = absl::Now();
  task.concern.until = task.concern.at;
  task.concern.users.insert({.upn = user, .common_name = user});
  if (!serial.empty()) {
    task.concern.certificates[serial] =
        absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now() + absl::Minutes(30)));
  }
  task.is_again = is_again;
  return task;
}

inline Patience Long() { return Patience(absl::Seconds(20), -1); }

inline std::vector<std::string> TunnelsOf(const Outcome& outcome) {
  std::vector<std::string> tunnels;
  for (const EndedTunnel& one : outcome.ended) tunnels.push_back(one.tunnel);
  return tunnels;
}

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_GATEWAY_TASKS_H_
