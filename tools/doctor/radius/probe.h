// What a RADIUS server answered to one conversation.
#ifndef HOURGLASS_TOOLS_DOCTOR_RADIUS_PROBE_H_
#define HOURGLASS_TOOLS_DOCTOR_RADIUS_PROBE_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/radius/radius_packet.h"

namespace hourglass::doctor {

enum class ProbeEnd {
  kAccepted,     // Access-Accept
  kRejected,     // Access-Reject
  kUnreachable,  // nothing listens on the port (ICMP)
  kSilent,       // no packet came back
  kFalse,        // packets came back, and none that was made with the secret
  kUnfinished,   // it began to answer, and did not end
};

// `accepted`, `rejected`, `unreachable`, `silent`, `false answers`, `unfinished`.
absl::string_view ProbeEndName(ProbeEnd end);

struct ProbeResult {
  ProbeEnd end = ProbeEnd::kSilent;
  radius::AnswerFault fault = radius::AnswerFault::kNone;  // of the first answer that had one
  int requests = 0;                                        // sent
  int answers = 0;                               // of those that were made with the secret
  std::chrono::milliseconds took{0};             // from the first request to the last answer
  std::optional<std::uint32_t> session_timeout;  // seconds, of Access-Accept
  bool has_keys = false;                         // the same
  std::string reply_message;                     // of the last answer
  std::string alert;       // the server's last TLS alert, in OpenSSL's words: `unknown CA`
  std::string server_pem;  // the certificates that the server showed, its own first
};

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_RADIUS_PROBE_H_
