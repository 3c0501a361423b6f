// A device that asks for access: eapol_test, of Debian's package eapoltest.
#ifndef HOURGLASS_TOOLS_DOCTOR_RADIUS_SUPPLICANT_H_
#define HOURGLASS_TOOLS_DOCTOR_RADIUS_SUPPLICANT_H_

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/doctor/radius/probe.h"
#include "tools/doctor/radius/relay.h"

namespace hourglass::doctor {

enum class EapMethod {
  kTls13,       // EAP-TLS over TLS 1.3 alone
  kTls12,       // EAP-TLS over TLS 1.2 alone
  kPeapPasswd,  // PEAP with a made-up password inside, and no certificate
  kTtlsPasswd,  // EAP-TTLS with a made-up password inside, and no certificate
};

struct Conversation {
  EapMethod method = EapMethod::kTls13;
  std::string identity;         // User-Name and EAP identity; any octets but NUL
  std::string certificate_pem;  // with its chain behind it; of EAP-TLS
  std::string private_key_pem;  // the same; unencrypted
};

// The configuration of a network for eapol_test; `folder` holds `user.pem` and `user.key`.
std::string SupplicantConfiguration(const Conversation& conversation, absl::string_view folder);

// The last alert that the server sent, by eapol_test's output: `unknown CA`; "" for none.
std::string AlertIn(absl::string_view output);

// The certificates of a file that `eapol_test -o` wrote, each once, PEM.
std::string ShownCertificates(absl::string_view written);

// One conversation with the server, `limit` at most. Keys and certificates are in a folder of their
// own (mode 0700) meanwhile. Errors: those of RadiusRelay::Open; FAILED_PRECONDITION where
// eapol_test is not installed; INTERNAL.
absl::StatusOr<ProbeResult> Converse(const RadiusTarget& target, const Conversation& conversation,
                                     std::chrono::milliseconds limit);

// A request without EAP: `identity` with a made-up password (PAP). `sign`: with a
// Message-Authenticator. Errors: those of RadiusRelay::Open.
absl::StatusOr<ProbeResult> AskWithPassword(const RadiusTarget& target, const std::string& identity,
                                            bool sign, std::chrono::milliseconds limit);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_RADIUS_SUPPLICANT_H_
