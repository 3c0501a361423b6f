// Whether a RADIUS server lets in who should get in, and nobody else: asked, not read.
#ifndef HOURGLASS_TOOLS_DOCTOR_RADIUS_RADIUS_DOCTOR_H_
#define HOURGLASS_TOOLS_DOCTOR_RADIUS_RADIUS_DOCTOR_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/doctor/finding.h"
#include "tools/doctor/radius/canary.h"
#include "tools/doctor/radius/relay.h"
#include "tools/doctor/radius/server_certificate.h"
#include "tools/doctor/radius/supplicant.h"

namespace hourglass::doctor {

struct RadiusQuestion {
  RadiusTarget target;
  Credential canary;     // one that must be accepted now
  std::string identity;  // empty: the canary's user principal name
  // Others that must be refused: expired, of another root, without the OID.
  std::vector<Credential> refused;
  ExpectedServer server;
  std::chrono::milliseconds limit{10'000};  // of each conversation
};

// What is shown to the server. Only the canary must be accepted.
enum class ProbeKind { kCanary, kAnotherName, kForged, kExpired, kGiven, kPassword };

// One conversation and what came of it.
struct AskedProbe {
  std::string name;  // `canary, TLS 1.3`
  ProbeKind kind = ProbeKind::kCanary;
  std::int64_t asked_at = 0;  // seconds since 1970, when it began
  ProbeResult result;
};

struct RadiusReport {
  std::vector<AskedProbe> probes;  // in the order in which they were asked
  std::vector<Finding> findings;
};

// Seconds since 1970, UTC.
using UnixClock = std::function<std::int64_t()>;

// How a server is asked; RealWays asks it.
struct RadiusWays {
  std::function<absl::StatusOr<ProbeResult>(const Conversation&)> converse;
  std::function<absl::StatusOr<ProbeResult>(const std::string& identity, bool sign)> ask_password;
};
RadiusWays RealWays(const RadiusTarget& target, std::chrono::milliseconds limit);

// Asks in turn: the canary over TLS 1.3 and 1.2; the canary under another's name; forgeries of it,
// one of them expired; `refused`; PEAP, EAP-TTLS and PAP with made-up passwords. Stops after the
// first where that gets no answer. Findings say what is wrong and hold no secret. Errors: those of
// `ways`; FIELD_INVALID with field `certificate` where the canary has expired, is not valid yet or
// has no conditional-access OID, or with `identity` where there is none; those of ReadCredential
// and CheckRoots.
absl::StatusOr<RadiusReport> ExamineRadius(const RadiusQuestion& question, const RadiusWays& ways,
                                           const UnixClock& now);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_RADIUS_RADIUS_DOCTOR_H_
